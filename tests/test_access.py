"""Who may do what: tests/access-matrix.csv, asked over HTTP.

Then what a table can't say: cases ID-01 to ID-18 of the security design.
"""

import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from inspect import isclass, isfunction
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpResponse
from django.test import override_settings
from django.urls import clear_url_caches, get_resolver
from django.views.decorators.http import require_safe
from rest_framework.views import APIView

from commontime.accounts import queries as accounts
from commontime.accounts import rules as account_rules
from commontime.accounts.models import Mute, Session, UserSetting
from commontime.calendars import queries
from commontime.calendars import rules as calendar_rules
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
    Plan,
    ScheduleSuggestion,
)
from commontime.calendars.queries.people import Roster
from commontime.contacts import queries as contacts
from commontime.contacts.models import Contact
from commontime.core import clock, rows
from commontime.core.errors import NotFound
from commontime.core.routes import route
from commontime.mail import outbox
from commontime.mail import queries as mail
from commontime.mail.models import Message
from tests import build
from tests.access_world import (
    ANYBODY,
    LATER,
    NAMES,
    ROLES,
    ROWS,
    SHARED,
    Person,
    Row,
    World,
    everything_stored,
    rolled_back,
)
from tests.routes import url_patterns

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """One world for all questions; what a question changes is rolled back.

    Passwords are hashed quickly.
    """
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with quick, django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


# The matrix (ID-01) -------------------------------------------------------------------------------


def routes() -> dict[str, Any]:
    """Return every path of the product as the matrix writes it, with its view."""
    views: dict[str, Any] = {}
    for pattern in url_patterns():
        path = "/" + re.sub(
            r"<(?:\w+:)?(\w+)>",
            lambda match: f"{{{NAMES.get(match[1], match[1])}}}",
            str(pattern.pattern),
        )
        views.setdefault(path, pattern.callback)
    return views


def in_the_matrix(path: str) -> str:
    """Return the path as the matrix writes it.

    It has more names than the routes, and some paths without a slash at the end.
    """
    renamed = {
        "/app/mail/stop/{token}/": "/app/mail/stop/{stop}/",
        "/app/invitations/{token}/": "/app/invitations/{link}/",
        "/app/confirm/{token}/": "/app/confirm/{confirm}/",
    }
    path = renamed.get(path, path)
    return (
        path.rstrip("/")
        if path.endswith(("z/", ".ics/", "{username}/")) and "contacts" not in path
        else path
    )


def methods_of(world: World, path: str, view: Any) -> list[str]:
    """Return the methods that a view class has, or that a function does not refuse."""
    if shown := getattr(view, "cls", None):
        return [method for method in METHODS if hasattr(shown, method.lower())]
    row = Row("page", "", path, {})
    answers = {}
    for method in METHODS:
        with rolled_back():
            answers[method] = (
                world.people["mina"]
                .browse(method, path.format(**world.things(row, world.people["mina"])))
                .status_code
            )
    return [method for method, status in answers.items() if status != 405]


def answered(world: World) -> set[str]:
    """Return everything the product answers, as "METHOD /path/"."""
    return {
        f"{method} {path}"
        for raw, view in routes().items()
        for path in [in_the_matrix(raw)]
        for method in methods_of(world, path, view)
    }


def test_every_route_and_method_is_in_the_matrix(world):
    assert answered(world) == {str(row) for row in ROWS}


class Forgotten(APIView):
    def get(self, request: Any) -> None: ...

    def delete(self, request: Any) -> None: ...


@pytest.mark.parametrize(
    ("view", "unknown"),
    [
        (Forgotten, {"GET /calendars/forgotten/", "DELETE /calendars/forgotten/"}),
        (require_safe(lambda request: HttpResponse()), {"GET /calendars/forgotten/"}),
        (lambda request: HttpResponse(), {f"{method} /calendars/forgotten/" for method in METHODS}),
    ],
    ids=["class", "function", "function that takes everything"],
)
def test_a_route_in_no_row_would_be_noticed(world, monkeypatch, view, unknown):
    patterns = [route("calendars/forgotten/", view), *get_resolver().url_patterns]
    monkeypatch.setattr(import_module(settings.ROOT_URLCONF), "urlpatterns", patterns)
    clear_url_caches()
    try:
        assert answered(world) - {str(row) for row in ROWS} == unknown
    finally:
        monkeypatch.undo()
        clear_url_caches()


def test_no_row_stands_twice():
    rows = [str(row) for row in [*ROWS, *LATER]]

    assert len(rows) == len(set(rows))


def asked(world: World, row: Row, role: str) -> list[tuple[str, Person]]:
    """Return everybody in the role.

    Where the header is not read at all, two bad tokens are enough.
    """
    people = list(world.who(role).items())
    return (
        people[-2:] if role == "bad" and row.cells["bad"] == row.cells["anon"] == "200" else people
    )


def differences(world: World, row: Row, roles: tuple[str, ...] = ROLES) -> list[str]:
    """Return where the product differs from the row of the matrix.

    A refusal or a look that changes something is a difference, too.
    """
    differing = []
    for role in roles:
        for name, person in asked(world, row, role):
            for whose, expected in row.expected(role).items():
                answer, changed = world.ask(row, person, whose)
                if answer.status_code != expected:
                    differing.append(
                        f"{role} ({name}) {whose}: {answer.status_code}, not {expected}: "
                        f"{answer.content[:150]!r}"
                    )
                if answer.status_code == 401 and answer.get("WWW-Authenticate") != "Bearer":
                    differing.append(f"{role} ({name}): 401 does not say how to sign in")
                if changed and (row.method == "GET" or answer.status_code >= 400):
                    differing.append(
                        f"{role} ({name}) {whose}: {answer.status_code}, but something changed"
                    )
    return differing


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_matrix_holds(world, row):
    assert differences(world, row) == []


@pytest.mark.parametrize("role", ["stranger", "owner"])
def test_a_look_or_a_refusal_that_changes_something_would_be_noticed(world, monkeypatch, role):
    require = queries.path.Target.require_calendar

    def note_and_require(target: queries.path.Target) -> Calendar:
        User.objects.filter(username__in=["eve", "mina"]).update(last_name="was here")
        return require(target)

    monkeypatch.setattr(queries.path.Target, "require_calendar", note_and_require)

    assert (
        "but something changed" in differences(world, row_at("/calendars/{id}/", "GET"), (role,))[0]
    )


def test_patch_is_the_same_as_put_wherever_one_thing_is_changed():
    """Only PUT replaces a whole range of times."""
    cells = {(row.method, row.path): row.cells for row in ROWS if not row.is_page}
    puts = {
        path: cell
        for (method, path), cell in cells.items()
        if method == "PUT" and path != "/calendars/{id}/nonbusytimes/"
    }

    assert len(puts) > 5
    assert {path: cells["PATCH", path] for path in puts} == puts


