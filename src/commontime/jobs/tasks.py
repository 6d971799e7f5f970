"""Scheduled tasks.

Each can run late, twice or in several workers at once; the actions notice what is already done.
"""

import logging
from datetime import timedelta
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session as WebSession
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.tasks import task

from commontime.accounts import queries as accounts
from commontime.accounts.models import KnownNetwork, Session
from commontime.calendars import actions, queries
from commontime.core import clock, limits
from commontime.core.models import RememberedAnswer
from commontime.mail import outbox

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 200


@task
def meet_deadlines() -> None:
    """Finish the meetings whose deadline has passed.

    One that fails does not stop the others, and is tried again next time.
    """
    for meeting in queries.meetings.meetings_past_deadline(clock.now())[:MOST_AT_ONCE]:
        try:
            actions.finish_deadline(meeting)
        except (OperationalError, InterfaceError):
            raise  # the database is away, so none of them can be done now
        except Exception:
            logger.exception("The deadline of meeting %s could not be met.", meeting.pk)


@task
def clean_up() -> None:
    """Delete old mails, remembered answers, limits, networks, sign-ins and finished tasks."""
    now = clock.now()
    outbox.forget_settled(days=settings.KEEP_MAIL_DAYS)
    if accounts.confirms_addresses():
        outbox.drop_kept_back(days=accounts.DAYS_TO_CONFIRM)
    else:
        outbox.send_all_kept_back()
    limits.forget_old()
    RememberedAnswer.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    Session.objects.filter(ends_at__lt=now).delete()
    Session.objects.filter(ended_at__lt=now - settings.REFRESH_IDLE).delete()
    KnownNetwork.objects.filter(used_at__lt=now - settings.KNOWN_NETWORK_AGE).delete()
    WebSession.objects.filter(expire_date__lt=now).delete()
    # A finished task is useless but may hold an address. A failed one says why it failed.
    _prune(older_than="1d")
    _prune(older_than=f"{settings.KEEP_MAIL_DAYS}d", include_failed=True)


def _prune(**options: Any) -> None:
    """Delete finished tasks. What the command prints is no line of our log."""
    call_command("ox_prune", **options, stdout=StringIO())
