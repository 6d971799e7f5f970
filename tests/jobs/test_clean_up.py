"""What is deleted once nobody needs it, and what must stay."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as WebSession
from django_ox.models import OxTask

from commontime.accounts.actions import sign_ins
from commontime.accounts.enums import Door
from commontime.accounts.models import KnownNetwork, Session
from commontime.api.once import REMEMBERED
from commontime.core import clock, limits
from commontime.core.clients import Client
from commontime.core.errors import TooMany
from commontime.core.models import RememberedAnswer, Throttle
from commontime.jobs.tasks import clean_up
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests import build
from tests.access_world import everything_stored

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
KEEP_MAIL = timedelta(days=settings.KEEP_MAIL_DAYS)


@pytest.fixture(autouse=True)
def _mails_lie_elsewhere(settings, tmp_path) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "commontime.mail.backends.FileBackend",
            "OPTIONS": {"folder": str(tmp_path)},
        }
    }


def stays(row: Any) -> bool:
    """Clean up, and say whether the row is still there."""
    clean_up.func()
    return type(row)._base_manager.filter(pk=row.pk).exists()


# Sign-ins -----------------------------------------------------------------------------------------


def sign_in(mina: User, **fields: Any) -> Session:
    session = sign_ins.open_session(mina, door=Door.API, client=Client()).session
    Session.objects.filter(pk=session.pk).update(**fields)
    return session


@pytest.mark.parametrize(
    ("fields", "is_kept"),
    [
        (lambda now: {}, True),
        (lambda now: {"ends_at": now + MINUTE}, True),
        (lambda now: {"ends_at": now - MINUTE}, False),
        (lambda now: {"ended_at": now - MINUTE}, True),
        (lambda now: {"ended_at": now - settings.REFRESH_IDLE + MINUTE}, True),
        (lambda now: {"ended_at": now - settings.REFRESH_IDLE - MINUTE}, False),
    ],
    ids=["holds", "holds for a minute", "ran out", "just ended", "ended lately", "ended long ago"],
)
def test_a_sign_in_goes_when_it_can_tell_nothing_more(
    mina, fields: Callable[..., dict[str, Any]], is_kept
):
    assert stays(sign_in(mina, **fields(clock.now()))) == is_kept


@pytest.mark.parametrize(("ends_in", "is_kept"), [(MINUTE, True), (-MINUTE, False)])
def test_a_cookie_goes_when_it_has_run_out(ends_in, is_kept):
    assert (
        stays(
            WebSession.objects.create(
                session_key="a", session_data="", expire_date=clock.now() + ends_in
            )
        )
        == is_kept
    )


@pytest.mark.parametrize(("early", "is_kept"), [(MINUTE, True), (-MINUTE, False)])
def test_a_network_is_known_for_400_days(mina, early, is_kept):
    sign_in(mina)
    KnownNetwork.objects.update(used_at=clock.now() - 400 * DAY + early)

    assert stays(KnownNetwork.objects.get()) == is_kept


# Answers and limits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "is_kept"),
    [(timedelta(), True), (REMEMBERED - MINUTE, True), (REMEMBERED + MINUTE, False)],
)
def test_an_answer_is_remembered_as_long_as_its_key_is_good(mina, age, is_kept):
    answer = RememberedAnswer.objects.create(
        user=mina, key="again", fingerprint="", created_at=clock.now() - age
    )

    assert stays(answer) == is_kept


def test_a_limit_that_is_used_up_stays_used_up(mina):
    for _ in range(settings.LIMITS["mail_pair"][0]):
        limits.take("mail_pair", 1, 2)
    Throttle.objects.update(started=int((clock.now() - DAY + MINUTE).timestamp()))

    clean_up.func()

    with pytest.raises(TooMany):
        limits.take("mail_pair", 1, 2)


def test_a_limit_that_is_over_is_forgotten():
    limits.take("mail_pair", 1, 2)
    Throttle.objects.update(started=int((clock.now() - DAY - MINUTE).timestamp()))

    assert not stays(Throttle.objects.get())


# Mails --------------------------------------------------------------------------------------------


def message(age: timedelta, state: State) -> Message:
    then = clock.now() - age
    settled = None if state == State.QUEUED else then
    return Message.objects.create(
        kind="x",
        event="x",
        recipient="mina@example.org",
        state=state,
        due_at=then,
        created_at=then,
        settled_at=settled,
    )


@pytest.mark.parametrize("state", [State.SENT, State.DROPPED, State.FAILED])
@pytest.mark.parametrize(
    ("age", "is_kept"), [(KEEP_MAIL - MINUTE, True), (KEEP_MAIL + MINUTE, False)]
)
def test_a_settled_mail_goes_after_its_days(state, age, is_kept):
    assert stays(message(age, state)) == is_kept


def test_a_mail_that_still_waits_stays_however_old_it_is():
    assert stays(message(KEEP_MAIL * 3, State.QUEUED))


@pytest.mark.parametrize(
    ("age", "is_kept"), [(KEEP_MAIL - MINUTE, True), (KEEP_MAIL + MINUTE, False)]
)
def test_a_mail_kept_as_a_file_goes_after_its_days(tmp_path: Path, age, is_kept):
    letter = tmp_path / "letter.eml"
    letter.write_text("Subject: x\n\n")
    then = (clock.now() - age).timestamp()
    os.utime(letter, (then, then))

    clean_up.func()

    assert letter.exists() == is_kept


# Tasks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "age", "is_kept"),
    [
        ("SUCCESSFUL", DAY - MINUTE, True),
        ("SUCCESSFUL", DAY + MINUTE, False),
        ("FAILED", DAY + MINUTE, True),
        ("FAILED", KEEP_MAIL + MINUTE, False),
        ("READY", KEEP_MAIL * 3, True),
        ("RUNNING", KEEP_MAIL * 3, True),
    ],
)
def test_a_task_goes_when_it_is_finished_and_told(status, age, is_kept):
    clean_up.enqueue()
    finished = clock.now() - age if status in ("SUCCESSFUL", "FAILED") else None
    OxTask.objects.update(status=status, finished_at=finished, enqueued_at=clock.now() - age)

    assert stays(OxTask.objects.get()) == is_kept


# Everything else ----------------------------------------------------------------------------------


def test_nothing_of_peoples_own_is_touched_and_cleaning_again_changes_nothing(mina):
    sam, iris = build.user("sam"), build.user("iris", is_active=False)
    calendar = build.calendar(owner=mina, participants=[sam, iris])
    long_ago = clock.now() - timedelta(days=2000)
    meeting = build.meeting(
        calendar=calendar, deadline=long_ago, final_time=long_ago, announced_at=long_ago
    )
    build.window(calendar, sam, long_ago, long_ago + timedelta(hours=3))
    build.suggestion(meeting, sam, long_ago)
    build.invitation(calendar, build.user("lea"), status="declined", answered_at=long_ago)
    before = everything_stored()

    clean_up.func()
    clean_up.func()

    assert everything_stored() == before


def test_each_hour_four_lines_were_printed_between_those_of_the_log(capfd):
    clean_up.func()

    assert capfd.readouterr() == ("", "")
