"""`make run` refuses what could not work before it starts anything."""

import socket

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from commontime.jobs.management.commands import prepare
from stage.servers import open_site


@pytest.fixture
def taken_port():
    with socket.socket() as other:
        # As the web server listens: one that shares its port would be joined in silence.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_refused_with_the_way_out(taken_port):
    with (
        override_settings(HOST="127.0.0.1", PORT=taken_port),
        pytest.raises(CommandError) as refusal,
    ):
        call_command("prepare")

    assert str(refusal.value) == (
        f"Can’t listen on 127.0.0.1:{taken_port}: Address already in use. Choose another port, "
        "for example: PORT=8001 make run"
    )


def test_a_free_port_stays_free(taken_port):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]

    prepare.refuse_taken_port("127.0.0.1", free)
    prepare.refuse_taken_port("127.0.0.1", free)


def test_a_host_that_is_not_this_machine_is_refused():
    with pytest.raises(CommandError, match=r"Can’t listen on host\.invalid:8000"):
        prepare.refuse_taken_port("host.invalid", 8000)


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
    with open_site(start=False) as site:  # which runs it
        assert "[ ]" not in site.manage("showmigrations")
