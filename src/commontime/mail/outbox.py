"""The way in: notices become mails if, and only if, the caller's transaction commits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef

from commontime.core import clock
from commontime.mail.delivery import composer, composers_in, deliver_due, forget_settled, gate
from commontime.mail.enums import State
from commontime.mail.models import Message
from commontime.mail.tasks import deliver

__all__ = [
    "Notice",
    "composer",
    "composers_in",
    "deliver_due",
    "forget_settled",
    "gate",
    "post",
    "totals",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to one address.

    `kind` names its composer. `event` names what happened: of one event an address gets each
    `sequence` once, and a larger sequence replaces smaller ones that have not gone out yet.
    `payload` is JSON: ids, or all the letter says where the rows will be gone by then. With a
    `user_id` the mail goes when that account does. `caused_by` is whose doing it is; None for what
    the clock does, or what one's own account needs. `is_unasked`: its reader is not together with
    them; `is_counted`: the caller has counted it (`allowance.py`).
    """

    kind: str
    event: str
    recipient: str
    user_id: int | None = None
    sequence: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)
    caused_by: int | None = None
    is_unasked: bool = False
    is_counted: bool = False


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
            caused_by_id=notice.caused_by,
            is_unasked=notice.is_unasked,
            is_counted=notice.is_counted,
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


# Mails that are kept back -------------------------------------------------------------------------


def send_kept_back(user: int, address: str) -> None:
    """Queue what was kept back because of an account. What is for it goes to this address."""
    kept = Message.objects.filter(state=State.KEPT_BACK)
    theirs = kept.filter(user=user)
    # Nobody gets two mails of one event and sequence.
    again = Message.objects.filter(
        event=OuterRef("event"), sequence=OuterRef("sequence"), recipient=address
    )
    theirs.exclude(recipient=address).exclude(Exists(again)).update(recipient=address)
    theirs.exclude(recipient=address).delete()
    now = clock.now()
    queued = {"state": State.QUEUED, "due_at": now, "created_at": now}
    # Two statements, because one with OR would read whatever is kept back of anybody.
    if kept.filter(user=user).update(**queued) + kept.filter(caused_by=user).update(**queued):
        deliver.enqueue()


def send_all_kept_back() -> None:
    """Queue whatever was kept back."""
    now = clock.now()
    Message.objects.filter(state=State.KEPT_BACK, created_at__lte=now).update(
        state=State.QUEUED, due_at=now, created_at=now
    )


def drop_kept_back(*, days: int) -> None:
    """Drop what has been kept back for more than `days` days."""
    now = clock.now()
    Message.objects.filter(state=State.KEPT_BACK, created_at__lt=now - timedelta(days=days)).update(
        state=State.DROPPED,
        settled_at=now,
        payload={},
        error="The address was not confirmed in time.",
    )


def drop_caused_by(user: int) -> None:
    """Delete what an account has caused and what has not gone out yet."""
    Message.objects.filter(caused_by=user, state__in=[State.QUEUED, State.KEPT_BACK]).delete()


def release(user: int, *, caused_by: int) -> None:
    """Let go what waits because its reader was not together with somebody. Now they are."""
    waiting = Message.objects.filter(
        user=user, state=State.QUEUED, caused_by=caused_by, is_unasked=True, is_counted=False
    )
    waiting.update(is_unasked=False, due_at=clock.now())


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
