"""The end of an account: cases DE-01 to DE-07. DE-08 is in test_crashes.py."""

from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from commontime.accounts.models import Mute, Session, UserSetting
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.calendars.tasks import notices
from commontime.contacts.models import Contact
from commontime.core.models import RememberedAnswer
from commontime.jobs.tasks import clean_up
from commontime.mail.models import Message
from tests import build
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db


def delete(who: Caller, **more: Any) -> Any:
    return who.post("/profile/delete/", {"refresh_token": who.refresh, **more})


def methods(mails: Any) -> Counter[tuple[str, str]]:
    """Count the mails by recipient and iCalendar method, "" for none."""
    counts: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        parts = [part for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
        counts[mail.recipients[0], parts[0].get_param("method") if parts else ""] += 1
    return counts


def rows() -> dict[str, int]:
    ignored = {"Message", "OxTask", "Throttle", "Permission", "ContentType"}
    return {
        model.__name__: model.objects.count()
        for model in apps.get_models()
        if model.__name__ not in ignored and model.objects.exists()
    }


def test_what_is_no_token_of_ones_own_deletes_nothing(later):
    """Also in test_tokens.py, with more that is no token."""
    mina, sam = caller("mina"), caller("sam")
    build.calendar(owner=mina.user, participants=[sam.user])
    gone = Caller(user=mina.user).sign_in()
    gone.post("/logout/", {"refresh_token": gone.refresh})
    before = rows()

    for body in (
        {},
        {"refresh_token": sam.refresh},
        {"refresh_token": mina.access},
        {"refresh_token": gone.refresh},
    ):
        assert mina.post("/profile/delete/", body).status_code == 400
    assert caller().post("/profile/delete/", {"refresh_token": mina.refresh}).status_code == 401

    assert rows() == before
    assert not Message.objects.exists()


def test_an_owner_who_goes_takes_the_calendars_along_and_each_attendee_gets_one_cancel(mails, iris):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user, iris])
    for hour in (9, 14):
        meeting = build.meeting(calendar=calendar, title=f"At {hour}")
        mina.put(
            f"/calendars/{calendar.pk}/meetings/{meeting.pk}/",
            {"final_time": build.day(hour).isoformat()},
        )
    mails().clear()

    assert delete(mina).status_code == 204

    assert sam.get(f"/calendars/{calendar.pk}/").status_code == 404
    assert sam.get("/calendars/").data == []
    got = methods(mails())
    assert got == {
        ("sam@example.org", "CANCEL"): 1,
        ("iris@example.org", "CANCEL"): 1,
        ("mina@example.org", ""): 1,
    }
    cancel = next(mail for mail in mails() if mail.recipients == ["sam@example.org"])
    calendars = [
        part.get_content()
        for part in cancel.message.walk()
        if part.get_content_type() == "text/calendar"
    ]
    text = "".join(part if isinstance(part, str) else part.decode() for part in calendars)
    assert text.count("BEGIN:VEVENT") == text.count("STATUS:CANCELLED") == 2


def test_an_owner_can_leave_the_calendars_to_a_participant(mails):
    mina, sam = caller("mina"), caller("sam")
    shared = build.calendar(owner=mina.user, participants=[sam.user], name="Shared")
    lonely = build.calendar(owner=mina.user, name="Lonely")
    before = rows()

    refused = delete(mina, transfer_to=sam.user.pk)

    assert refused.status_code == 400
    assert "transfer_to" in refused.data["fields"]
    assert rows() == before
    mina.delete(f"/calendars/{lonely.pk}/")
    for nobody in (mina.user.pk, 0, 99999, -1):
        assert delete(mina, transfer_to=nobody).status_code == 400
    assert delete(mina, transfer_to=sam.user.pk).status_code == 204
    shared.refresh_from_db()
    assert shared.owner == sam.user
    assert [seat.user for seat in shared.participants.all()] == [sam.user]
    assert ("sam@example.org", "CANCEL") not in methods(mails())


def test_a_participant_who_goes_leaves_others_as_they_were(iris):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user, iris])
    meeting = build.meeting(calendar=calendar, required=[sam.user, iris])
    for person in (sam.user, iris):
        build.window(calendar, person, build.day(9), build.day(12))
        build.suggestion(meeting, person, build.day(9 if person is iris else 10))

    assert delete(sam).status_code == 204

    assert {
        seat["user"]["username"] if isinstance(seat["user"], dict) else seat["username"]
        for seat in people(mina, calendar)
    } == {
        "mina",
        "iris",
    }
    assert [window.user for window in NonBusyTime.objects.all()] == [iris]
    assert [attendee.user for attendee in MeetingAttendee.objects.all()] == [iris]
    authors = {
        s.suggested_time: s.author for s in ScheduleSuggestion.objects.select_related("author")
    }
    assert authors == {build.day(9): iris, build.day(10): None}
    listed = mina.get(f"/calendars/meetings/{meeting.pk}/suggestions/")
    assert listed.status_code == 200
    assert "sam" not in listed.content.decode()
    profile = mina.get(f"/calendars/{calendar.pk}/availability/")
    assert (profile.status_code, profile.data["participants"], profile.data["answered"]) == (
        200,
        2,
        1,
    )


