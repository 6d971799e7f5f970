"""The way in: notices become mails if, and only if, the caller's transaction commits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min

from commontime.core import clock
from commontime.mail.delivery import composer, composers_in, deliver_due, forget_settled
from commontime.mail.enums import State
from commontime.mail.models import Message
from commontime.mail.tasks import deliver

__all__ = ["Notice", "composer", "composers_in", "deliver_due", "forget_settled", "post", "totals"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to one address.

    `kind` names its composer. `event` names what happened: of one event an address gets each
    `sequence` once, and a larger sequence replaces smaller ones that have not gone out yet.
    `payload` is JSON: ids, or all the letter says where the rows will be gone by then. With a
    `user_id` the mail goes when that account does.
    """

    kind: str
    event: str
    recipient: str
    user_id: int | None = None
    sequence: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


def post(notices: Iterable[Notice]) -> None:
    """Queue a mail for each notice, in the caller's transaction. What was posted before is not
    posted again; no address, no mail.

    Two statements, however many notices: the mails, and one task that wakes a worker.
    """
    now = clock.now()
    messages = [
        Message(
            kind=notice.kind,
            event=notice.event,
            recipient=notice.recipient.strip(),
            user_id=notice.user_id,
            sequence=notice.sequence,
            payload=dict(notice.payload),
            due_at=now,
            created_at=now,
        )
        for notice in notices
        if notice.recipient.strip()
    ]
    if not messages:
        return
    messages.sort(
        key=lambda message: (message.event, message.recipient, message.sequence)
    )  # one order: no deadlock with another post
    with transaction.atomic(savepoint=False):
        Message.objects.bulk_create(messages, ignore_conflicts=True)
        deliver.enqueue()


@dataclass(frozen=True, slots=True)
class Totals:
    """How many mails wait, since when the oldest does, and what became of the last day's."""

    queued: int
    oldest: datetime | None
    last_day: dict[str, int]


def totals() -> Totals:
    waiting = Message.objects.filter(state=State.QUEUED)
    queued = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    settled = Message.objects.filter(settled_at__gt=clock.now() - timedelta(days=1))
    counts = dict(settled.values_list("state").annotate(Count("pk")))
    states = (State.SENT, State.FAILED, State.DROPPED)
    return Totals(
        queued["count"], queued["oldest"], {state.value: counts.get(state, 0) for state in states}
    )
