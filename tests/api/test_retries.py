"""A POST with an Idempotency-Key is done once per person and key, for 24 hours (case IM-01)."""

from datetime import timedelta

import pytest

from commontime.accounts.models import Session
from commontime.api.once import Once
from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.core import clock
from commontime.core.models import RememberedAnswer, Throttle
from commontime.mail.models import Message
from tests import build
from tests.api.cast import iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db

KEY = "7b4a6a2e"
CHOIR = {"name": "Choir"}


def made_by(person) -> int:
    return Calendar.objects.filter(owner=person.user).count()


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(group):
    first, again = (group.eve.post("/calendars/", CHOIR, idempotency_key=KEY) for _ in range(2))

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert first["ETag"] == again["ETag"]
    assert again["Content-Type"] == "application/json"
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert made_by(group.eve) == 1


def test_without_remembering_it_would_happen_twice(group, monkeypatch):
    """The same with the guard off."""
    monkeypatch.setattr(Once, "begin", lambda *about, **more: None)

    for _ in range(2):
        assert group.eve.post("/calendars/", CHOIR, idempotency_key=KEY).status_code == 201

    assert made_by(group.eve) == 2


@pytest.mark.parametrize("change", ["body", "path", "query"])
def test_a_key_belongs_to_one_request(group, change):
    group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)
    path = {"path": "/contacts/add/", "query": "/calendars/?a=b"}.get(change, "/calendars/")

    answer = group.eve.post(
        path, {"name": "Band"} if change == "body" else CHOIR, idempotency_key=KEY
    )

    assert refused(answer, 422, "idempotency_key_reused")
    assert made_by(group.eve) == 1


def test_the_other_spelling_of_a_path_is_the_same_request(group):
    first, again = (
        group.eve.post(path, CHOIR, idempotency_key=KEY) for path in ("/calendars/", "/calendars")
    )

    assert first.content == again.content
    assert made_by(group.eve) == 1


def test_a_key_belongs_to_one_person(group):
    answers = [
        person.post("/calendars/", CHOIR, idempotency_key=KEY) for person in (group.eve, group.iris)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].data["id"] != answers[1].data["id"]


def test_a_person_keeps_their_keys_in_another_sign_in(group):
    first = group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)

    assert (
        caller(group.eve.user).post("/calendars/", CHOIR, idempotency_key=KEY).content
        == first.content
    )


def test_who_was_removed_does_not_get_the_old_answer(group):
    asked = {
        f"{group.path}nonbusytimes/": {
            "start_time": iso(build.day(18)),
            "end_time": iso(build.day(19)),
        },
        f"/calendars/meetings/{group.meeting.pk}/suggestions/": {
            "suggested_time": iso(build.day(15))
        },
    }
    for number, (path, sent) in enumerate(asked.items()):
        assert group.sam.post(path, sent, idempotency_key=f"{KEY}{number}").status_code == 201
    actions.remove_participant(
        CalendarParticipant.objects.select_related("calendar", "user").get(user=group.sam.user),
        by=group.mina.user,
    )

    for number, (path, sent) in enumerate(asked.items()):
        again = group.sam.post(path, sent, idempotency_key=f"{KEY}{number}")
        assert refused(again, 404, "not_found")
        assert again.content == group.sam.post(path, sent).content
        assert "Idempotency-Replayed" not in again
    assert RememberedAnswer.objects.count() == 2


def test_who_owned_the_calendar_does_not_get_the_owners_answers_again(group):
    asked = {
        "plan/": {},
        "one-on-ones/": {"deadline": iso(build.day(20))},
        "transfer/": {"user": group.sam.user.pk},
    }

    first = {
        path: group.mina.post(group.path + path, sent, idempotency_key=path)
        for path, sent in asked.items()
    }
    again = {
        path: group.mina.post(group.path + path, sent, idempotency_key=path)
        for path, sent in asked.items()
    }

    assert [answer.status_code for answer in first.values()] == [200, 201, 200]
    assert refused(again["plan/"], 403, "not_allowed")
    assert refused(again["one-on-ones/"], 403, "not_allowed")
    # That it is somebody else's now is what they were answered.
    assert (again["transfer/"].status_code, again["transfer/"].content) == (
        200,
        first["transfer/"].content,
    )


def test_a_key_is_forgotten_after_a_day(group):
    group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)
    kept = RememberedAnswer.objects.filter(user=group.eve.user)

    kept.update(created_at=clock.now() - timedelta(hours=24) + timedelta(minutes=1))
    assert (
        group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)["Idempotency-Replayed"] == "true"
    )
    kept.update(created_at=clock.now() - timedelta(hours=24))
    assert "Idempotency-Replayed" not in group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)

    assert made_by(group.eve) == 2


