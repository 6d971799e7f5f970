"""Every start checks the database and migrates it."""

import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from commontime.jobs.management.commands import prepare
from stage.servers import open_site


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_refused_with_its_reason(monkeypatch, is_postgresql):
    nowhere = (
        {"host": "127.0.0.1", "port": 1, "dbname": "x"}
        if is_postgresql
        else {"database": "/nowhere/at/all.sqlite3"}
    )
    monkeypatch.setattr(connection, "get_connection_params", lambda: nowhere)

    with pytest.raises(CommandError) as refusal:
        prepare.refuse_silent_database()

    assert ("Connection refused" if is_postgresql else "unable to open database file") in str(
        refusal.value
    )
    assert "DATABASE_URL" in str(refusal.value)


def test_a_new_database_is_up_to_date_afterwards():
    with open_site(start=False, prepared=False) as site:
        site.manage("prepare")

        assert "[ ]" not in site.manage("showmigrations")


@pytest.mark.django_db
def test_a_migration_that_is_not_done_is_noticed():
    assert prepare.is_migrated()

    MigrationRecorder.Migration.objects.filter(app="calendars").latest("id").delete()

    assert not prepare.is_migrated()


@pytest.mark.django_db
def test_a_migrated_database_is_not_migrated_again(monkeypatch):
    monkeypatch.setattr(prepare, "call_command", lambda *_, **__: pytest.fail("It migrates."))

    call_command("prepare")


@pytest.mark.postgresql
def test_a_database_of_somebody_else_ended_in_a_traceback():
    with open_site(start=False) as site:
        address = urlsplit(site.database_url)
        stranger = f"stranger_{uuid.uuid4().hex}"
        site.sql(f"CREATE ROLE {stranger} LOGIN")
        site.sql(f"CREATE DATABASE of_{stranger}")
        theirs = address._replace(
            netloc=address.netloc.replace(address.username, stranger), path=f"/of_{stranger}"
        )
        try:
            done = site.commontime("run", DATABASE_URL=urlunsplit(theirs))
        finally:
            site.sql(f"DROP DATABASE of_{stranger} WITH (FORCE)")
            site.sql(f"DROP ROLE {stranger}")

    assert done.returncode == 1
    assert done.stderr == (
        "Commontime does not start: The user in DATABASE_URL must own the database. PostgreSQL "
        "says: permission denied for schema public.\n"
    )
