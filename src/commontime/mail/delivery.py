"""Send what is due, one message after the other.

Claim, compose, hand over, settle. Once each as long as nothing crashes; after a crash perhaps a
second time, with the same Message-ID.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from commontime.core import clock
from commontime.mail import mime
from commontime.mail.addresses import BadAddress
from commontime.mail.allowance import count_caused, count_letter, little_text
from commontime.mail.backends import mail_folder
from commontime.mail.enums import State
from commontime.mail.letters import Letter
from commontime.mail.models import Message
from commontime.mail.server import Refused, Server, ServerAway

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# A send waits for five replies, at most 10 s each (EMAIL timeout), so it may only start this long
# before the lease ends.
LONGEST_SEND = timedelta(seconds=50)
# While the server is away one try every HOLD finds out; a silent server takes 10 s of a worker's
# time for each.
HOLD = timedelta(seconds=12)
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 1800, 7200))
# As long as the refusals may be the server's trouble and not the mail's, no mail waits longer than
# this for its recovery.
IN_DOUBT = timedelta(seconds=25)
KEEP_TRYING = timedelta(days=3)
KEEP_WAITING = timedelta(days=7)
READ_AHEAD = 50

Composer = Callable[[Message], Letter | None]
Gate = Callable[[Collection[int]], bool]
_composers: dict[str, Composer] = {}
_sources: list[str] = []
_secret: set[str] = set()
_ungated: set[str] = set()
_gates: list[Gate] = []


class LeaseLost(Exception):
    """Another worker has the message now, or it was deleted. This one may not touch it again."""


def composer(
    kind: str, *, is_secret: bool = False, is_kept_back: bool = True
) -> Callable[[Composer], Composer]:
    """Register what composes the messages of a kind.

    It returns None if the person no longer may know, or there is nothing left to say: then the
    message is dropped. is_secret: such a mail gives its reader an account, so without a mail server
    no page shows it. is_kept_back: whether it waits at a gate.
    """
    if is_secret:
        _secret.add(kind)
    if not is_kept_back:
        _ungated.add(kind)

    def register(function: Composer) -> Composer:
        if _composers.setdefault(kind, function) is not function:
            raise ValueError(f"Two composers for {kind}.")
        return function

    return register


def composers_in(module: str) -> None:
    """Name a module that registers composers.

    It is loaded with the first mail: a command that sends none needs no engine in its memory.
    """
    _sources.append(module)


def load_composers() -> None:
    while _sources:
        import_module(_sources[0])
        del _sources[0]


def gate(function: Gate) -> Gate:
    """Register what says whether mails to or from these accounts are kept back.

    It is asked a second time in a transaction. Then what it says must stay true until the end.
    """
    _gates.append(function)
    return function


def is_due() -> bool:
    """Return whether a message is due and the server not known to be away."""
    now = clock.now()
    return not _is_held(now) and _due(now).exists()


def deliver_due(*, limit: int = 500, seconds: float = 5) -> int:
    """Send what is due.

    At most `limit` messages, and for about `seconds`. Return how many were tried. Several workers
    can run this at once.
    """
    if _is_held(clock.now()):
        return 0
    tried = 0
    end = time.monotonic() + seconds
    server = Server()
    try:
        for message in _claimed(server):
            tried += 1
            _deliver(message, server)
            if tried >= limit or time.monotonic() >= end:
                break
    except ServerAway as away:
        logger.warning("The mail server is away: %s", away)
    except LeaseLost:
        logger.warning("A mail was taken over by another worker or deleted; this batch stops.")
    finally:
        server.close()
    return tried


def forget_settled(*, days: int) -> int:
    """Delete messages settled more than `days` days ago, and mails kept as files since then.

    Return how many messages.
    """
    before = clock.now() - timedelta(days=days)
    if folder := mail_folder():
        for kept in folder.glob("*.*"):
            with contextlib.suppress(FileNotFoundError):
                if kept.stat().st_mtime < before.timestamp():
                    kept.unlink()
    return Message.objects.filter(settled_at__lt=before).delete()[0]


def _due(now: datetime) -> QuerySet[Message]:
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Message.objects.filter(free, state=State.QUEUED, due_at__lte=now).order_by(
        "due_at", "sequence", "pk"
    )


def _is_held(now: datetime) -> bool:
    return Message.objects.filter(state=State.QUEUED, held=True, due_at__gt=now).exists()


def _claimed(server: Server) -> Iterator[Message]:
    """Yield due messages that this worker now holds."""
    while candidates := list(_due(clock.now())[:READ_AHEAD]):
        for message in candidates:
            try:
                # before the claim, so that a slow greeting takes nothing from the lease
                server.open()
            except ServerAway as away:
                _hold(message, away.reply)
                raise
            if _claim(message):
                yield message


def _claim(message: Message) -> bool:
    # Whoever claimed it since we read it raised the epoch; whoever settled it changed the state.
    unclaimed = Message.objects.filter(
        pk=message.pk, state=State.QUEUED, lease_epoch=message.lease_epoch
    )
    message.lease_epoch += 1
    message.lease_until = clock.now() + LEASE
    return bool(
        unclaimed.update(
            lease_epoch=message.lease_epoch, lease_until=message.lease_until, held=False
        )
    )


def _hold(message: Message, error: str) -> None:
    """Keep all workers from the server for a while. What has waited too long is given up."""
    now = clock.now()
    queued = Message.objects.filter(state=State.QUEUED)
    queued.filter(pk=message.pk).update(due_at=now + HOLD, held=True, error=error)
    free = queued.filter(Q(lease_until=None) | Q(lease_until__lt=now))
    free.filter(created_at__lt=now - KEEP_TRYING).update(
        state=State.FAILED, settled_at=now, payload={}, error=error
    )


def _settle(message: Message, **changes: Any) -> None:
    mine = Message.objects.filter(
        pk=message.pk, state=State.QUEUED, lease_epoch=message.lease_epoch
    )
    if not mine.update(lease_until=None, **changes):
        raise LeaseLost


def _finish(message: Message, state: State, error: str = "", **kept: str) -> None:
    _settle(message, state=state, settled_at=clock.now(), payload={}, error=error, **kept)


def _deliver(message: Message, server: Server) -> None:
    if not (_is_next(message) and _may_pass(message)):
        return
    if (mail := _compose(message)) and _has_room(message):
        _send(message, mail, server)


def _is_next(message: Message) -> bool:
    """Tell whether the message is the one of its event to go out now. If it is not, it is settled
    or put back.
    """
    siblings = Message.objects.filter(event=message.event, recipient=message.recipient).exclude(
        pk=message.pk
    )
    others = list(siblings.values_list("sequence", "state", "lease_until"))
    if any(sequence > message.sequence for sequence, _, _ in others):
        _finish(message, State.DROPPED, "A newer one replaced it.")
        return False
    if any(state == State.QUEUED and lease and lease > clock.now() for _, state, lease in others):
        _settle(
            message, due_at=clock.now() + BACKOFF[0]
        )  # an older one is being sent this moment: never overtake it
        return False
    return True


def _may_pass(message: Message) -> bool:
    """Tell whether no gate keeps the message back. If one does, it is put aside."""
    people = {who for who in (message.user_id, message.caused_by_id) if who is not None}
    if message.kind in _ungated or not _is_kept_back(people):
        return True
    with transaction.atomic():
        # Whoever opens the gate meanwhile either waits, and then finds the message, or has done so.
        if not _is_kept_back(people):
            return True
        _settle(message, state=State.KEPT_BACK)
    return False


def _is_kept_back(people: Collection[int]) -> bool:
    return bool(people) and any(is_closed(people) for is_closed in _gates)


def _compose(message: Message) -> EmailMessage | None:
    """Return the mail. If there is none to send, the message is settled or put back."""
    try:
        load_composers()
        with little_text() if message.is_unasked else contextlib.nullcontext():
            letter = _composers[message.kind](message)
        mail = mime.email_message(message, letter) if letter else None
    except BadAddress:
        _finish(message, State.FAILED, "This is not one address that a mail can go to.")
        return None
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out, and the message is due again
    except Exception as bug:
        logger.exception("A mail of the kind %s could not be composed.", message.kind)
        _retry(message, f"Could not be composed: {type(bug).__name__}", _backoff(message))
        return None
    if mail is None:
        _finish(message, State.DROPPED)
    return mail


def _has_room(message: Message) -> bool:
    """Count a mail that one person caused to another.

    If there were enough today it waits until the day is over. Then the newest of its event goes.
    """
    sender = message.caused_by_id
    if sender in (None, message.user_id) or message.is_counted:
        return True
    now = clock.now()
    count = count_letter if message.is_unasked else count_caused
    if wait := count(sender, message.recipient):
        if now - message.created_at > KEEP_WAITING:
            _finish(message, State.DROPPED, "Too many others of its sender had to go out.")
        else:
            _settle(message, due_at=now + timedelta(seconds=wait))
        return False
    # Once, however often it is tried.
    message.is_counted = True
    Message.objects.filter(pk=message.pk).update(is_counted=True)
    return True


def _send(message: Message, mail: EmailMessage, server: Server) -> None:
    if message.lease_until and clock.now() > message.lease_until - LONGEST_SEND:
        return _settle(
            message, due_at=clock.now()
        )  # this process slept: too late to be sure to be the only sender
    try:
        server.send(mail)
    except Refused as refusal:
        if refusal.for_good:
            return _finish(message, State.FAILED, refusal.reply)
        return _retry(message, refusal.reply, _wait_after_refusal(message), refused_at=clock.now())
    except ServerAway as away:
        if away.only_this_connection:
            return _retry(message, away.reply, timedelta(), attempts=message.attempts)
        _retry(message, away.reply, HOLD, held=True, attempts=message.attempts)
        raise
    except Exception as bug:
        logger.exception("A mail of the kind %s could not be sent.", message.kind)
        server.close()
        return _retry(message, f"Could not be sent: {type(bug).__name__}", _backoff(message))
    _mark_sent(message, mail)


def _mark_sent(message: Message, mail: EmailMessage) -> None:
    # Without a mail server the account it is for reads it on a page.
    is_kept = message.user_id and mail_folder() and message.kind not in _secret
    kept = {"subject": str(mail.subject), "text": str(mail.body)} if is_kept else {}
    try:
        _finish(message, State.SENT, **kept)
    except (OperationalError, InterfaceError):
        # It went out, so try hard to remember that: an unmarked mail goes out once more.
        connection.close()
        _finish(message, State.SENT, **kept)


def _retry(message: Message, error: str, wait: timedelta, **changes: Any) -> None:
    now = clock.now()
    if now - message.created_at > KEEP_TRYING:
        return _finish(message, State.FAILED, error)
    _settle(
        message,
        **{"due_at": now + wait, "attempts": message.attempts + 1, "error": error, **changes},
    )


def _backoff(message: Message) -> timedelta:
    return BACKOFF[min(message.attempts, len(BACKOFF) - 1)]


def _wait_after_refusal(message: Message) -> timedelta:
    """Return how long to wait after a 4xx.

    Longer each time, but only if the server has accepted other mails in the meantime.
    """
    wait = _backoff(message)
    if (
        message.refused_at
        and Message.objects.filter(state=State.SENT, settled_at__gt=message.refused_at).exists()
    ):
        return wait
    return min(wait, IN_DOUBT)