def test_an_answer_without_a_body_is_given_again_too(group):
    other = caller(group.eve.user)

    answers = [
        group.eve.post("/logout/", {"refresh_token": other.refresh}, idempotency_key=KEY)
        for _ in range(2)
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert answers[1]["Idempotency-Replayed"] == "true"


def test_a_refusal_is_not_remembered(group):
    """Or a client could never repeat what it sent too early."""
    start = iso(build.day(20))
    sent = {"calendar": str(group.calendar.pk), "receiver": group.eve.user.pk}
    group.mina.put(group.path, {"is_finalized": True})
    assert refused(
        group.mina.post("/calendars/invitations/", sent, idempotency_key=KEY),
        409,
        "calendar_finalized",
    )

    group.mina.put(group.path, {"is_finalized": False})

    assert group.mina.post("/calendars/invitations/", sent, idempotency_key=KEY).status_code == 201
    assert refused(
        group.mina.post(group.path + "meetings/", {"deadline": start}, idempotency_key=KEY),
        422,
        "idempotency_key_reused",
    )


def test_a_repeated_invitation_sends_one_mail(group):
    sent = {"calendar": str(group.calendar.pk), "receiver": group.eve.user.pk}

    for _ in range(3):
        assert (
            group.mina.post("/calendars/invitations/", sent, idempotency_key=KEY).status_code == 201
        )

    assert Message.objects.filter(user=group.eve.user).count() == 1


@pytest.mark.parametrize("key", ["x" * 256, "tab\tkey"])
def test_a_key_that_is_none_is_refused(group, key):
    assert refused(group.eve.post("/calendars/", CHOIR, idempotency_key=key), 400, "invalid_input")
    assert made_by(group.eve) == 0


def test_a_key_means_nothing_without_a_sign_in_or_on_other_methods(group):
    assert refused(
        caller().post("/calendars/", CHOIR, idempotency_key=KEY), 401, "not_authenticated"
    )
    for path in ("/login/", "/token/"):
        answers = [
            caller().post(
                path, {"username": "sam", "password": build.PASSWORD}, idempotency_key=KEY
            )
            for _ in range(2)
        ]
        assert answers[0].data["refresh"] != answers[1].data["refresh"]
    assert group.mina.put(group.path, {"name": "A"}, idempotency_key=KEY).data["name"] == "A"
    assert group.mina.put(group.path, {"name": "B"}, idempotency_key=KEY).data["name"] == "B"

    assert not RememberedAnswer.objects.exists()


def test_our_own_mistake_undoes_all_and_frees_the_key(group, monkeypatch):
    finish = Once.finish

    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(Once, "finish", fail)
    with pytest.raises(ZeroDivisionError):
        group.eve.post("/calendars/", CHOIR, idempotency_key=KEY)
    assert made_by(group.eve) == 0

    monkeypatch.setattr(Once, "finish", finish)
    assert group.eve.post("/calendars/", CHOIR, idempotency_key=KEY).status_code == 201


def test_an_account_can_be_deleted_with_a_key(group):
    """The answer is deleted with the account; storing it was a server error."""
    answer = group.eve.post(
        "/profile/delete/", {"refresh_token": group.eve.refresh}, idempotency_key=KEY
    )

    assert answer.status_code == 204
    assert not RememberedAnswer.objects.exists()


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/profile/feed/rotate/", {}), ("/profile/edit/", {"password": "another long secret"})],
)
def test_an_answer_with_a_secret_is_not_kept(group, path, sent):
    """Tokens and the feed's address are stored only as hashes; a stored answer would show them."""
    assert group.eve.post(path, sent, idempotency_key=KEY).status_code == 200
    assert not RememberedAnswer.objects.exists()


@pytest.mark.parametrize("header", ["idempotency_key", "if_match"])
def test_a_wrong_password_counts_whatever_the_headers(group, header):
    """A refusal inside a transaction undid its own count, so passwords could be guessed without
    end.
    """
    Session.objects.filter(user=group.eve.user).update(created_at=clock.now() - timedelta(hours=1))
    Throttle.objects.all().delete()
    sent = {"password": "another long secret", "current_password": "wrong"}

    answers = [group.eve.post("/profile/edit/", sent, **{header: "*"}) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [403] * 10 + [429]


def test_a_limit_counts_with_a_key_too(group, settings):
    settings.LIMITS = {**settings.LIMITS, "mail_pair": (2, 3600)}

    answers = [
        group.eve.post("/calendars/send-email/", {"username": "sam"}, idempotency_key=str(n))
        for n in range(3)
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
