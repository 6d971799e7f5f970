"""Shortens leases and retries of mail; see quick_settings.py."""

from datetime import timedelta

from django.apps import AppConfig

LEASE = 6  # seconds; five replies of at most one second each must fit


class QuickMail(AppConfig):
    name = "chaos"

    def ready(self) -> None:
        from commontime.mail import delivery

        delivery.LEASE = timedelta(seconds=LEASE)
        delivery.LONGEST_SEND = timedelta(seconds=LEASE - 1)
        delivery.HOLD = delivery.IN_DOUBT = timedelta(seconds=1)
        delivery.BACKOFF = (timedelta(seconds=1),) * 3
