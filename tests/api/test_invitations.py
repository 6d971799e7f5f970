"""Invitations, finding people, and emails from one person to another, over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from commontime.calendars.models import Calendar, Invitation, Meeting
from commontime.core import clock
from commontime.mail.models import Message
from tests import build
from tests.api.cast import fields_of, refused
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(group) -> str:
    return f"/calendars/invitations/{group.invitation.pk}/"


def invite(group, **sent):
    return group.mina.post("/calendars/invitations/", {"calendar": str(group.calendar.pk), **sent})


# Invitations --------------------------------------------------------------------------------------


def test_a_person_is_invited_with_what_is_printed(group):
    answer = invite(group, receiver=group.eve.user.pk)

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("InvitationOutput")
    assert (answer.data["status"], answer.data["sender"], answer.data["receiver"]) == (
        "pending",
        group.mina.user.pk,
        group.eve.user.pk,
    )
    assert group.eve.get(answer["Location"]).data == answer.data


def test_an_address_is_invited_without_telling_whether_it_has_an_account(group):
    answers = [invite(group, email=email) for email in ("somebody@example.org", "eve@example.org")]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [(answer.data["receiver"], answer.data["email"]) for answer in answers] == [
        (None, "somebody@example.org"),
        (None, "eve@example.org"),
    ]


def test_one_is_invited_once_at_a_time(group):
    assert refused(invite(group, receiver=group.iris.user.pk), 409, "already_invited")
    assert refused(invite(group, receiver=group.sam.user.pk), 409, "already_participant")


def test_who_declined_is_left_alone_for_a_week(group, path):
    group.iris.put(path, {"status": "declined"})

    assert refused(invite(group, receiver=group.iris.user.pk), 409, "declined_recently")
    Invitation.objects.filter(pk=group.invitation.pk).update(
        answered_at=clock.now() - timedelta(days=7, minutes=1)
    )
    assert invite(group, receiver=group.iris.user.pk).status_code == 201


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "receiver"),
        ({"receiver": 99_999_999}, "receiver"),
        ({"receiver": "eve"}, "receiver"),
        ({"receiver": 7, "email": "a@example.org"}, "receiver"),
        ({"email": "nowhere"}, "email"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "email"),
        ({"receiver": 7, "calendar": "C"}, "calendar"),
        ({"receiver": 7, "calendar": 7}, "calendar"),
    ],
)
def test_an_invitation_is_refused_by_its_bad_field(group, sent, field):
    before = Invitation.objects.count()

    assert refused(invite(group, **sent), 400, "invalid_input", field)
    assert Invitation.objects.count() == before


def test_nobody_invites_themself(group):
    assert refused(invite(group, receiver=group.mina.user.pk), 400, "invalid_input", "receiver")


def test_a_hidden_calendar_in_the_body_is_a_missing_one(group):
    hidden, missing = (
        group.eve.post(
            "/calendars/invitations/", {"calendar": str(name), "receiver": group.sam.user.pk}
        )
        for name in (group.calendar.pk, uuid4())
    )

    assert refused(hidden, 400, "invalid_input", "calendar")
    assert hidden.content == missing.content


def test_only_the_owner_invites(group):
    answer = group.sam.post(
        "/calendars/invitations/",
        {"calendar": str(group.calendar.pk), "receiver": group.eve.user.pk},
    )

    assert refused(answer, 403, "not_allowed")


def test_the_boxes_hold_ones_own(group):
    assert [row["id"] for row in group.iris.get("/calendars/invitations/").data] == [
        str(group.invitation.pk)
    ]
    assert [row["id"] for row in group.mina.get("/calendars/invitations/?box=sent").data] == [
        str(group.invitation.pk)
    ]
    assert group.mina.get("/calendars/invitations/?box=received").data == []
    assert group.iris.get("/calendars/invitations/?status=accepted").data == []
    assert refused(group.iris.get("/calendars/invitations/?box=spam"), 400, "invalid_input", "box")
    assert refused(
        group.iris.get("/calendars/invitations/?status=lost"), 400, "invalid_input", "status"
    )


def test_who_is_invited_sees_the_calendars_name_and_owner_only(group, path):
    shown = group.iris.get(path).data

    assert (shown["calendar_name"], shown["owner_name"]) == ("Choir", "Mina")
    assert refused(group.iris.get(group.path), 403, "not_allowed")


def test_accepting_joins_and_may_be_repeated(group, path):
    first, second = (group.iris.put(path, {"status": "accepted"}) for _ in range(2))

    assert first.status_code == second.status_code == 200
    assert first.data == second.data
    assert first.data["status"] == "accepted"
    assert group.iris.get(group.path).status_code == 200
    assert refused(group.iris.put(path, {"status": "declined"}), 409, "already_answered")


def test_declining_stays_out(group, path):
    assert group.iris.put(path, {"status": "declined"}).data["status"] == "declined"
    assert refused(group.iris.get(group.path), 404, "not_found")
    assert refused(group.iris.put(path, {"status": "accepted"}), 409, "already_answered")


@pytest.mark.parametrize("status", ["pending", "maybe", "", None, 1, ["accepted"]])
def test_an_answer_is_accepted_or_declined(group, path, status):
    assert refused(group.iris.put(path, {"status": status}), 400, "invalid_input", "status")
    assert group.iris.get(path).data["status"] == "pending"


@pytest.mark.parametrize("body", [None, b"", b"{}", b'{"status": "maybe"}', b"["])
def test_a_bad_answer_does_not_tell_that_there_is_an_invitation(group, path, body):
    hidden, missing = (
        group.eve("PUT", path, body),
        group.iris("PUT", f"/calendars/invitations/{uuid4()}/", body),
    )

    assert refused(hidden, 404, "not_found")
    assert hidden.content == missing.content
    assert group.iris("PUT", path, body).status_code == 400


def test_an_answer_that_is_not_json_does_not_tell_either(group, path):
    def answer(who, where):
        plain = {"content_type": "text/plain", "HTTP_AUTHORIZATION": f"Bearer {who.access}"}
        return who.client.put(where, "accepted", **plain).status_code

    assert (
        answer(group.eve, path) == answer(group.iris, f"/calendars/invitations/{uuid4()}/") == 404
    )
    assert answer(group.iris, path) == 415


def test_only_the_one_invited_answers(group, path):
    assert refused(group.mina.put(path, {"status": "accepted"}), 403, "not_allowed")
    assert refused(group.sam.put(path, {"status": "accepted"}), 404, "not_found")


def test_an_invitation_is_taken_back_by_its_sender(group, path):
    assert refused(group.iris.delete(path), 403, "not_allowed")
    assert group.mina.delete(path).status_code == 204
    assert refused(group.iris.put(path, {"status": "accepted"}), 404, "not_found")
    assert refused(group.iris.get(group.path), 404, "not_found")


def test_an_accepted_invitation_is_not_taken_back(group, path):
    group.iris.put(path, {"status": "accepted"})

    assert refused(group.mina.delete(path), 409, "already_accepted")
    assert group.iris.get(group.path).status_code == 200


# Finding people, and mails to them ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["mina", "MINA", "mina/"])
def test_a_user_is_found_by_the_exact_name(group, name):
    answer = group.eve.get(f"/calendars/get-user-id/{name}")

    assert answer.data == {"id": group.mina.user.pk, "username": "mina"}


@pytest.mark.parametrize(
    "name", ["min", "mina%20x", "mina@example.org", "nobody", "gone", "%6d%00", "a" * 5000]
)
def test_a_user_is_not_found_by_anything_else(group, name):
    build.user("gone", is_active=False)

    assert refused(group.eve.get(f"/calendars/get-user-id/{name}"), 404, "not_found")


def test_finding_is_limited(group, settings):
    settings.LIMITS = {**settings.LIMITS, "look_up": (2, 3600)}

    answers = [group.eve.get("/calendars/get-user-id/nobody") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 3600
    assert group.sam.get("/calendars/get-user-id/nobody").status_code == 404


def test_a_mail_is_queued_with_what_is_printed(group):
    answer = group.eve.post("/calendars/send-email/", {"username": "sam"})

    assert answer.status_code == 202
    assert set(answer.data) == {"detail"}
    assert Message.objects.filter(user=group.sam.user).count() == 1


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"username": "nobody"}, 404, "not_found"),
        ({"username": "sam", "kind": "spam"}, 400, "invalid_input"),
        ({"username": "sam", "note": "x" * 501}, 400, "invalid_input"),
        ({"username": "sam", "calendar": str(uuid4())}, 400, "invalid_input"),
        ({"username": "eve", "note": "Hello"}, 403, "no_shared_calendar"),
        ({"username": "sam", "kind": "invitation"}, 400, "invalid_input"),
        ({"username": "sam", "kind": "final"}, 400, "invalid_input"),
        ({"username": ""}, 400, "invalid_input"),
    ],
)
def test_a_mail_that_is_not_sent(group, sent, status, code):
    assert refused(group.mina.post("/calendars/send-email/", sent), status, code)
    assert not Message.objects.exists()


def test_a_note_goes_to_people_with_whom_one_shares_a_calendar(group):
    sent = {"username": "sam", "calendar": str(group.calendar.pk), "note": "See you"}

    assert group.mina.post("/calendars/send-email/", sent).status_code == 202


def test_a_mail_about_a_calendar_is_about_something_there(group):
    """Otherwise nothing would be sent, and the sender would wait for it."""

    def sent(by, username: str, kind: str) -> int:
        return by.post(
            "/calendars/send-email/",
            {"username": username, "calendar": str(group.calendar.pk), "kind": kind},
        ).status_code

    assert {
        kind: sent(group.mina, "eve", kind) for kind in ("reminder", "invitation", "final")
    } == dict.fromkeys(("reminder", "invitation", "final"), 400)
    assert sent(group.mina, "sam", "invitation") == 400
    Meeting.objects.update(final_time=None)
    assert sent(group.mina, "sam", "final") == 400
    assert not Message.objects.exists()
    Meeting.objects.update(final_time=build.day(9))
    build.invitation(group.calendar, group.eve.user)
    assert (
        sent(group.mina, "eve", "invitation")
        == sent(group.mina, "eve", "reminder")
        == sent(group.mina, "sam", "final")
        == 202
    )
    assert (
        sent(group.sam, "eve", "reminder") == 403
    )  # whom the owner invited is not for him to find out


def test_every_participant_could_remind_through_the_api_and_only_the_owner_on_pages(group):
    about = {"calendar": str(group.calendar.pk)}
    page = browser_of(group.sam.user)

    for sent in ({"username": "mina", "kind": "reminder"}, {**about, "username": "mina"}):
        kind = {"kind": "reminder"}
        assert refused(
            group.sam.post("/calendars/send-email/", {**sent, **kind}), 403, "not_allowed"
        )
    seat = group.calendar.participants.get(user=group.mina.user)
    asked = page.post(
        f"/app/calendars/{group.calendar.pk}/people/", {"do": "remind", "participant": str(seat.pk)}
    )

    assert asked.status_code == 403
    assert not Message.objects.exists()


def test_what_is_mailed_without_a_kind_is_a_reminder_of_the_owner_and_a_note_of_others(group):
    about = {"calendar": str(group.calendar.pk)}

    for by, sent in (
        (group.mina, {"username": "sam"}),
        (group.sam, {"username": "mina", **about}),
        (group.eve, {"username": "sam"}),
    ):
        assert by.post("/calendars/send-email/", sent).status_code == 202

    kinds = Message.objects.order_by("created_at").values_list("payload__kind", flat=True)
    assert sorted(kinds) == ["note", "note", "reminder"]


def test_a_second_reminder_within_twelve_hours_is_refused_by_both_doors(group):
    about = {"username": "sam", "calendar": str(group.calendar.pk)}
    seat = group.calendar.participants.get(user=group.sam.user)
    page, people = browser_of(group.mina.user), f"/app/calendars/{group.calendar.pk}/people/"
    pressed = {"do": "remind", "participant": str(seat.pk)}

    assert page.post(people, pressed).status_code == 302
    again = group.mina.post("/calendars/send-email/", about)
    pressed_again = page.post(people, pressed)

    assert refused(again, 429, "reminded_lately")
    assert again.data["detail"] == "You can remind each person once in 12 hours."
    assert 11 * 3600 < int(again["Retry-After"]) <= 12 * 3600
    assert pressed_again.status_code == 429
    assert "You can remind each person once in 12 hours." in pressed_again.text
    assert Message.objects.count() == 1
    note = group.mina.post("/calendars/send-email/", {**about, "kind": "note"})
    assert note.status_code == 202
    with time_machine.travel(clock.now() + timedelta(hours=12, seconds=1)):
        assert page.post(people, pressed).status_code == 302


def test_mails_to_one_person_are_limited(group):
    answers = [group.eve.post("/calendars/send-email/", {"username": "sam"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[5]["Retry-After"]) > 3600


def test_a_muted_sender_is_not_told(group):
    group.sam.put("/profile/settings/", {"muted": ["eve"]})

    assert group.eve.post("/calendars/send-email/", {"username": "sam"}).status_code == 202


def test_a_calendar_in_a_mail_is_one_the_sender_sees(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(is_finalized=True)

    assert (
        group.sam.post(
            "/calendars/send-email/", {"username": "mina", "calendar": str(group.calendar.pk)}
        ).status_code
        == 202
    )
    answer = group.eve.post(
        "/calendars/send-email/", {"username": "mina", "calendar": str(group.calendar.pk)}
    )
    assert refused(answer, 400, "invalid_input", "calendar")