def people(who: Caller, calendar: Calendar) -> Any:
    return who.get(f"/calendars/{calendar.pk}/participants/").data


def test_invitations_contacts_and_mutes_go_both_ways_and_lists_stay_whole():
    mina, sam = caller("mina"), caller("sam")
    mine, theirs = build.calendar(owner=mina.user), build.calendar(owner=sam.user)
    build.invitation(mine, sam.user)
    build.invitation(theirs, mina.user)
    mina.post("/contacts/add/", {"contactee": sam.user.pk})
    sam.post("/contacts/add/", {"contactee": mina.user.pk})
    mina.put("/profile/settings/", {"muted": ["sam"]})
    sam.put("/profile/settings/", {"muted": ["mina"]})

    assert delete(sam).status_code == 204

    assert not Invitation.objects.exists()
    assert not Contact.objects.exists()
    assert not Mute.objects.exists()
    for path in ("/contacts/", "/calendars/invitations/", "/calendars/invitations/?box=sent"):
        assert mina.get(path).data == []
    assert mina.get("/profile/settings/").data["muted"] == []
    assert mina.get("/profile/export/").status_code == 200
    assert mina.get("/calendars/get-user-id/sam/").status_code == 404


def test_of_the_mails_that_waited_only_the_goodbye_goes_out(mails):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    meeting = build.meeting(calendar=calendar)
    mina.put(
        f"/calendars/{calendar.pk}/meetings/{meeting.pk}/", {"final_time": build.day(9).isoformat()}
    )
    notices.tell_from_person(
        mina.user, sam.user, kind="reminder", calendar=calendar, note="", has_agreed=True
    )
    sam.post("/profile/edit/", {"password": "a wholly new password"})
    assert Message.objects.filter(user=sam.user).count() == 3
    sam.sign_in(password="a wholly new password")

    assert delete(sam).status_code == 204

    to_sam = [mail.message["Subject"] for mail in mails() if mail.recipients == ["sam@example.org"]]
    assert to_sam == ["Your account has been deleted"]


def test_nothing_of_a_person_stays_and_a_successor_of_the_same_name_inherits_nothing(mails, later):
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    build.window(calendar, sam.user, build.day(9), build.day(12))
    sam.post("/calendars/", {"name": "Sam's own"}, idempotency_key="a key")
    sam.post("/profile/feed/rotate/")
    mina.post("/contacts/add/", {"contactee": sam.user.pk})
    gone = sam.user.pk

    delete(sam)
    mails()

    for model, fields in holders_of_people().items():
        for field in fields:
            assert not model.objects.filter(**{f"{field}_id": gone}).exists(), (
                f"{model.__name__}.{field}"
            )
    later(days=31)
    clean_up.func()
    assert "sam@example.org" not in everything_stored()
    mina.sign_in()

    successor = caller("sam")
    assert successor.get("/calendars/").data == []
    assert successor.get("/profile/sessions/").data[0]["current"]
    assert len(successor.get("/profile/sessions/").data) == 1
    assert mina.get("/contacts/").data == []
    assert (
        successor.post("/calendars/", {"name": "Another"}, idempotency_key="a key").data["name"]
        == "Another"
    )


def holders_of_people() -> dict[Any, list[str]]:
    """Return every model of ours that refers to a person, with the fields that do."""
    references = {
        model: [field.name for field in model._meta.concrete_fields if field.related_model is User]
        for model in apps.get_models()
        if model.__module__.startswith("commontime.")
    }
    references = {model: fields for model, fields in references.items() if fields}
    assert {
        Session,
        UserSetting,
        Calendar,
        CalendarParticipant,
        NonBusyTime,
        Invitation,
        Contact,
        RememberedAnswer,
        Message,
    } <= references.keys()
    return references


def everything_stored() -> str:
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            texts.append(str(cursor.fetchall()))
    return "\n".join(texts)


def test_deletion_is_all_or_nothing(monkeypatch):
    """What fails at the very end takes everything back."""
    from commontime.accounts.actions import profiles

    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    build.meeting(calendar=calendar, final_time=build.day(9))
    before = rows()

    def fail(user: User) -> None:
        user.delete()
        raise RuntimeError("the very end")

    monkeypatch.setattr(profiles, "erase_account", fail)
    mina.client.raise_request_exception = False

    assert delete(mina).status_code == 500
    assert rows() == before
    assert not Message.objects.exists()
    assert Meeting.objects.get().final_time == build.day(9)


def test_deleting_twice_is_as_if_once(mails):
    mina = caller("mina")
    again = Caller(user=mina.user).sign_in()

    assert delete(mina).status_code == 204
    assert delete(again).status_code == 401

    assert len(mails()) == 1
