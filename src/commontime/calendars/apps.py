from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "commontime.calendars"
    label = "calendars"

    def ready(self) -> None:
        from commontime.calendars.tasks import composers  # noqa: F401  (registers them)
