"""Sending again: cases IM-01 and IM-03. Parallel requests, restarts and cut connections are in
test_races.py and test_crashes.py.
"""

from typing import Any

import pytest

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core.models import RememberedAnswer
from commontime.mail.models import Message
from tests import build
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db
KEY = {"idempotency_key": "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"}


def create(who: Caller, name: str = "Choir", **headers: str) -> Any:
    return who.post("/calendars/", {"name": name}, **(headers or KEY))


def test_the_same_request_with_the_same_key_is_answered_again_not_done_again():
    mina = caller("mina")

    first = create(mina)
    answers = [create(mina) for _ in range(3)] + [mina.post("/calendars", {"name": "Choir"}, **KEY)]

    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first
    for again in answers:
        assert (again.status_code, again.content, again["Location"]) == (
            201,
            first.content,
            first["Location"],
        )
        assert again["Idempotency-Replayed"] == "true"
        assert again["Cache-Control"] == "no-store"
    assert Calendar.objects.count() == 1


def test_another_body_or_path_under_the_same_key_is_refused():
    mina = caller("mina")
    create(mina)

    for answer in (
        create(mina, "Orchestra"),
        mina.post("/contacts/add/", {"name": "Choir"}, **KEY),
    ):
        assert (answer.status_code, answer.data["code"]) == (422, "idempotency_key_reused")

    assert [calendar.name for calendar in Calendar.objects.all()] == ["Choir"]


def test_keys_are_each_persons_own():
    mina, sam = caller("mina"), caller("sam")

    assert create(mina).data["id"] != create(sam, "Band").data["id"]

    assert sorted(calendar.name for calendar in Calendar.objects.all()) == ["Band", "Choir"]


def test_after_a_day_a_key_is_forgotten(later):
    mina = caller("mina")
    create(mina)

    later(hours=23)
    mina.sign_in()
    assert create(mina)["Idempotency-Replayed"] == "true"
    later(hours=2)
    mina.sign_in()

    assert "Idempotency-Replayed" not in create(mina)
    assert Calendar.objects.count() == 2


def test_a_refusal_is_not_remembered(sam):
    mina = caller("mina")

    refused = mina.post("/contacts/add/", {"contactee": "nobody"}, **KEY)
    clash = [
        mina.post("/contacts/add/", {"contactee": sam.pk}, idempotency_key=f"key {n}").status_code
        for n in range(2)
    ]

    assert refused.status_code == 400
    assert clash == [201, 409]
    assert (
        mina.post("/contacts/add/", {"contactee": build.user("iris").pk}, **KEY).status_code == 201
    )


def test_a_replay_needs_a_sign_in_that_holds():
    mina = caller("mina")
    create(mina)
    mina.post("/logout/", {"refresh_token": mina.refresh})

    assert create(mina).status_code == 401


@pytest.mark.parametrize("key", ["x" * 256, "tab\there", "é\x07"])
def test_a_key_that_is_none_is_refused(key):
    mina = caller("mina")

    assert create(mina, idempotency_key=key).status_code == 400

    assert not Calendar.objects.exists()


def test_every_post_that_makes_something_makes_it_once(mails):
    """The rows, and also the mails."""
    mina, sam = caller("mina"), caller("sam")
    iris, noor = build.user("iris"), build.user("noor")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    meeting = build.meeting(calendar=calendar)
    moment = build.day
    posts = {
        "/calendars/": {"name": "Band"},
        f"/calendars/{calendar.pk}/participants/": {"user": iris.pk},
        f"/calendars/{calendar.pk}/nonbusytimes/": {
            "start_time": moment(9).isoformat(),
            "end_time": moment(10).isoformat(),
        },
        f"/calendars/{calendar.pk}/meetings/": {"deadline": moment(9).isoformat()},
        f"/calendars/meetings/{meeting.pk}/suggestions/": {"suggested_time": moment(9).isoformat()},
        "/calendars/invitations/": {"calendar": str(calendar.pk), "receiver": noor.pk},
        "/calendars/send-email/": {"username": "sam"},
        "/contacts/add/": {"contactee": sam.user.pk},
        f"/calendars/{calendar.pk}/duplicate/": {"shift_days": 7},
    }

    for number, (path, body) in enumerate(posts.items()):
        first, second = (mina.post(path, body, idempotency_key=f"key {number}") for _ in range(2))
        assert first.status_code in (200, 201, 202), (path, first.content)
        assert (second.status_code, second.content) == (first.status_code, first.content), path
        assert second["Idempotency-Replayed"] == "true", path

    counts = {
        model.__name__: model.objects.count()
        for model in (Calendar, Meeting, NonBusyTime, ScheduleSuggestion, Contact)
    }
    assert counts == {
        "Calendar": 3,
        "Meeting": 4,
        "NonBusyTime": 1,
        "ScheduleSuggestion": 1,
        "Contact": 1,
    }
    assert CalendarParticipant.objects.filter(calendar=calendar).count() == 3
    assert Invitation.objects.filter(calendar=calendar).count() == 1
    assert (
        Message.objects.filter(kind="added").count()
        == Message.objects.filter(recipient="noor@example.org").count()
        == 1
    )


def test_answers_with_secrets_lie_in_no_table():
    mina = caller("mina")

    for path, body in (
        ("/profile/feed/rotate/", {}),
        ("/profile/edit/", {"password": "a wholly new password"}),
    ):
        assert mina.post(path, body, **KEY).status_code == 200
        mina.access = ""
        mina.sign_in(password="a wholly new password" if path.endswith("edit/") else build.PASSWORD)

    kept = b"".join(bytes(answer.body) for answer in RememberedAnswer.objects.all())
    assert b"access" not in kept
    assert b"/feeds/" not in kept


def test_deleting_again_finds_nothing():
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    meeting = build.meeting(calendar=calendar)
    suggestion = build.suggestion(meeting, mina.user, build.day(9))
    window = build.window(calendar, mina.user, build.day(9), build.day(10))
    seat = calendar.participants.get(user=sam.user)
    invitation = build.invitation(calendar, build.user("iris"))
    mina.post("/contacts/add/", {"contactee": sam.user.pk})
    elsewhere = Caller(user=mina.user).sign_in()
    session = next(s for s in mina.get("/profile/sessions/").data if not s["current"])
    assert elsewhere.access

    for path in (
        f"/calendars/meetings/{meeting.pk}/suggestions/{suggestion.pk}/",
        f"/calendars/{calendar.pk}/nonbusytimes/{window.pk}/",
        f"/calendars/{calendar.pk}/participants/{seat.pk}/",
        f"/calendars/{calendar.pk}/meetings/{meeting.pk}/",
        f"/calendars/invitations/{invitation.pk}/",
        "/contacts/delete/sam/",
        f"/profile/sessions/{session['id']}/",
        f"/calendars/{calendar.pk}/",
    ):
        assert [mina.delete(path).status_code for _ in range(3)] == [204, 404, 404], path


def test_a_change_that_changes_nothing_tells_nobody(mails):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/{calendar.pk}/meetings/{meeting.pk}/"
    final = {"final_time": build.day(9).isoformat()}
    mina.put(path, final)
    mina.put(f"/calendars/{calendar.pk}/", {"name": "Choir"})
    sent = len(mails())
    meeting.refresh_from_db()

    for _ in range(3):
        assert mina.put(path, final).status_code == 200
        assert (
            mina.put(
                f"/calendars/{calendar.pk}/", {"name": "Choir", "is_finalized": False}
            ).status_code
            == 200
        )

    assert len(mails()) == sent
    assert Meeting.objects.get().sequence == meeting.sequence
