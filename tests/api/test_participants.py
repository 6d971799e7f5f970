"""Participants over HTTP."""

import pytest

from commontime.accounts.models import UserSetting
from commontime.calendars.models import CalendarParticipant
from commontime.contacts.models import Contact
from commontime.core import clock
from tests import build
from tests.api.cast import fields_of, refused

pytestmark = pytest.mark.django_db


def seat_of(group, person) -> str:
    seat = CalendarParticipant.objects.get(calendar=group.calendar, user=person.user)
    return f"{group.path}participants/{seat.pk}/"


def test_a_person_is_added_with_what_is_printed(group):
    answer = group.mina.post(group.path + "participants/", {"user": group.eve.user.pk})

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("ParticipantOutput")
    assert (answer.data["user"], answer.data["required"], answer.data["answered"]) == (
        group.eve.user.pk,
        True,
        False,
    )
    assert group.eve.get(answer["Location"]).data == answer.data


def test_adding_somebody_invited_accepts_their_invitation(group):
    assert (
        group.mina.post(
            group.path + "participants/", {"user": group.iris.user.pk, "required": False}
        ).data["required"]
        is False
    )
    assert (
        group.iris.get(f"/calendars/invitations/{group.invitation.pk}/").data["status"]
        == "accepted"
    )


def test_nobody_is_added_twice(group):
    assert refused(
        group.mina.post(group.path + "participants/", {"user": group.sam.user.pk}),
        409,
        "already_participant",
    )


@pytest.mark.parametrize("user", [0, -1, 99_999_999, 2**31, 2**64, None, "7", 7.5, True, [], {}])
def test_nobody_is_added_who_is_nobody(group, user):
    assert refused(
        group.mina.post(group.path + "participants/", {"user": user}), 400, "invalid_input", "user"
    )


def test_a_deactivated_person_is_nobody(group):
    gone = build.user("gone", is_active=False)

    assert refused(
        group.mina.post(group.path + "participants/", {"user": gone.pk}),
        400,
        "invalid_input",
        "user",
    )


def test_who_wants_to_be_asked_must_be_invited(group):
    UserSetting.objects.filter(user=group.eve.user).update(who_may_add_me="contacts")

    assert refused(
        group.mina.post(group.path + "participants/", {"user": group.eve.user.pk}),
        403,
        "invitation_required",
    )

    Contact.objects.create(owner=group.eve.user, contactee=group.mina.user, created_at=clock.now())
    assert (
        group.mina.post(group.path + "participants/", {"user": group.eve.user.pk}).status_code
        == 201
    )


def test_the_list_shows_everybody_without_their_addresses(group):
    answer = group.sam.get(group.path + "participants/")

    assert [row["username"] for row in answer.data] == ["mina", "sam"]
    assert set(answer.data[0]) == fields_of("ParticipantOutput")
    assert b"example.org" not in answer.content
    assert answer.data[1] == group.sam.get(seat_of(group, group.sam)).data


def test_the_owner_says_who_is_required(group):
    answer = group.mina.put(seat_of(group, group.sam), {"required": False})

    assert answer.status_code == 200
    assert (
        answer.data["required"]
        is group.sam.get(seat_of(group, group.sam)).data["required"]
        is False
    )
    assert group.mina.put(seat_of(group, group.sam), {}).data == answer.data
    assert refused(group.sam.put(seat_of(group, group.sam), {"required": True}), 403, "not_allowed")


def test_one_can_leave_and_the_owner_can_not(group):
    mine, owners = seat_of(group, group.sam), seat_of(group, group.mina)

    assert refused(group.sam.delete(owners), 403, "not_allowed")
    assert refused(group.mina.delete(owners), 409, "owner_stays")
    assert group.sam.delete(mine).status_code == 204
    assert refused(group.sam.get(group.path), 404, "not_found")
    assert refused(group.mina.delete(mine), 404, "not_found")


def test_a_participant_of_another_calendar_is_not_here(group):
    other = build.calendar(owner=group.mina.user)
    elsewhere = seat_of(group, group.sam).replace(str(group.calendar.pk), str(other.pk))

    assert refused(group.mina.get(elsewhere), 404, "not_found")
    assert refused(group.mina.delete(elsewhere), 404, "not_found")
    assert group.sam.get(group.path).status_code == 200
