"""Commands that are killed in the middle; the long forms are kinds of `make chaos`.

One site serves them all. Each leaves it stopped, with a whole database.
"""

import signal
import subprocess
import sys

import pytest

from chaos.kinds import Options
from chaos.upgrades import (
    backups_folder,
    kill_backup_on,
    kill_migrations_on,
    kill_restore_on,
    timed,
)
from stage.servers import ROOT, open_site

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
ONCE = Options(cycles=1, seed=1)
# A migration whose last statements Django defers.
KILL_BEFORE_RECORDING = """
import os, signal
from django.core.management import call_command
from django.db import connection

def kill(execute, sql, params, *more):
    if sql.startswith('INSERT INTO "django_migrations"') and "0009_agreed" in params:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, *more)

call_command("migrate", "calendars", "0008", verbosity=0)
with connection.execute_wrapper(kill):
    call_command("prepare")
"""


@pytest.fixture(scope="module")
def site():
    with open_site(start=False) as running:
        yield running


def test_a_backup_that_was_killed_is_whole_or_not_there_and_can_be_made_again(site):
    with backups_folder() as folder:
        found = kill_backup_on(site, ONCE, folder)

    assert found.faults == []
    assert "kills" in found.tried


def test_a_restore_that_was_killed_leaves_the_old_or_the_new_and_can_be_done_again(site):
    with backups_folder() as folder:
        found = kill_restore_on(site, ONCE, folder)

    assert found.faults == []
    assert "kills" in found.tried


def test_an_upgrade_that_was_killed_is_completed_and_loses_nothing(site):
    found = kill_migrations_on(site, ONCE, writes=30, kills=1)

    assert found.faults == []
    assert "kills" in found.tried


def test_killed_between_a_migration_and_its_record_every_later_start_failed(site):
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c", KILL_BEFORE_RECORDING]
    killed = subprocess.run(shell, cwd=ROOT, env=site.environment, check=False)

    timed(site, "prepare")

    assert killed.returncode == -signal.SIGKILL
    assert site.count("django_migrations", "name = '0009_agreed'") == 1
