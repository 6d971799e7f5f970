"""Who may do what: tests/access-matrix.csv, asked over HTTP, and what a table can't say (cases ID-01 to ID-18 of the security design)."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import get_resolver

from tests import build
from tests.access_world import ANYBODY, LATER, NAMES, ROLES, ROWS, Person, Row, World, everything_stored, rolled_back

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """One world for all questions; whatever a question changes is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


# The matrix (ID-01) -------------------------------------------------------------------------------------------------


def routes() -> dict[str, Any]:
    """Return every path of the product, in the matrix's words, with its view."""
    found: dict[str, Any] = {}
    for pattern in get_resolver().url_patterns:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: f"{{{NAMES.get(match[1], match[1])}}}", str(pattern.pattern))
        found.setdefault(path, pattern.callback)
    return found


def in_the_matrix(path: str) -> str:
    """Return the path as the matrix writes it: some names tell apart what the routes call alike, some paths end without a slash."""
    renamed = {"/app/mail/stop/{token}/": "/app/mail/stop/{stop}/", "/app/invitations/{token}/": "/app/invitations/{link}/"}
    path = renamed.get(path, path)
    return path.rstrip("/") if path.endswith(("z/", ".ics/", "{username}/")) and "contacts" not in path else path


def methods_of(world: World, path: str, view: Any) -> list[str]:
    """Return the methods a path answers: what a view class has, or whatever a function does not refuse."""
    if shown := getattr(view, "cls", None):
        return [method for method in METHODS if hasattr(shown, method.lower())]
    row = Row("page", "", path, {})
    answers = {}
    for method in METHODS:
        with rolled_back():
            answers[method] = world.people["mina"].browse(method, path.format(**world.things(row, world.people["mina"]))).status_code
    return [method for method, status in answers.items() if status != 405]


def test_every_route_and_method_is_in_the_matrix(world):
    found = {f"{method} {path}" for raw, view in routes().items() for path in [in_the_matrix(raw)] for method in methods_of(world, path, view)}

    assert found == {str(row) for row in ROWS}


def test_no_row_stands_twice():
    rows = [str(row) for row in [*ROWS, *LATER]]

    assert len(rows) == len(set(rows))


def asked(world: World, row: Row, role: str) -> list[tuple[str, Person]]:
    """Return everybody in the role; where the header is not read at all, two bad tokens say as much as nine."""
    people = list(world.who(role).items())
    return people[-2:] if role == "bad" and row.cells["bad"] == row.cells["anon"] == "200" else people


def differences(world: World, row: Row, roles: tuple[str, ...] = ROLES) -> list[str]:
    """Return where the product and the row of the matrix say different things; a refusal or a look that changed something is one too."""
    found = []
    for role in roles:
        for name, person in asked(world, row, role):
            for whose, expected in row.expected(role).items():
                answer, changed = world.ask(row, person, whose)
                if answer.status_code != expected:
                    found.append(f"{role} ({name}) {whose}: {answer.status_code}, not {expected}: {answer.content[:150]!r}")
                if changed and (row.method == "GET" or answer.status_code >= 400):
                    found.append(f"{role} ({name}) {whose}: {answer.status_code}, but something changed")
    return found


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_matrix_holds(world, row):
    assert differences(world, row) == []
