"""Whether the queue's workers are alive. They leave a trace in the tasks they take."""

from datetime import timedelta

from django_ox import stats
from django_ox.models import OxTask

from commontime.core import clock

# A worker that lives takes a task every 15 seconds: the schedule of the mails sees to that.
LONGEST_SILENCE = timedelta(minutes=1)


def silence() -> timedelta | None:
    """Return how long no worker has done anything. None if none ever has."""
    now = clock.now()
    at_work = OxTask.objects.filter(
        queue_name="default", status=OxTask.Status.RUNNING, lease_expires_at__gt=now
    )
    return timedelta() if at_work.exists() else stats.last_claim_age("default")


def are_alive() -> bool:
    pause = silence()
    return pause is not None and pause <= LONGEST_SILENCE
