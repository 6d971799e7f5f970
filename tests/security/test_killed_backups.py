"""A backup that is killed in the middle; the long form is a kind of `make chaos`."""

import os
from types import SimpleNamespace

import pytest

from chaos.kinds import Options
from chaos.upgrades import kill_backup
from tests.security.conftest import ON_POSTGRESQL

pytestmark = pytest.mark.processes


@pytest.mark.timeout(240)
def test_a_backup_that_was_killed_is_whole_or_not_there_and_can_be_made_again():
    server = SimpleNamespace(url=os.environ["DATABASE_URL"]) if ON_POSTGRESQL else None

    found = kill_backup(Options(cycles=1, seed=1, server=server))

    assert found.faults == []
    assert "kills" in found.tried
