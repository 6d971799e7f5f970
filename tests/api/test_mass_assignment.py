"""Fields beyond those of a shape change nothing (cases MA-01 to MA-08, VA-15)."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from commontime.calendars.models import Calendar, Meeting
from tests import build
from tests.api.cast import iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db


def test_the_maker_owns_a_calendar_whatever_is_sent(group):
    chosen = str(uuid4())
    sent = {
        "name": "X",
        "owner": group.sam.user.pk,
        "id": chosen,
        "created_at": "2001-01-01T00:00:00Z",
        "participants": [group.sam.user.pk],
        "version": 99,
        "my_role": "participant",
    }

    answer = group.mina.post("/calendars/", sent)

    assert (answer.status_code, answer.data["owner"], answer.data["my_role"]) == (
        201,
        group.mina.user.pk,
        "owner",
    )
    assert answer.data["id"] != chosen
    assert answer.data["created_at"] > "2026"
    assert len(group.mina.get(answer["Location"] + "participants/").data) == 1


def test_an_edit_does_not_give_a_calendar_away(group):
    before = Calendar.objects.get(pk=group.calendar.pk)

    answer = group.mina.put(
        group.path,
        {
            "owner": group.eve.user.pk,
            "owner_id": group.eve.user.pk,
            "id": str(uuid4()),
            "version": 1,
        },
    )

    assert answer.status_code == 200
    assert (answer.data["owner"], answer.data["id"]) == (group.mina.user.pk, str(group.calendar.pk))
    assert Calendar.objects.get(pk=group.calendar.pk).version == before.version


def test_an_edit_does_not_move_a_meeting_elsewhere(group):
    other = build.calendar(owner=group.mina.user)
    path = f"{group.path}meetings/{group.scheduled.pk}/"
    sent = {
        "calendar": str(other.pk),
        "calendar_id": str(other.pk),
        "id": str(uuid4()),
        "uid": "x",
        "sequence": 7,
        "status": "open",
        "end_time": iso(build.day(20)),
        "announced_at": iso(build.day(1)),
    }

    answer = group.mina.put(path, sent)

    assert answer.data == group.mina.get(path).data
    kept = Meeting.objects.get(pk=group.scheduled.pk)
    assert (kept.calendar_id, kept.sequence, kept.announced_at) == (group.calendar.pk, 0, None)


def test_an_invitation_is_pending_and_from_the_caller_whatever_is_sent(group):
    sent = {
        "calendar": str(group.calendar.pk),
        "receiver": group.eve.user.pk,
        "status": "accepted",
        "sender": group.sam.user.pk,
    }

    answer = group.mina.post("/calendars/invitations/", sent)

    assert (answer.data["status"], answer.data["sender"]) == ("pending", group.mina.user.pk)
    assert refused(group.eve.get(group.path), 403, "not_allowed")


@pytest.mark.parametrize("door", ["sign up", "edit"])
def test_nobody_becomes_staff(group, door):
    sent = {
        "username": "nova",
        "email": "nova@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "id": group.mina.user.pk,
        "groups": [1],
        "user_permissions": [1],
        "last_login": "2001-01-01T00:00:00Z",
        "date_joined": "2001-01-01T00:00:00Z",
        "usersetting": {"who_may_add_me": "contacts"},
        "settings": {"who_may_add_me": "contacts"},
    }
    answer = (
        caller().post("/signup/", sent)
        if door == "sign up"
        else group.eve.post("/profile/edit/", sent)
    )

    assert answer.status_code in (200, 201)
    nova = User.objects.get(username="nova")
    assert (nova.is_staff, nova.is_superuser, nova.is_active, nova.last_login) == (
        False,
        False,
        True,
        None,
    )
    assert (
        nova.pk
        == (answer.data["id"] if door == "sign up" else group.eve.user.pk)
        != group.mina.user.pk
    )
    assert nova.date_joined.year > 2025
    assert nova.usersetting.who_may_add_me == "anyone"


def test_settings_hold_no_secret_to_set(group):
    group.mina.put(
        "/profile/settings/",
        {"feed_hash": "x", "username_key": "sam", "user": group.sam.user.pk, "id": str(uuid4())},
    )

    setting = User.objects.get(pk=group.mina.user.pk).usersetting
    assert (setting.feed_hash, setting.username_key) == (None, "mina")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
def test_a_path_that_names_nothing_makes_nothing(group, method):
    missing = uuid4()

    assert refused(group.mina(method, f"/calendars/{missing}/", {"name": "X"}), 404, "not_found")
    assert not Calendar.objects.filter(pk=missing).exists()


@pytest.mark.parametrize(
    "query",
    [
        "owner=1",
        "owner__password__startswith=a",
        "ordering=owner__password",
        "search=a",
        "fields=password",
        "id=1",
    ],
)
def test_what_a_list_is_not_asked_for_changes_nothing(group, query):
    for path in (
        "/calendars/",
        "/contacts/",
        "/calendars/invitations/",
        group.path + "participants/",
        group.path + "meetings/",
    ):
        assert group.sam.get(f"{path}?{query}").content == group.sam.get(path).content
