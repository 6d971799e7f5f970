"""Naming a stranger by id counts like looking up a name, so that nobody can list all accounts."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from commontime.accounts.actions import names
from commontime.calendars.models import Invitation
from tests import build
from tests.client import caller
from tests.pages import Client

pytestmark = pytest.mark.django_db
_UNKNOWN = count(2**31 - 1, -1)
type Name = Callable[..., Any]


def nobody() -> int:
    """An id that nobody has, and that was not asked for yet."""
    return next(_UNKNOWN)


@pytest.fixture(autouse=True)
def _three_an_hour(settings):
    settings.LIMITS = {**settings.LIMITS, "look_up": (3, 3600)}


@pytest.fixture
def eve():
    return caller("eve")


@pytest.fixture(params=["contact", "participant", "invitation"])
def name(request, eve) -> Name:
    """Name somebody by id, at each door that takes the id of anybody."""
    calendar = build.calendar(owner=eve.user)
    path, field, more = {
        "contact": ("/contacts/add/", "contactee", {}),
        "participant": (f"/calendars/{calendar.pk}/participants/", "user", {}),
        "invitation": ("/calendars/invitations/", "receiver", {"calendar": str(calendar.pk)}),
    }[request.param]
    return lambda user_id, **headers: eve.post(path, {field: user_id, **more}, **headers)


def test_ids_of_strangers_count_whether_or_not_there_is_somebody(name):
    strangers = [build.user().pk for _ in range(3)]

    answers = [name(strangers[0]), name(nobody()), name(strangers[1])]
    refused = [name(strangers[2]), name(nobody())]

    assert [answer.status_code for answer in answers] == [201, 400, 201]
    for answer in refused:
        assert (answer.status_code, answer.data["code"]) == (429, "too_many_requests")
        assert "Try again in" in answer.data["detail"]
        assert 0 < int(answer["Retry-After"]) <= 3600


def test_without_the_count_all_accounts_could_be_listed(name, monkeypatch):
    monkeypatch.setattr(names, "count_id", lambda user_id, *, by: None)

    assert [name(build.user().pk).status_code for _ in range(6)] == [201] * 6


def test_the_same_id_again_tells_nothing_new_and_counts_once(name, eve):
    unknown, sam = nobody(), build.user("sam").pk

    assert {name(unknown).status_code for _ in range(5)} == {400}
    assert [name(sam).status_code for _ in range(5)] == [201, *[409] * 4]
    assert name(nobody()).status_code == 400
    assert name(nobody()).status_code == 429


def test_a_retry_key_is_no_way_around(name):
    statuses = [name(nobody(), idempotency_key=f"k{number}").status_code for number in range(4)]

    assert statuses == [400, 400, 400, 429]


def test_whom_one_looked_up_one_can_name_for_an_hour(name, eve, later):
    sam = build.user("sam")
    for _ in range(3):
        found = eve.get("/calendars/get-user-id/sam")
    assert found.data["id"] == sam.pk
    assert name(build.user().pk).status_code == 429

    assert name(sam.pk).status_code == 201


def test_after_an_hour_a_look_up_opens_nothing(name, eve, later):
    sam = build.user("sam")
    eve.get("/calendars/get-user-id/sam")
    later(minutes=61)
    eve.sign_in()
    for _ in range(3):
        name(nobody())

    assert name(sam.pk).status_code == 429


def test_a_look_up_opens_an_id_for_nobody_else(name, eve):
    sam = build.user("sam")
    caller("iris").get("/calendars/get-user-id/sam")
    for _ in range(3):
        name(nobody())

    assert name(sam.pk).status_code == 429


def test_look_ups_and_ids_share_one_limit(name, eve):
    build.user("sam")
    name(nobody())
    assert eve.get("/calendars/get-user-id/nobody").status_code == 404
    assert eve.get("/calendars/get-user-id/sam").status_code == 200

    assert eve.get("/calendars/get-user-id/sam").status_code == 429
    assert name(nobody()).status_code == 429


def test_people_one_shares_a_calendar_with_are_no_strangers(name, eve):
    people = [build.user() for _ in range(5)]
    build.calendar(participants=[eve.user, *people])

    assert [name(person.pk).status_code for person in people] == [201] * 5
    assert eve.get("/calendars/get-user-id/nobody").status_code == 404


def test_contacts_are_no_strangers_but_those_who_keep_me_are(eve):
    calendar = build.calendar(owner=eve.user)
    people = [build.user() for _ in range(5)]
    for person in people[:4]:
        eve.user.contacts.create(contactee=person, created_at=calendar.created_at)
    people[4].contacts.create(contactee=eve.user, created_at=calendar.created_at)
    path = f"/calendars/{calendar.pk}/participants/"

    assert [eve.post(path, {"user": person.pk}).status_code for person in people] == [201] * 5
    left = [eve.get("/calendars/get-user-id/nobody").status_code for _ in range(3)]
    assert left == [404, 404, 429]


def test_names_typed_on_a_page_are_no_ids(eve):
    calendar = build.calendar(owner=eve.user)
    people = [build.user().username for _ in range(5)]
    page = Client()
    page.post("/app/sign-in/", {"identifier": "eve", "password": build.PASSWORD})

    form = {"do": "invite", "who": "\n".join(people)}
    assert page.post(f"/app/calendars/{calendar.pk}/people/", form).status_code == 302
    added = page.post("/app/people/", {"do": "add", "contactee": "\n".join(people)})

    assert added.status_code == 302
    assert Invitation.objects.filter(calendar=calendar).count() == 5
    assert eve.user.contacts.count() == 5


def test_who_may_add_nobody_counts_nothing(eve):
    calendar = build.calendar(participants=[eve.user])
    path = f"/calendars/{calendar.pk}/participants/"

    assert [eve.post(path, {"user": nobody()}).status_code for _ in range(5)] == [403] * 5
    assert eve.get("/calendars/get-user-id/nobody").status_code == 404
