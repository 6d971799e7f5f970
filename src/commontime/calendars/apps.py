from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "commontime.calendars"
    label = "calendars"

    def ready(self) -> None:
        from commontime.calendars import tasks  # noqa: F401  (registers what this room writes in letters)