def test_a_method_that_is_not_there_is_refused_after_asking_who_asks(world):
    """401 before 405, so that nobody maps the API without signing in.

    A public path answers 405 at once, and so does /metrics/, which no account opens.
    """
    public = ("/signup/", "/metrics/")
    for path in {row.path for row in ROWS if not row.is_page}:
        there = [row for row in ROWS if row.path == path and not row.is_page]
        # The link of a reset mail is a page and an endpoint in one.
        for method in {*METHODS} - {row.method for row in ROWS if row.path == path}:
            asked_for = path.format(**world.things(there[0], world.people["mina"]))
            anonymous, signed_in = (
                ANYBODY(method, asked_for),
                world.people["mina"](method, asked_for),
            )
            assert anonymous.status_code == (
                405 if there[0].cells["anon"] == "200" or path in public else 401
            ), (method, path)
            assert signed_in.status_code == 405, (method, path)
            assert {row.method for row in there} <= set(signed_in["Allow"].split(", ")), (
                method,
                path,
            )


def test_head_answers_as_get_does_without_a_body(world):
    for row in ROWS:
        if row.method == "GET" and not row.is_page:
            path = row.path.format(**world.things(row, world.people["sam"]))
            look, head = (world.people["sam"](method, path) for method in ("GET", "HEAD"))
            assert (head.status_code, head.content) == (look.status_code, b""), path


@pytest.mark.parametrize("row", LATER, ids=str)
def test_what_is_not_built_yet_answers_nobody(world, row):
    """Whoever builds it moves its row out of "later"; from then on the matrix asks."""
    for role in ROLES:
        for person in world.who(role).values():
            path = row.path.format(**world.things(row, person))
            assert (
                person(row.method, path, {}).status_code,
                person.browse(row.method, path, {}).status_code,
            ) == (404, 404), role


# Hidden and missing are the same (ID-04) ----------------------------------------------------------

IDS = ("id", "mid", "pid", "nid", "sid", "iid")
PATHS_WITH_IDS = sorted({row.path for row in ROWS if not row.is_page and set(row.names) & set(IDS)})


