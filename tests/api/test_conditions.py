"""ETag, If-None-Match and If-Match: readers see changes, and writers change only what they read."""

from typing import Any
from uuid import uuid4

import pytest

from commontime.calendars.models import CalendarParticipant
from tests import build
from tests.api.cast import iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db


def singles(group) -> dict[str, tuple[Any, str, dict[str, Any]]]:
    """Every kind of single object: who owns it, where it is, and a change of it."""
    seat = CalendarParticipant.objects.get(calendar=group.calendar, user=group.sam.user)
    return {
        "calendar": (group.mina, group.path, {"name": "Band"}),
        "participant": (group.mina, f"{group.path}participants/{seat.pk}/", {"required": False}),
        "window": (
            group.sam,
            f"{group.path}nonbusytimes/{group.window.pk}/",
            {"preference_level": 1},
        ),
        "meeting": (
            group.mina,
            f"{group.path}meetings/{group.meeting.pk}/",
            {"title": "Rehearsal"},
        ),
        "invitation": (
            group.iris,
            f"/calendars/invitations/{group.invitation.pk}/",
            {"status": "declined"},
        ),
        "settings": (group.mina, "/profile/settings/", {"week_start": "sunday"}),
    }


KINDS = ["calendar", "participant", "window", "meeting", "invitation", "settings"]


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_the_current_state_gets_304(group, kind):
    owner, path, change = singles(group)[kind]
    tag = owner.get(path)["ETag"]

    for asked in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = owner(method, path, if_none_match=asked)
            assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)

    assert owner.put(path, change).status_code == 200
    assert owner.get(path, if_none_match=tag).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_with_a_stale_tag_is_412(group, kind):
    owner, path, change = singles(group)[kind]
    before = owner.get(path)

    for method in ("PUT", "PATCH") if kind == "settings" else ("PUT", "PATCH", "DELETE"):
        assert refused(owner(method, path, change, if_match='"stale"'), 412, "stale")

    assert owner.get(path).content == before.content


@pytest.mark.parametrize("kind", ["calendar", "meeting"])
def test_who_may_not_change_it_is_told_so_whatever_tag_they_send(group, kind):
    _, path, change = singles(group)[kind]

    for method in ("PUT", "PATCH", "DELETE"):
        for tag in ('"stale"', group.sam.get(path)["ETag"], "*"):
            assert refused(group.sam(method, path, change, if_match=tag), 403, "not_allowed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_the_present_state_is_made_and_tells_the_next_tag(group, kind):
    owner, path, change = singles(group)[kind]

    answer = owner.put(path, change, if_match=owner.get(path)["ETag"])

    assert answer.status_code == 200
    assert answer["ETag"] == owner.get(path)["ETag"]


@pytest.mark.parametrize("kind", ["calendar", "participant", "window", "meeting"])
def test_the_present_state_can_be_deleted(group, kind):
    owner, path, _ = singles(group)[kind]

    assert owner.delete(path, if_match=owner.get(path)["ETag"]).status_code == 204
    assert refused(owner.get(path), 404, "not_found")


def test_a_star_stands_for_any_state(group):
    assert group.mina.put(group.path, {"name": "Band"}, if_match="*").status_code == 200
    assert refused(
        group.mina.put(f"/calendars/{uuid4()}/", {"name": "Band"}, if_match="*"), 404, "not_found"
    )


def test_a_condition_does_not_tell_a_stranger_that_something_is_there(group):
    for tag in ("*", group.mina.get(group.path)["ETag"], '"stale"'):
        hidden, missing = (
            group.eve.put(path, {"name": "X"}, if_match=tag)
            for path in (group.path, f"/calendars/{uuid4()}/")
        )
        assert refused(hidden, 404, "not_found")
        assert hidden.content == missing.content
    assert refused(caller().put(group.path, {"name": "X"}, if_match="*"), 401, "not_authenticated")


def test_what_was_just_created_has_the_tag_that_reading_it_shows(group):
    start, end = iso(build.day(20)), iso(build.day(21))
    answers = [
        (
            group.mina,
            group.mina.post("/calendars/", {"name": "Choir", "window_start": "2031-01-06T09:00"}),
        ),
        (group.mina, group.mina.post(group.path + "participants/", {"user": group.eve.user.pk})),
        (
            group.sam,
            group.sam.post(group.path + "nonbusytimes/", {"start_time": start, "end_time": end}),
        ),
        (
            group.mina,
            group.mina.post(
                group.path + "meetings/", {"deadline": start, "required": [group.sam.user.pk]}
            ),
        ),
        (
            group.mina,
            group.mina.post(
                "/calendars/invitations/",
                {"calendar": str(group.calendar.pk), "email": "a@example.org"},
            ),
        ),
        (group.mina, group.mina.post(group.path + "duplicate/", {"shift_days": 1})),
    ]

    for who, made in answers:
        assert made.status_code == 201
        assert who.get(made["Location"])["ETag"] == made["ETag"]


def test_a_warning_beside_the_object_is_no_part_of_its_state(group):
    path = f"{group.path}meetings/{group.meeting.pk}/"

    warned = group.mina.put(path, {"final_time": iso(build.day(20))})

    assert warned.data["warnings"]
    assert warned["ETag"] == group.mina.get(path)["ETag"]
    assert group.mina.put(path, {"final_time": None}, if_match=warned["ETag"]).status_code == 200


def test_the_state_of_a_meeting_includes_who_can_come(group):
    path = f"{group.path}meetings/{group.scheduled.pk}/"
    tag = group.mina.get(path)["ETag"]

    group.sam.delete(f"{group.path}nonbusytimes/{group.window.pk}/")

    assert group.mina.get(path)["ETag"] != tag


def test_an_edit_of_the_profile_can_be_conditional(group):
    tag = group.eve.get("/profile/")["ETag"]

    edited = group.eve.post("/profile/edit/", {"first_name": "Eva"}, if_match=tag)

    assert edited.status_code == 200
    assert edited["ETag"] == group.eve.get("/profile/")["ETag"]
    assert refused(
        group.eve.post("/profile/edit/", {"first_name": "Evi"}, if_match=tag), 412, "stale"
    )
    assert group.eve.get("/profile/").data["first_name"] == "Eva"


def test_a_suggestion_can_be_withdrawn_conditionally(group):
    made = group.sam.post(
        f"/calendars/meetings/{group.meeting.pk}/suggestions/",
        {"suggested_time": iso(build.day(13))},
    )
    path = f"{made['Location']}{made.data['id']}/"

    assert refused(group.sam.delete(path, if_match='"stale"'), 412, "stale")
    assert group.sam.delete(path, if_match=made["ETag"]).status_code == 204


def test_the_availability_has_a_tag_that_a_change_of_times_changes(group):
    path = f"{group.path}availability/"
    tag = group.sam.get(path)["ETag"]

    assert group.sam.get(path, if_none_match=tag).status_code == 304
    group.sam.put(f"{group.path}nonbusytimes/{group.window.pk}/", {"preference_level": 1})
    assert group.sam.get(path, if_none_match=tag).status_code == 200


def test_a_refused_conditional_change_leaves_nothing_behind(group):
    """The refusal comes inside the transaction of the condition."""
    tag = group.mina.get(group.path)["ETag"]

    assert refused(
        group.mina.put(group.path, {"is_finalized": True, "strict": True}, if_match=tag),
        409,
        "meeting_still_open",
    )
    assert group.mina.get(group.path)["ETag"] == tag
