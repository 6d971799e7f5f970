"""Everything moves to another database, of either kind, and is the same there."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from stage.servers import Site, open_site

pytestmark = pytest.mark.processes
SQLITE = ""
NOT_COPIED = ("django_migrations",)  # each database tells when it was migrated


@contextmanager
def place(**how: str) -> Iterator[Site]:
    """Yield a site that is not started, and its empty database."""
    with open_site(start=False, **how) as site:
        yield site


def address(site: Site) -> str:
    return site.database_url or f"sqlite:///{site.folder}/commontime.sqlite3"


def as_text(row: tuple[Any, ...]) -> str:
    """PostgreSQL stores JSON without its spaces and in an order of its own."""
    cells = [
        json.loads(cell) if isinstance(cell, str) and cell[:1] in ("{", "[") else cell
        for cell in row
    ]
    return json.dumps(cells, sort_keys=True, default=repr)


def content(site: Site) -> dict[str, list[str]]:
    """Return the rows of every table of a SQLite database, and its triggers."""
    with closing(sqlite3.connect(site.folder / "commontime.sqlite3")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        rows = {
            table: sorted(map(as_text, connection.execute(f"SELECT * FROM {table}")))
            for (table,) in tables.fetchall()
            if table not in NOT_COPIED
        }
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        rows["triggers"] = sorted(map(repr, triggers))
    numbers = [json.loads(row) for row in rows.pop("sqlite_sequence")]
    rows["numbers"] = [f"{table} {last}" for table, last in numbers if last and table in rows]
    return rows


@pytest.fixture(scope="module")
def choir() -> Iterator[Site]:
    """The demo on SQLite, whose last account is deleted."""
    with place(server=SQLITE) as site:
        assert site.commontime("demo").returncode == 0
        made = site.commontime(
            "create-account", "eve", "eve@example.org", typed="correct horse 9\n"
        )
        assert made.returncode == 0, made.stderr
        assert site.commontime("delete-account", "eve", "--yes").returncode == 0
        yield site


@pytest.fixture
def target() -> Iterator[Site]:
    """An empty database of the kind that the tests run on."""
    with place() as site:
        yield site


@pytest.fixture(scope="module")
def moved(choir) -> Iterator[Site]:
    """The demo in its new place."""
    with place() as site:
        move(choir, site)
        yield site


def move(source: Site, target: Site) -> str:
    done = source.commontime("move-to", address(target))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_and_back_everything_is_the_same(choir, target):
    before = content(choir)
    with place(server=SQLITE) as back:
        said = move(choir, target)
        move(target, back)

        assert content(back) == before
    assert content(choir) == before
    assert f"{len(before['calendars_nonbusytime']):>10}  non busy times" in said
    assert len(before["calendars_nonbusytime"]) > 500
    assert "Now set DATABASE_URL to the new address" in said


def test_the_address_can_be_typed_instead(choir, target):
    done = choir.commontime("move-to", "-", typed=f"{address(target)}\n")

    assert done.returncode == 0, done.stderr
    assert address(target) not in done.stdout
    assert target.count("auth_user") == 40


def test_guards_and_what_they_derive_work_in_the_new_place(moved):
    versions = "SELECT id, version FROM calendars_calendar ORDER BY id"
    before, seats = moved.sql(versions), times_of_seats(moved)

    moved.sql("UPDATE calendars_nonbusytime SET preference_level = preference_level")

    assert times_of_seats(moved) == seats
    after = moved.sql(versions)
    assert all(new > old for (_, new), (_, old) in zip(after, before, strict=True))
    if moved.is_postgresql:
        assert moved.sql("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'O'") == []


def times_of_seats(site: Site) -> dict[str, list[str]]:
    seats = site.sql("SELECT CAST(id AS text), packed FROM calendars_calendarparticipant")
    return {seat: sorted(packed.split(";")) for seat, packed in seats}


def test_the_number_of_a_deleted_account_goes_to_nobody(moved):
    made = moved.commontime("create-account", "nora", "nora@example.org", typed="correct horse 9\n")

    assert made.returncode == 0, made.stderr
    assert moved.sql("SELECT id FROM auth_user WHERE username = 'nora'") == [(42,)]


def test_people_go_on_in_the_new_place(moved):
    moved.start("web")

    ingrid = moved.caller()
    ingrid.sign_in("ingrid", "a choir of forty")
    assert ingrid.post("/calendars/", {"name": "Afterwards"}).status_code == 201


def test_a_database_with_accounts_is_refused(choir, target):
    made = target.commontime("create-account", "sam", "sam@example.org", typed="correct horse 9\n")
    assert made.returncode == 0, made.stderr

    done = choir.commontime("move-to", address(target))

    assert (done.returncode, done.stderr) == (
        1,
        "The other database has accounts already. It must be empty.\n",
    )
    assert target.count("auth_user") == 1


def test_a_copy_that_fails_stores_nothing(choir, target):
    target.sql("CREATE UNIQUE INDEX spoilt ON calendars_meeting (calendar_id)")

    done = choir.commontime("move-to", address(target))

    assert done.returncode == 1
    assert "The copy failed, and nothing was stored" in done.stderr
    assert target.count("auth_user") == 0
    assert target.count("calendars_calendar") == 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://x/y", "DATABASE_URL must start with postgresql://"),
        ("postgresql://x@127.0.0.1:1/x", "Can’t connect to the database"),
        ("sqlite:////nowhere/at/all.sqlite3", "unable to open database file"),
    ],
)
def test_an_address_that_can_not_work_is_refused(choir, url, sentence):
    done = choir.commontime("move-to", url)

    assert done.returncode == 1
    assert sentence in done.stderr


def test_nothing_moves_while_commontime_runs(target, tmp_path: Path):
    target.start("web")

    done = target.commontime("move-to", f"sqlite:///{tmp_path}/other.sqlite3")

    assert done.returncode == 1
    assert "Commontime is running. Stop it first" in done.stderr
    assert list(tmp_path.iterdir()) == []