def answer_to(
    person: Person, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that shows of an answer."""
    with rolled_back():
        answer = person(method, path, body, **headers)
    return answer.status_code, answer.content, dict(answer.headers)


def row_at(path: str, method: str) -> Row:
    return next(
        (row for row in ROWS if (row.path, row.method) == (path, method)), Row("", method, path, {})
    )


def ways_to_ask(
    world: World, path: str, person: Person
) -> Iterator[tuple[str, Any, dict[str, str]]]:
    """Yield every method with a good body, then with an unreadable one and every conditional
    header.
    """
    for method in (*METHODS, "HEAD", "OPTIONS"):
        yield method, world.body(row_at(path, method), person), {}
    conditions = {"if_match": '"0123"', "if_none_match": "*"}
    for method in ("GET", "PUT", "DELETE"):
        yield method, None if method == "GET" else b"{", conditions
    yield "POST", b"{", {"idempotency_key": "again"}


def missing_instead(things: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """Yield the things with one of their ids missing, then with all of them missing."""
    names = [name for name in IDS if f"{{{name}}}" in path]
    for replaced in [[name] for name in names] + ([names] if len(names) > 1 else []):
        yield {**things, **{name: uuid4() for name in replaced}}


@pytest.mark.parametrize("path", PATHS_WITH_IDS)
def test_hidden_and_missing_are_the_same_to_who_may_not_know(world, path):
    whose = "others" if path == "/profile/sessions/{sid}/" else ""
    for person in [*world.who("stranger").values(), *world.who("former").values()]:
        real = world.things(row_at(path, ""), person, whose)
        for method, body, headers in ways_to_ask(world, path, person):
            hidden = answer_to(person, method, path.format(**real), body, **headers)
            assert hidden[0] in (404, 405) or method == "OPTIONS", (person.name, method, hidden)
            for nothing in missing_instead(real, path):
                assert (
                    answer_to(person, method, path.format(**nothing), body, **headers) == hidden
                ), (person.name, method)


def page_to(person: Person, method: str, path: str) -> tuple[int, str, str]:
    """Return everything that shows of a page, but for the token of its form."""
    with rolled_back():
        answer = person.browse(method, path, {"status": "accepted"})
    return (
        answer.status_code,
        re.sub(r'(?<=name="csrfmiddlewaretoken" value=)"\w+"', "", answer.text),
        answer.get("Location", ""),
    )


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.is_page and set(row.names) & set(IDS)], ids=str
)
def test_hidden_and_missing_pages_are_the_same_to_who_may_not_know(world, row):
    for person in [*world.who("stranger").values(), *world.who("former").values()]:
        real = world.things(row, person)
        hidden = page_to(person, row.method, row.path.format(**real))
        assert hidden[0] == 404
        for nothing in missing_instead(real, row.path):
            assert page_to(person, row.method, row.path.format(**nothing)) == hidden, person.name


def test_a_page_for_a_child_under_the_wrong_parent_is_missing_to_everybody(world):
    rows = [row for row in ROWS if row.is_page and len(set(row.names) & set(IDS)) == 2]
    others = {"pid": world.band_seat.pk, "mid": world.gig.pk}
    for row in rows:
        parent, child = row.names
        assert parent == "id"
        for person in (world.people[name] for name in ("mina", "sam", "eve")):
            wrong = page_to(
                person,
                row.method,
                row.path.format(**{"id": world.calendar.pk, child: others[child]}),
            )
            assert wrong[0] == 404
            assert wrong == page_to(
                person, row.method, row.path.format(**{"id": world.calendar.pk, child: uuid4()})
            )


@pytest.mark.parametrize(
    "path",
    [path for path in PATHS_WITH_IDS if len(set(IDS) & set(re.findall(r"\{(\w+)\}", path))) == 2],
)
def test_who_is_invited_learns_nothing_of_what_is_inside(world, path):
    iris = world.people["iris"]
    real = world.things(row_at(path, ""), iris)
    child = [name for name in IDS if f"{{{name}}}" in path][-1]
    for method, body, headers in ways_to_ask(world, path, iris):
        inside = answer_to(iris, method, path.format(**real), body, **headers)
        assert inside[0] in (403, 405) or method == "OPTIONS", (method, inside)
        assert (
            answer_to(iris, method, path.format(**{**real, child: uuid4()}), body, **headers)
            == inside
        ), method


def test_a_child_under_the_wrong_parent_is_missing_to_everybody(world):
    """ID-03: also to those who know both parents, and own the child."""
    children = {
        "/calendars/{id}/participants/{pid}/": ("pid", world.band_seat.pk),
        "/calendars/{id}/nonbusytimes/{nid}/": ("nid", world.band_window.pk),
        "/calendars/{id}/meetings/{mid}/": ("mid", world.gig.pk),
        "/calendars/{id}/meetings/{mid}/invite.ics": ("mid", world.gig.pk),
        "/calendars/meetings/{mid}/suggestions/{sid}/": ("sid", world.gig_suggestion.pk),
    }
    assert set(children) == {path for path in PATHS_WITH_IDS if path.count("{") == 2}
    for path, (name, child) in children.items():
        for person in (world.people[name] for name in ("mina", "sam", "eve", "dave")):
            things = world.things(row_at(path, ""), person)
            for method, body, headers in ways_to_ask(world, path, person):
                answer = answer_to(
                    person, method, path.format(**{**things, name: child}), body, **headers
                )
                assert answer[0] in (404, 405) or method == "OPTIONS", (
                    person.name,
                    method,
                    path,
                    answer,
                )
                assert answer == answer_to(
                    person, method, path.format(**{**things, name: uuid4()}), body, **headers
                )


NOBODY = 2_000_000_000


def ids_in_bodies(
    world: World,
) -> Iterator[tuple[str, str, str, Callable[[Any], dict[str, Any]], Any, Any]]:
    """Yield requests with an id in the body, a hidden id, and a missing one."""
    choir, eve, ina = f"/calendars/{world.calendar.pk}", world.user("eve").pk, world.inactive.pk
    deadline = build.day(1).isoformat()
    for name in ("eve", "dave", "lea", "nils"):
        yield (
            name,
            "POST",
            "/calendars/invitations/",
            lambda c: {"calendar": str(c), "receiver": eve},
            world.calendar.pk,
            uuid4(),
        )
        yield (
            name,
            "POST",
            "/calendars/invitations/",
            lambda c: {"calendar": str(c), "email": "x@example.org"},
            world.calendar.pk,
            uuid4(),
        )
        yield (
            name,
            "POST",
            "/calendars/send-email/",
            lambda c: {"calendar": str(c), "username": "cara"},
            world.calendar.pk,
            uuid4(),
        )
    yield (
        "mina",
        "POST",
        "/calendars/invitations/",
        lambda u: {"calendar": str(world.calendar.pk), "receiver": u},
        ina,
        NOBODY,
    )
    yield "mina", "POST", f"{choir}/participants/", lambda u: {"user": u}, ina, NOBODY
    yield "mina", "POST", f"{choir}/transfer/", lambda u: {"user": u}, eve, NOBODY
    yield (
        "mina",
        "POST",
        f"{choir}/meetings/",
        lambda u: {"deadline": deadline, "required": [u]},
        eve,
        NOBODY,
    )
    yield (
        "mina",
        "PUT",
        f"{choir}/meetings/{world.open.pk}/",
        lambda u: {"optional": [u]},
        eve,
        NOBODY,
    )
    yield "mina", "POST", "/contacts/add/", lambda u: {"contactee": u}, ina, NOBODY
    yield "mina", "POST", "/contacts/add/", lambda u: {"contactee": u}, "ina", "no-such-name"
    refresh = world.people["mina"].refresh
    yield (
        "mina",
        "POST",
        "/profile/delete/",
        lambda u: {"refresh_token": refresh, "transfer_to": u},
        eve,
        NOBODY,
    )


def test_an_id_in_a_body_is_bad_input_in_the_same_words_whether_hidden_or_missing(world):
    for name, method, path, body, hidden, missing in ids_in_bodies(world):
        answers = [
            answer_to(world.people[name], method, path, body(value)) for value in (hidden, missing)
        ]
        assert answers[0] == answers[1], (name, path)
        assert answers[0][0] == 400, (name, path, answers[0])


def test_who_is_invited_is_told_so_when_they_name_the_calendar(world):
    answer = world.people["iris"](
        "POST", "/calendars/send-email/", {"calendar": str(world.calendar.pk), "username": "cara"}
    )

    assert answer.status_code == 403


# What is in a body decides nothing (ID-06, ID-07) -------------------------------------------------


def test_the_sender_is_who_asks(world):
    body = {
        "calendar": str(world.calendar.pk),
        "receiver": world.user("nina").pk,
        "sender": world.user("sam").pk,
        "status": "accepted",
    }
    with rolled_back():
        answer = world.people["mina"]("POST", "/calendars/invitations/", body)

    assert answer.status_code == 201
    assert (answer.data["sender"], answer.data["status"]) == (world.user("mina").pk, "pending")


def test_a_time_is_of_who_asks_in_the_calendar_of_the_path(world):
    body = {
        "start_time": build.day(14).isoformat(),
        "end_time": build.day(15).isoformat(),
        "preference_level": 3,
    }
    others = {"user": world.user("mina").pk, "calendar": str(world.band.pk), "id": str(uuid4())}
    with rolled_back():
        answer = world.people["sam"](
            "POST", f"/calendars/{world.calendar.pk}/nonbusytimes/", {**body, **others}
        )
        stored = NonBusyTime.objects.get(pk=answer.data["id"])

    assert (stored.user, stored.calendar, str(stored.pk) == others["id"]) == (
        world.user("sam"),
        world.calendar,
        False,
    )


# People come and go (ID-10, ID-11, ID-13) ---------------------------------------------------------


def test_a_revoked_invitation_can_not_be_accepted(world):
    path = f"/calendars/invitations/{world.invitation.pk}/"
    with rolled_back():
        revoked = world.people["mina"]("DELETE", path)
        late = world.people["iris"]("PUT", path, {"status": "accepted"})
        looks = world.people["iris"]("GET", f"/calendars/{world.calendar.pk}/")

    assert (revoked.status_code, late.status_code, looks.status_code) == (204, 404, 404)


def test_who_was_removed_is_counted_and_shown_nowhere(world):
    sam, choir = world.user("sam"), f"/calendars/{world.calendar.pk}"
    with rolled_back():
        world.people["mina"]("DELETE", f"{choir}/participants/{world.seats['sam'].pk}/")
        for path in (
            f"{choir}/participants/",
            f"{choir}/nonbusytimes/",
            f"{choir}/meetings/",
            f"{choir}/availability/",
        ):
            answer = world.people["mina"]("GET", path)
            assert answer.status_code == 200
            assert "sam" not in answer.text, path
            assert sam.pk not in users_in(answer.data), path
        ranked = world.people["mina"](
            "GET", f"/calendars/meetings/{world.open.pk}/suggestions/"
        ).data
        assert all(
            user != sam.pk
            for start in ranked
            for group in start["people"].values()
            for user in group
        )


def users_in(data: Any) -> set[int]:
    """Return every user id anywhere in an answer."""
    match data:
        case list():
            return {user for inner in data for user in users_in(inner)}
        case dict():
            lists = [
                data[name]
                for name in ("attending", "cannot", "ideal", "works", "required", "optional")
                if isinstance(data.get(name), list)
            ]
            own = {
                data[name]
                for name in ("user", "contactee", "owner")
                if isinstance(data.get(name), int)
            } | {user for each in lists for user in each}
            return own | {user for inner in data.values() for user in users_in(inner)}
    return set()


def sees_the_invitation(world: World, name: str, box: str) -> list[bool]:
    """Return whether the person gets the invitation itself, by any method, or in their list."""
    path = f"/calendars/invitations/{world.invitation.pk}/"
    answers = [
        answer_to(world.people[name], method, path, {"status": "accepted"})
        for method in ("GET", "PUT", "DELETE")
    ]
    missing = answer_to(world.people[name], "GET", f"/calendars/invitations/{uuid4()}/")
    listed = world.people[name]("GET", f"/calendars/invitations/?box={box}").data
    return [answer != missing for answer in answers] + [
        str(world.invitation.pk) in [invitation["id"] for invitation in listed]
    ]


def test_who_accepted_and_left_is_a_stranger_to_their_invitation_too(world):
    """It would go on showing the calendar's current name."""
    iris, mina = world.people["iris"], world.people["mina"]
    with rolled_back():
        iris("PUT", f"/calendars/invitations/{world.invitation.pk}/", {"status": "accepted"})
        assert sees_the_invitation(world, "iris", "received") == [True] * 4
        [seat] = [
            seat["id"]
            for seat in mina("GET", f"/calendars/{world.calendar.pk}/participants/").data
            if seat["username"] == "iris"
        ]
        mina("DELETE", f"/calendars/{world.calendar.pk}/participants/{seat}/")

        assert sees_the_invitation(world, "iris", "received") == [False] * 4
        assert sees_the_invitation(world, "mina", "sent") == [True] * 4


def test_what_an_owner_sent_goes_with_the_calendar_they_hand_over(world):
    mina, sam = world.people["mina"], world.people["sam"]
    with rolled_back():
        assert sees_the_invitation(world, "mina", "sent") == [True] * 4
        mina("POST", f"/calendars/{world.calendar.pk}/transfer/", {"user": sam.user.pk})

        assert sees_the_invitation(world, "mina", "sent") == [False] * 4
        assert sees_the_invitation(world, "sam", "sent") == [True] * 4


def test_an_invitation_shows_the_name_of_its_calendar_and_its_owner_only(world):
    answer = world.people["iris"]("GET", f"/calendars/invitations/{world.invitation.pk}/")

    assert (answer.data["calendar_name"], answer.data["owner_name"]) == ("Choir of Mina", "Mina")
    for hidden in ("Rehearsal", "Concert", "Sam", "example.org"):
        assert hidden not in answer.text


# Lists show only one's own (ID-12) ----------------------------------------------------------------

LISTS = {
    "/calendars/": {
        "mina": {"Choir of Mina", "Band of Mina"},
        "sam": {"Choir of Mina", "Band of Mina"},
        "eve": {"Evening of Eve"},
    },
    "/calendars/?role=owner": {
        "mina": {"Choir of Mina", "Band of Mina"},
        "sam": set(),
        "eve": {"Evening of Eve"},
    },
    "/calendars/invitations/": {
        "iris": {"Choir of Mina"},
        "nils": {"Choir of Mina"},
        "mina": set(),
        "sam": set(),
        "eve": set(),
    },
    "/calendars/invitations/?box=sent": {
        "mina": {"Choir of Mina"},
        "iris": set(),
        "sam": set(),
        "eve": set(),
    },
    "/contacts/": {"mina": {"cara"}, "cara": set()},
    "/profile/export/": {
        "mina": {"Choir of Mina", "Band of Mina"},
        "sam": {"Choir of Mina", "Band of Mina"},
        "eve": {"Evening of Eve"},
        "dave": set(),
    },
    "/app/": {
        "mina": {"Choir of Mina", "Band of Mina"},
        "iris": {"Choir of Mina"},
        "eve": {"Evening of Eve"},
        "dave": set(),
    },
    "/app/people/": {
        "mina": {"cara", "Choir of Mina"},
        "iris": {"cara", "Choir of Mina"},
        "eve": {"cara"},
        "cara": {"cara"},
    },
}
ALL_NAMES = {"Choir of Mina", "Band of Mina", "Evening of Eve", "cara"}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_only_what_is_ones_own(world, path):
    names = ALL_NAMES - ({"cara"} if "export" in path else set())
    for name, expected in LISTS[path].items():
        person = world.people[name]
        answer = person.browse("GET", path) if path.startswith("/app/") else person("GET", path)
        assert answer.status_code == 200
        assert {word for word in names if word in answer.text} == expected, name


def test_sign_ins_and_mutes_are_ones_own(world):
    for name in ("eve", "sam"):
        person = world.people[name]
        assert {session["id"] for session in person("GET", "/profile/sessions/").data} == {
            str(session.pk) for session in person.sessions
        }
        assert person("GET", "/profile/settings/").data["muted"] == (
            ["sam"] if name == "eve" else []
        )


def test_an_export_holds_contacts_of_ones_own(world):
    for name, expected in (("mina", ["cara"]), ("cara", [])):
        assert [
            contact["username"]
            for contact in world.people[name]("GET", "/profile/export/").data["contacts"]
        ] == expected


def test_a_calendar_lists_only_what_is_in_it(world):
    """The band has the same people; nothing of theirs there shows in the choir."""
    choir, sam = f"/calendars/{world.calendar.pk}", world.people["sam"]
    inside = {
        f"{choir}/participants/": {str(seat.pk) for seat in world.calendar.participants.all()},
        f"{choir}/nonbusytimes/": {str(window.pk) for window in world.windows.values()},
        f"{choir}/meetings/": {str(world.open.pk), str(world.scheduled.pk)},
    }
    for path, expected in inside.items():
        assert {shown["id"] for shown in sam("GET", path).data} == expected, path
    stored = [
        start["id"]
        for start in sam("GET", f"/calendars/meetings/{world.open.pk}/suggestions/").data
        if start["id"]
    ]
    assert sorted(stored) == sorted(str(suggestion.pk) for suggestion in world.suggestions.values())
    page = sam.browse(
        "GET", f"/app/calendars/{world.calendar.pk}/?from={build.day():%Y-%m-%d}"
    ).text
    assert ("Rehearsal of Mina" in page, "Gig of Mina" in page) == (True, False)
    assert re.findall(r'data-mine="\[\[(.*?)\]\]"', page) == [
        f"{build.day(9).timestamp():.0f},{build.day(12).timestamp():.0f},5"
    ]


ODD_QUESTIONS = [
    "owner={eve}",
    "owner__password__startswith=a",
    "ordering=owner__password",
    "ordering=-id",
    "order_by=owner__password",
    "search=Evening",
    "fields=owner",
    "expand=owner",
    "user={mina}",
    "user_id={mina}",
    "calendar={band}",
    "id={band}",
    "id__in={band}",
    "all=1",
    "box=sent&sender={mina}",
    "role=owner,participant&owner={eve}",
]


@pytest.mark.parametrize(
    "path",
    [
        "/calendars/",
        "/calendars/invitations/",
        "/contacts/",
        "/profile/sessions/",
        "/calendars/{id}/participants/",
        "/calendars/{id}/meetings/",
    ],
)
def test_no_question_widens_or_reorders_a_list(world, path):
    words = {"eve": world.user("eve").pk, "mina": world.user("mina").pk, "band": world.band.pk}
    path = path.format(id=world.calendar.pk)
    for question in ODD_QUESTIONS:
        known = world.people["sam"](
            "GET", path + ("?box=sent" if "box" in question and "invitations" in path else "")
        ).content
        answer = world.people["sam"]("GET", f"{path}?{question.format(**words)}")
        assert answer.status_code == 400 or answer.content == known, question


def test_people_shows_only_the_calendars_that_one_shares(world):
    with rolled_back():
        build.participant(world.calendar, world.user("cara"))
        shown = {
            name: "you’re both in" in world.people[name].browse("GET", "/app/people/").text
            for name in ("mina", "sam", "eve")
        }

    assert shown == {"mina": True, "sam": True, "eve": False}


def test_people_shows_ones_own_contacts_only(world):
    pages = {
        name: world.people[name].browse("GET", "/app/people/").text for name in ("mina", "cara")
    }
    shown = {
        name: re.findall(r'name="username" value="(\w+)"', page) for name, page in pages.items()
    }

    assert shown == {"mina": ["cara"], "cara": []}


def test_a_meeting_is_for_people_of_its_calendar_only(world):
    path = f"/calendars/meetings/{world.open.pk}/suggestions/"
    starts = world.people["sam"]("GET", path).data
    users = {user for start in starts for people in start["people"].values() for user in people}

    assert users
    assert users <= {seat.user_id for seat in world.calendar.participants.all()}
    path = f"/calendars/{world.calendar.pk}/meetings/{world.open.pk}/"
    attendees = {
        attendee["user"] for attendee in world.people["sam"]("GET", path).data["attendees"]
    }
    assert attendees
    assert attendees <= {seat.user_id for seat in world.calendar.participants.all()}


def test_nobody_ends_an_account_with_anothers_sign_in(world):
    with rolled_back():
        refused = world.people["eve"](
            "POST", "/profile/delete/", {"refresh_token": world.people["sam"].refresh}
        )

    assert refused.status_code == 400


# By visibility ------------------------------------------------------------------------------------


BY_VISIBILITY = [("open", {"mina", "sam"}), ("counts", set()), ("owner", {"mina"})]


@pytest.mark.parametrize(("visibility", "who_sees"), BY_VISIBILITY)
def test_the_answers_of_others_are_seen_by_visibility(world, visibility, who_sees):
    choir, both = f"/calendars/{world.calendar.pk}", {world.user("mina").pk, world.user("sam").pk}
    with rolled_back():
        Calendar.objects.filter(pk=world.calendar.pk).update(
            visibility=visibility, version=F("version") + 1
        )
        for name in ("mina", "sam"):
            person, sees = world.people[name], name in who_sees
            other = world.windows["sam" if name == "mina" else "mina"]
            shown = {window["user"] for window in person("GET", f"{choir}/nonbusytimes/").data}
            assert shown == (both if sees else {person.user.pk})
            asked_for = {
                window["user"]
                for window in person("GET", f"{choir}/nonbusytimes/?user={other.user_id}").data
            }
            assert asked_for == ({other.user_id} if sees else set())
            for method in ("GET", "PUT", "DELETE"):
                answer = answer_to(
                    person,
                    method,
                    f"{choir}/nonbusytimes/{other.pk}/",
                    {} if method == "PUT" else None,
                )
                missing = answer_to(
                    person,
                    method,
                    f"{choir}/nonbusytimes/{uuid4()}/",
                    {} if method == "PUT" else None,
                )
                assert answer[0] == (403 if sees else 404)
                assert sees or answer == missing
            availability = person("GET", f"{choir}/availability/").data
            assert (availability["people"] is not None) == sees
            assert all(("who" in piece) == sees for piece in availability["pieces"])
            ranked = person("GET", f"/calendars/meetings/{world.open.pk}/suggestions/")
            assert all((start["people"] is not None) == sees for start in ranked.data)
            assert sees or not any(
                other.user.username in reason.lower()
                for start in ranked.data
                for reason in start["reasons"]
            )
            meeting = person("GET", f"{choir}/meetings/{world.scheduled.pk}/").data
            answered = {
                attendee["user"] for attendee in meeting["attendees"] if attendee.get("answer")
            }
            assert (person.user.pk in answered, other.user_id in answered) == (True, sees)


# Who somebody is (ID-14, ID-15) -------------------------------------------------------------------


def test_a_name_leads_to_an_id_and_to_nothing_else(world):
    sam = world.people["sam"]
    cara = sam("GET", "/calendars/get-user-id/CARA")
    nobody = [
        answer_to(sam, "GET", f"/calendars/get-user-id/{name}")
        for name in (
            "ina",
            "gina",
            "nobody-at-all",
            str(world.user("cara").pk),
            "car",
            "cara@example.org",
        )
    ]

    assert cara.data == {"id": world.user("cara").pk, "username": "cara"}
    assert [answer[0] for answer in nobody] == [404] * 6
    assert all(answer == nobody[0] for answer in nobody)


def test_no_route_takes_the_number_of_a_user():
    assert [path for path in routes() if "{user" in path and "{username}" not in path] == []
    assert [
        str(pattern.pattern) for pattern in url_patterns() if "<int:" in str(pattern.pattern)
    ] == []


def test_a_contact_learns_nothing_and_tells_nothing(world):
    with rolled_back():
        added = world.people["sam"]("POST", "/contacts/add/", {"contactee": world.user("mina").pk})
        mine = world.people["sam"]("GET", "/contacts/")
        hers = world.people["mina"]("GET", "/contacts/")

    assert set(added.data) == {
        "id",
        "contactee",
        "username",
        "first_name",
        "last_name",
        "since",
        "mutual",
    }
    assert "example.org" not in added.text + mine.text
    assert "sam" not in hers.text


def test_nobody_reads_the_address_of_somebody_else(world):
    """Search every answer to a look for the addresses of others."""
    with rolled_back():
        for row in ROWS:
            if row.method == "GET" and not row.is_page:
                for person in (world.people[name] for name in ("mina", "sam", "iris", "eve")):
                    seen = person("GET", row.path.format(**world.things(row, person))).text
                    others = set(re.findall(r"[\w.]+@example\.org", seen)) - {
                        person.user.email,
                        "somebody@example.org",
                        "mina@example.org",
                    }
                    # The attendees of a calendar file are named by address, as calendar programs
                    # need it.
                    assert row.path.endswith(("invite.ics", "/schema/")) or not others, (
                        str(row),
                        person.name,
                        others,
                    )


# Ways around (ID-16, ID-17, ID-18) ----------------------------------------------------------------


def test_options_tell_the_methods_and_nothing_of_what_is_there(world):
    for row in ROWS:
        if not row.is_page and row.path not in ("/schema/", "/docs/", "/healthz", "/readyz"):
            answer = world.people["mina"](
                "OPTIONS", row.path.format(**world.things(row, world.people["mina"]))
            )
            assert (answer.status_code, answer.content) == (204, b""), row
            assert row.method in answer["Allow"]


def test_there_is_one_kind_of_answer_whatever_is_asked_for(world):
    sam = world.people["sam"]
    for row in ROWS:
        if (
            row.method == "GET"
            and not row.is_page
            and row.path not in ("/schema/", "/docs/", "/healthz", "/readyz")
        ):
            path = row.path.format(**world.things(row, sam))
            plain = sam("GET", path)
            for answer in (
                sam("GET", path, accept="text/html"),
                sam("GET", f"{path}?format=api"),
                sam("GET", path, accept="application/xml"),
            ):
                assert answer.status_code in (plain.status_code, 406), row
                assert answer["Content-Type"] == plain["Content-Type"], row


def test_a_method_is_what_the_request_line_says(world):
    """A participant and the owner try to delete a calendar by detours; GET and POST stay what they
    are.
    """
    path = f"/calendars/{world.calendar.pk}/"
    override = {
        "x_http_method_override": "DELETE",
        "x_http_method": "DELETE",
        "x_method_override": "DELETE",
    }
    for name in ("sam", "mina"):
        person = world.people[name]
        with rolled_back():
            assert person("GET", path, **override).status_code == 200
            assert person("GET", f"{path}?_method=DELETE&method=DELETE").status_code == 200
            assert person("POST", path, {"_method": "DELETE"}, **override).status_code == 405
            assert Calendar.objects.filter(pk=world.calendar.pk).exists()


@pytest.mark.parametrize(
    "method", ["delete", "Delete", "DELETE ", "DELETE\t", "PROPFIND", "TRACE", "CONNECT", "BREW"]
)
def test_an_odd_method_opens_nothing(world, method):
    path = f"/calendars/{world.calendar.pk}/"
    with rolled_back():
        for name in ("eve", "dave", "iris", "sam"):
            SHARED.cookies.clear()
            answer = SHARED.generic(
                method, path, HTTP_AUTHORIZATION=f"Bearer {world.people[name].access}"
            )
            assert answer.status_code in (403, 404, 405), name
        assert Calendar.objects.filter(pk=world.calendar.pk).exists()


def test_other_spellings_of_an_id_open_nothing_more(world):
    plain = str(world.calendar.pk)
    spellings = [
        plain.upper(),
        plain.replace("-", ""),
        f"{{{plain}}}",
        f"urn:uuid:{plain}",
        f"{plain}%20",
        f"%20{plain}",
        f"{plain}%00",
        f"{plain}..;",
        f"{plain}/..;/{plain}",
        f"./{plain}",
        f"{plain}.json",
        f"{plain};x=1",
        f"{plain}%2f",
        plain.replace("-", "%2d"),
    ]
    for spelling in spellings:
        for method in ("GET", "PUT", "DELETE"):
            with rolled_back():
                for name in ("eve", "dave"):
                    assert (
                        world.people[name](method, f"/calendars/{spelling}/", {}).status_code == 404
                    ), spelling
                assert world.people["iris"](method, f"/calendars/{spelling}/", {}).status_code in (
                    403,
                    404,
                )
                assert method == "GET" or world.people["sam"](
                    method, f"/calendars/{spelling}/", {}
                ).status_code in (403, 404)


@pytest.mark.parametrize("name", ["stop", "link", "token", "confirm"])
def test_a_link_that_was_changed_opens_nothing(world, name):
    for row in ROWS:
        if row.is_page and name in row.names:
            things = world.things(row, world.people["cara"])
            good, other = things[name], things["link" if name == "stop" else "stop"]
            for changed in (
                good[:-1] + ("A" if good[-1] != "A" else "B"),
                good[1:],
                f"{good}x",
                other,
                "x",
            ):
                with rolled_back():
                    answer = world.people["cara"].browse(
                        row.method, row.path.format(**{**things, name: changed}), {}
                    )
                    assert answer.status_code in (400, 404, 422), (str(row), changed)
                    assert everything_stored() == world.untouched


def test_the_page_of_letters_shows_those_to_ones_own_account(world):
    with rolled_back(), TemporaryDirectory() as folder:
        backend = {"BACKEND": "commontime.mail.backends.FileBackend", "OPTIONS": {"folder": folder}}
        with override_settings(MAILERS={"default": backend}):
            outbox.post(
                [
                    outbox.Notice(
                        "password_changed",
                        "shown",
                        "mina@example.org",
                        world.user("mina").pk,
                        payload={"username": "mina"},
                    )
                ]
            )
            outbox.deliver_due()
            shown = {
                name: "mina" in world.people[name].browse("GET", "/app/mail/").text
                for name in ("mina", "eve")
            }

    assert shown == {"mina": True, "eve": False}


def test_an_old_sign_in_asks_for_the_password_again(world):
    body, mina = {"email": "mina.elsewhere@example.org"}, world.people["mina"]

    def after(minutes: int, body: dict[str, str]) -> Any:
        with rolled_back():
            Session.objects.filter(user=mina.user).update(
                created_at=clock.now() - timedelta(minutes=minutes)
            )
            return mina("POST", "/profile/edit/", body)

    assert after(9, body).status_code == 200
    assert (after(11, body).status_code, after(11, body).data.get("code")) == (
        403,
        "reauth_required",
    )
    assert after(11, {**body, "current_password": "not it"}).status_code == 403
    assert after(11, {**body, "current_password": build.PASSWORD}).status_code == 200


def test_only_owners_remind(world):
    choir = str(world.calendar.pk)
    with rolled_back():
        for about in ({}, {"calendar": choir}):
            body = {"username": "mina", "kind": "reminder", **about}
            answer = world.people["sam"]("POST", "/calendars/send-email/", body)
            assert (answer.status_code, answer.data.get("code")) == (403, "not_allowed")
        body = {"username": "sam", "kind": "reminder", "calendar": choir}
        assert world.people["mina"]("POST", "/calendars/send-email/", body).status_code == 202


def test_questions_about_a_start_do_not_show_what_few_people_answered(world):
    path = "/calendars/meetings/{}/suggestions/"
    with rolled_back():
        Calendar.objects.filter(pk=world.calendar.pk).update(visibility="counts")
        for_mina = build.meeting(calendar=world.calendar, required=[world.user("mina")])
        for_all, for_few = path.format(world.open.pk), path.format(for_mina.pk)
        sam = world.people["sam"]
        assert sam("GET", for_all).status_code == 200
        assert sam("GET", f"{for_all}?duration_minutes=30").status_code == 403
        assert sam("GET", for_few).status_code == 403


# The guards switched off --------------------------------------------------------------------------


def anything(rows: QuerySet[Any], **which: Any) -> Any:
    """Return the row, whoever asks."""
    row = rows.filter(**which).first()
    if row is None:
        raise NotFound("There is nothing here.")
    return row


def yes(*about: Any) -> bool:
    return True


def any_meeting(user: User, meeting_id: UUID, *, calendar_id: UUID | None = None) -> Meeting:
    return anything(
        queries.meetings.with_attendees().select_related("calendar__owner"), pk=meeting_id
    )


def any_join(
    calendar_id: UUID | None, meeting_id: UUID | None
) -> accounts.Join[queries.path.Target] | None:
    """Look the meeting up whatever the calendar in the path."""
    return JOIN(None, meeting_id) if meeting_id else JOIN(calendar_id, None)


def hidden_or_not(name: str) -> Callable[[queries.path.Target], Any]:
    """Return what a path names to whoever asks."""

    def require(target: queries.path.Target) -> Any:
        if getattr(target, name) is None:
            raise NotFound("There is nothing here.")
        return getattr(target, name)

    return require


def any_window(user: User, calendar: Calendar, window_id: UUID) -> NonBusyTime:
    return anything(NonBusyTime.objects.select_related("calendar"), pk=window_id)


def any_list(user: User, roles: set[str]) -> QuerySet[Calendar]:
    return Calendar.objects.annotate(
        answered=Value(False), participant_count=Value(0), meeting_count=Value(0)
    )


def any_participants() -> QuerySet[CalendarParticipant]:
    answered = Case(When(packed="", then=Value(False)), default=Value(True))
    return CalendarParticipant.objects.select_related(
        "user", "calendar__owner", "added_by"
    ).annotate(has_answered=answered)


def any_windows(user: User, calendar: Calendar, *, whose: int | None, start: Any, end: Any) -> Any:
    return queries.windows._WINDOWS.where("w.calendar_id = %s", parameters=[rows.uuid(calendar.pk)])


def any_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("calendar__owner", "sender", "receiver")


def any_suggestion(meeting: Meeting, suggestion_id: UUID) -> ScheduleSuggestion:
    return anything(
        ScheduleSuggestion.objects.select_related("meeting__calendar"), pk=suggestion_id
    )


def any_session(session_id: UUID, **how: Any) -> tuple[accounts.SignIn, list[Any]] | None:
    session = Session.objects.filter(pk=session_id).select_related("user__usersetting").first()
    if session is None:
        return None
    return accounts.SignIn(session.pk, session.created_at, session.user), [None, None]


def any_stop(token: str) -> accounts.Stop:
    return accounts.Stop(User.objects.get(username="rita").pk, "mail_meetings", None)


def any_confirmation(token: str) -> accounts.Confirmation:
    return accounts.Confirmation(UserSetting.objects.get(user__username="una"), is_over=False)


def any_letter(user: User) -> list[Message]:
    return [letter for person in User.objects.all() for letter in KEPT_FOR(person)]


def rows_say(*words: str) -> Callable[[World], None]:
    """Ask the rows of the matrix whose path has one of the words."""

    def ask(world: World) -> None:
        rows = [row for row in ROWS if not row.is_page and any(word in str(row) for word in words)]
        assert rows
        for row in rows:
            assert differences(world, row) == []

    return ask


def pages_say(word: str) -> Callable[[World], None]:
    """Ask the rows of the matrix about the pages whose path has the word."""

    def ask(world: World) -> None:
        rows = [row for row in ROWS if row.is_page and word in str(row)]
        assert rows
        for row in rows:
            assert differences(world, row) == []

    return ask


def list_shows(path: str) -> Callable[[World], None]:
    return lambda world: test_a_list_shows_only_what_is_ones_own(world, path)


def visibility_holds(world: World) -> None:
    for visibility, who_sees in BY_VISIBILITY:
        test_the_answers_of_others_are_seen_by_visibility(world, visibility, who_sees)


def any_contacts(user: Any) -> Any:
    return (
        Contact.objects.select_related("contactee")
        .annotate(mutual=Value(False))
        .order_by("contactee__username", "id")
    )


def any_meeting_rows(calendar: Any, now: Any) -> tuple[list[tuple[Any, ...]], int]:
    return [row for other in Calendar.objects.all() for row in MEETING_ROWS(other, now)[0]], 0


def any_own_rows(user: User, calendar: Any) -> list[tuple[Any, ...]]:
    return list(
        NonBusyTime.objects.order_by("start_time").values_list(
            "start_time", "end_time", "preference_level"
        )
    )


def any_plan(user: User, calendar: Calendar) -> tuple[Plan, Roster]:
    plan = anything(Plan.objects.select_related("calendar__owner"), calendar=calendar)
    return plan, queries.people.roster_of(plan.calendar)


def roster_of_anybody(calendar: Any) -> Roster:
    people = User.objects.annotate(
        required=Value(True), packed=Value(""), has_agreed=Value(True)
    ).values_list(*PERSON)
    everybody = [queries.people.Person(*person, name=person[1]) for person in people]
    return Roster(calendar.pk, calendar.owner_id, everybody)


PERSON = (
    *("id", "username", "first_name", "last_name", "email", "is_active"),
    *("required", "packed", "has_agreed"),
)
JOIN, KEPT_FOR, EVERYTHING, MEETING_ROWS = (
    queries.path.join,
    mail.letters_kept_for,
    queries.export.everything_about,
    queries.meetings.meeting_rows,
)
choir, invitation, wrong_parent = (
    rows_say("PUT /calendars/{id}/"),
    rows_say("/invitations/"),
    test_a_child_under_the_wrong_parent_is_missing_to_everybody,
)
inside = test_a_calendar_lists_only_what_is_in_it
# Every guard by its room and name, what stands in its place when it is off, and the question that
# notices.
GUARDS: dict[tuple[Any, str], tuple[Callable[..., Any], Callable[[World], None]]] = {
    (account_rules, "may_change_credentials"): (
        yes,
        test_an_old_sign_in_asks_for_the_password_again,
    ),
    (calendar_rules, "may_manage"): (yes, choir),
    (calendar_rules, "may_remind"): (yes, test_only_owners_remind),
    (calendar_rules, "may_suppose"): (
        yes,
        test_questions_about_a_start_do_not_show_what_few_people_answered,
    ),
    (calendar_rules, "may_rank"): (
        yes,
        test_questions_about_a_start_do_not_show_what_few_people_answered,
    ),
    (queries.calendars, "require_owner"): (lambda user, calendar, what: None, choir),
    (queries.people, "takes_part_in_one_of"): (
        lambda user, *, owner: True,
        test_only_owners_remind,
    ),
    (calendar_rules, "may_remove"): (yes, rows_say("DELETE /calendars/{id}/participants/")),
    (calendar_rules, "may_take_part"): (yes, pages_say("/take-part/")),
    (calendar_rules, "may_edit"): (yes, rows_say("/nonbusytimes/{nid}")),
    (calendar_rules, "may_withdraw"): (yes, rows_say("DELETE /calendars/meetings/")),
    (calendar_rules, "may_answer"): (yes, invitation),
    (calendar_rules, "may_revoke"): (yes, rows_say("DELETE /calendars/invitations/")),
    (calendar_rules, "may_see_windows_of_others"): (yes, visibility_holds),
    (queries.calendars, "calendars_visible_to"): (
        lambda user: Calendar.objects.all(),
        list_shows("/app/"),
    ),
    (queries.path, "join"): (any_join, wrong_parent),
    (queries.path.Target, "require_calendar"): (hidden_or_not("calendar"), choir),
    (queries.path.Target, "require_meeting"): (
        hidden_or_not("meeting"),
        rows_say("GET /calendars/{id}/meetings/{mid}/"),
    ),
    (queries.calendars, "calendar_for"): (
        lambda user, pk: anything(Calendar.objects.select_related("owner"), pk=pk),
        pages_say("POST /app/calendars/{id}/people/"),
    ),
    (queries.calendars, "calendar_named"): (
        lambda user, pk: anything(Calendar.objects.select_related("owner"), pk=pk),
        rows_say("POST /calendars/inv"),
    ),
    (queries.plans, "plan_for"): (
        any_plan,
        rows_say("GET /calendars/{id}/plan/"),
    ),
    (queries.calendars, "calendar_list_for"): (any_list, list_shows("/app/")),
    (queries.people, "participant_for"): (
        lambda calendar, pk: anything(any_participants(), pk=pk),
        wrong_parent,
    ),
    (queries.people, "participant_rows"): (
        lambda calendar: queries.people._PARTICIPANTS.where("1 = 1", parameters=[]),
        inside,
    ),
    (queries.people, "participants_of"): (lambda calendar: any_participants(), wrong_parent),
    (queries.meetings, "meetings_of"): (lambda calendar: queries.meetings.with_attendees(), inside),
    (queries.meetings, "meeting_rows"): (any_meeting_rows, inside),
    (queries.meetings, "meetings_ahead_for"): (
        lambda user: Meeting.objects.filter(final_time__gt=clock.now()).select_related("calendar"),
        list_shows("/app/"),
    ),
    (queries.meetings, "meetings_overdue_for"): (
        lambda user: Meeting.objects.filter(final_time=None).select_related("calendar"),
        list_shows("/app/"),
    ),
    (queries.people, "seats_shared_by"): (
        lambda user, people: CalendarParticipant.objects.filter(user__in=people).select_related(
            "calendar"
        ),
        test_people_shows_only_the_calendars_that_one_shares,
    ),
    (queries.people, "roster_of"): (
        roster_of_anybody,
        test_a_meeting_is_for_people_of_its_calendar_only,
    ),
    (queries.people, "roster_and_scheduled_of"): (
        lambda calendar: (roster_of_anybody(calendar), []),
        test_a_meeting_is_for_people_of_its_calendar_only,
    ),
    (queries.meetings, "suggestions_of"): (
        lambda meeting: ScheduleSuggestion.objects.order_by("suggested_time", "id"),
        inside,
    ),
    (queries.windows, "window_rows"): (any_windows, visibility_holds),
    (queries.windows, "own_window_rows"): (any_own_rows, inside),
    (queries.windows, "windows_visible_to"): (
        lambda user, calendar: NonBusyTime.objects.filter(calendar=calendar),
        visibility_holds,
    ),
    (queries.windows, "window_for"): (any_window, wrong_parent),
    (queries.meetings, "meeting_for"): (
        any_meeting,
        test_a_page_for_a_child_under_the_wrong_parent_is_missing_to_everybody,
    ),
    (queries.meetings, "suggestion_for"): (any_suggestion, wrong_parent),
    (queries.invitations, "invitations_for"): (
        lambda user, box: any_invitations(),
        list_shows("/calendars/invitations/"),
    ),
    (queries.invitations, "invitation_for"): (
        lambda user, pk: anything(any_invitations(), pk=pk),
        invitation,
    ),
    (queries.invitations, "locked_invitation_for"): (
        lambda user, pk: anything(any_invitations(), pk=pk),
        rows_say("PUT /calendars/invitations/"),
    ),
    (queries.export, "everything_about"): (
        lambda user: EVERYTHING(User.objects.get(username="mina")),
        list_shows("/profile/export/"),
    ),
    (accounts, "sessions_of"): (
        lambda user: Session.objects.order_by("-used_at", "id"),
        test_sign_ins_and_mutes_are_ones_own,
    ),
    (accounts, "session_for"): (
        lambda user, pk: anything(Session.objects.all(), pk=pk),
        rows_say("/profile/sessions/"),
    ),
    (accounts, "is_signed_in_by"): (
        lambda user, session_id, **how: True,
        test_nobody_ends_an_account_with_anothers_sign_in,
    ),
    (accounts, "signed_in"): (any_session, rows_say("GET /profile/")),
    (accounts, "muted_by"): (
        lambda user: list(Mute.objects.values_list("sender__username", flat=True)),
        test_sign_ins_and_mutes_are_ones_own,
    ),
    (accounts, "stop_of"): (
        any_stop,
        lambda world: test_a_link_that_was_changed_opens_nothing(world, "stop"),
    ),
    (accounts, "confirmation_of"): (
        any_confirmation,
        lambda world: test_a_link_that_was_changed_opens_nothing(world, "confirm"),
    ),
    (contacts, "contact_rows"): (
        lambda user: contacts._CONTACTS.where("1 = 1", parameters=[]),
        list_shows("/contacts/"),
    ),
    (contacts, "contacts_of"): (any_contacts, test_people_shows_ones_own_contacts_only),
    (mail, "letters_kept_for"): (
        any_letter,
        test_the_page_of_letters_shows_those_to_ones_own_account,
    ),
}
# They say nothing of anybody but who asks, and nothing that a door shows.
GUARD_NAME = re.compile(
    r"^may_|^require_|^(?!_).*_(for|visible_to|of|named|by|about|rows)$|^signed_in$|^join$"
)
# Of a person or a calendar that was looked up before.
HARMLESS = {
    "accounts_named",
    "address_proved_by",
    "epoch_of",
    "plan_rows",
    "setting_of",
    "text_of",
}


def guards() -> Iterator[tuple[Any, str]]:
    """Yield every rule, and every query that decides what somebody may see."""
    drawers = [getattr(queries, name) for name in queries.__all__]
    for place in (
        account_rules,
        calendar_rules,
        *drawers,
        queries.path.Target,
        accounts,
        contacts,
        mail,
    ):
        for name, function in vars(place).items():
            is_ours = isfunction(function) and function.__module__ in (
                place.__name__,
                place.__module__ if isclass(place) else "",
            )
            if is_ours and GUARD_NAME.search(name) and name not in HARMLESS:
                yield place, name


def test_every_guard_is_known():
    assert set(guards()) == set(GUARDS)


@pytest.mark.parametrize(
    ("module", "name"), list(GUARDS), ids=lambda value: getattr(value, "__name__", value)
)
def test_without_a_guard_the_question_that_notices_fails(world, monkeypatch, module, name):
    unguarded, question = GUARDS[module, name]
    guard = getattr(module, name)
    monkeypatch.setattr(module, name, unguarded)
    for other in [each for title, each in sys.modules.items() if title.startswith("commontime.")]:
        if getattr(other, name, None) is guard:  # imported by its name
            monkeypatch.setattr(other, name, unguarded)

    with pytest.raises(AssertionError):
        question(world)
