"""Long lists come in pages: a plain array, and a Link to the next with an opaque cursor."""

import base64
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.signing import Signer

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
)
from commontime.contacts.models import Contact
from commontime.core import clock
from tests import build
from tests.api import cast
from tests.api.cast import refused

pytestmark = pytest.mark.django_db

SIZE = 7


def lists(group) -> dict[str, str]:
    """Every list that has pages, with seven rows in it."""
    people = cast.crowd(5)
    CalendarParticipant.objects.bulk_create(
        CalendarParticipant(calendar=group.calendar, user=person) for person in people
    )
    # Of one moment, so that only the ids tell them apart.
    Calendar.objects.bulk_create(Calendar(owner=group.mina.user, name=f"{n}") for n in range(6))
    Calendar.objects.update(created_at=clock.now())
    Meeting.objects.bulk_create(
        Meeting(calendar=group.calendar, deadline=build.day()) for _ in range(5)
    )
    Meeting.objects.update(created_at=clock.now())
    start = build.day(0, days=40)
    NonBusyTime.objects.bulk_create(
        NonBusyTime(
            calendar=group.calendar,
            user=person,
            start_time=start,
            end_time=start + timedelta(hours=1),
        )
        for person in people
    )
    Invitation.objects.bulk_create(
        Invitation(
            calendar=group.calendar,
            sender=group.mina.user,
            email=f"{n}@example.org",
            status="declined",
        )
        for n in range(6)
    )
    Contact.objects.bulk_create(
        Contact(owner=group.mina.user, contactee=person, created_at=clock.now())
        for person in [*people, group.eve.user]
    )
    return {
        "calendars": "/calendars/",
        "participants": group.path + "participants/",
        "windows": group.path + "nonbusytimes/",
        "meetings": group.path + "meetings/",
        "invitations": "/calendars/invitations/?box=sent",
        "contacts": "/contacts/",
    }


KINDS = ["calendars", "participants", "windows", "meetings", "invitations", "contacts"]


def next_of(answer: Any) -> str | None:
    link = answer.headers.get("Link")
    return link and re.fullmatch(r'<http://[^/]+(/.*)>; rel="next"', link)[1]


def sized(path: str, size: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}page_size={size}"


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 1000, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_together_are_the_list(group, kind, size):
    path = lists(group)[kind]
    whole = group.mina.get(path)

    pages, at = [], sized(path, size)
    while at:
        answer = group.mina.get(at)
        pages.append(answer.data)
        at = next_of(answer)

    assert len(whole.data) == SIZE
    assert "Link" not in whole.headers
    assert [row for page in pages for row in page] == whole.data
    assert [len(page) for page in pages] == [size] * (SIZE // size) + (
        [SIZE % size] if SIZE % size else []
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_and_goes_before_a_cursor_does_not_shift_the_rest(group, kind):
    path = lists(group)[kind]
    whole = group.mina.get(path).data
    link = next_of(group.mina.get(sized(path, 3)))

    models = {
        "calendars": Calendar,
        "participants": CalendarParticipant,
        "windows": NonBusyTime,
        "meetings": Meeting,
    }
    model = {**models, "invitations": Invitation, "contacts": Contact}[kind]
    model.objects.filter(
        pk__in=[row["id"] for row in whole[:2]] if kind != "calendars" else [whole[1]["id"]]
    ).exclude(pk=group.calendar.pk).delete()

    assert group.mina.get(link).data == [row for row in whole[3:6] if row["id"] != whole[1]["id"]]


def test_the_list_has_at_most_a_thousand_rows(group):
    Calendar.objects.bulk_create(Calendar(owner=group.eve.user, name=f"{n}") for n in range(1003))

    first = group.eve.get("/calendars/?page_size=100000")
    rest = group.eve.get(next_of(first))

    assert (len(first.data), len(rest.data)) == (1000, 3)
    assert "Link" not in rest.headers


@pytest.mark.parametrize("size", ["0", "-1", "abc", "1e3", "²", "1.5", "9" * 30, "%00"])
@pytest.mark.parametrize(
    "path", ["/calendars/", "/contacts/", "participants/", "nonbusytimes/", "meetings/"]
)
def test_a_page_has_a_whole_number_of_rows(group, path, size):
    path = path if path.startswith("/") else group.path + path

    assert refused(group.mina.get(f"{path}?page_size={size}"), 400, "invalid_input", "page_size")


def forged(group) -> dict[str, str]:
    own = next_of(group.mina.get(sized(lists(group)["calendars"], 2))).rpartition("cursor=")[2]
    keys = [clock.now().isoformat(), str(group.calendar.pk)]
    plain = base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")
    return {
        "changed": own[:-1] + ("A" if own[-1] != "A" else "B"),
        "cut": own[:-5],
        "unsigned": plain,
        "signed for something else": Signer(salt="x").sign_object(keys),
        "garbage": "x",
        "numbers": base64.urlsafe_b64encode(b"[1, 2]").decode(),
        "not text": "%FF%00",
        "very long": "a" * 8000,
    }


@pytest.mark.parametrize(
    "kind",
    [
        "changed",
        "cut",
        "unsigned",
        "signed for something else",
        "garbage",
        "numbers",
        "not text",
        "very long",
    ],
)
def test_a_cursor_that_we_did_not_make_is_refused(group, kind):
    assert refused(
        group.mina.get(f"/calendars/?cursor={forged(group)[kind]}"), 400, "invalid_input", "cursor"
    )


def test_a_cursor_belongs_to_its_list(group):
    paths = lists(group)
    cursor = next_of(group.mina.get(sized(paths["calendars"], 2))).rpartition("cursor=")[2]

    for kind in KINDS[1:]:
        separator = "&" if "?" in paths[kind] else "?"
        assert refused(
            group.mina.get(f"{paths[kind]}{separator}cursor={cursor}"),
            400,
            "invalid_input",
            "cursor",
        )


def test_the_link_keeps_what_was_asked_and_leads_to_our_own_address(group, settings):
    lists(group)
    settings.COMMONTIME_BASE_URL = "https://commontime.example.org"

    link = group.mina.get(
        "/calendars/invitations/?box=sent&status=declined&page_size=2", host="localhost"
    ).headers["Link"]

    assert link.startswith(
        "<https://commontime.example.org/calendars/invitations/"
        "?box=sent&status=declined&page_size=2&cursor="
    )
