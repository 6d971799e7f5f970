"""What the clock starts. Each can run late, twice or in several workers at once: the actions decide by conditional updates."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as WebSession
from django.core.management import call_command
from django.tasks import task

from commontime.accounts.models import Session
from commontime.calendars import actions, queries
from commontime.core import clock, limits
from commontime.core.models import RememberedAnswer
from commontime.mail import outbox

MOST_AT_ONCE = 200


@task
def meet_deadlines() -> None:
    """Do what is due at the deadlines that have passed."""
    for meeting in queries.meetings_past_deadline(clock.now())[:MOST_AT_ONCE]:
        actions.finish_deadline(meeting)


@task
def clean_up() -> None:
    """Delete what nobody needs any more: settled mails, old answers, used-up limits, ended sign-ins, finished tasks."""
    now = clock.now()
    outbox.forget_settled(days=settings.KEEP_MAIL_DAYS)
    limits.forget_old()
    RememberedAnswer.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    Session.objects.filter(ends_at__lt=now).delete()
    Session.objects.filter(ended_at__lt=now - settings.REFRESH_IDLE).delete()
    WebSession.objects.filter(expire_date__lt=now).delete()
    call_command("ox_prune", verbosity=0)
