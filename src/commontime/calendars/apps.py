from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "commontime.calendars"
    label = "calendars"

    def ready(self) -> None:
        from commontime.mail import outbox

        outbox.composers_in("commontime.calendars.tasks.composers")
