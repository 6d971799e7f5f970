"""Prepares a worker process: the tests' composer, a short lease, and, if the test asks for it, a
guard switched off.
"""

from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class MailTestsConfig(AppConfig):
    name = "tests.mail"
    label = "mail_tests"

    def ready(self) -> None:
        from commontime.mail import delivery
        from commontime.mail.enums import State
        from tests.mail import cast  # noqa: F401  (registers the composer)

        delivery.LEASE = timedelta(seconds=settings.LEASE_SECONDS)
        delivery.LONGEST_SEND = timedelta(seconds=settings.LEASE_SECONDS - 1)
        send = delivery._send

        def mark_first(message, mail, server):
            real, delivery._settle = delivery._settle, lambda *args, **changes: None
            real(message, state=State.SENT)
            send(message, mail, server)
            delivery._settle = real

        if settings.GUARD_OFF == "claim":
            delivery._claim = lambda message: True
            delivery._settle = lambda message, **changes: delivery.Message.objects.filter(
                pk=message.pk
            ).update(**changes)
        if settings.GUARD_OFF == "mark after sending":
            delivery._send = mark_first
