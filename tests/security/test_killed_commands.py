"""Commands that are killed in the middle; the long forms are kinds of `make chaos`."""

import os
from types import SimpleNamespace

import pytest

import chaos.upgrades  # noqa: F401 (registers them)
from chaos.kinds import KINDS, Options
from tests.security.conftest import ON_POSTGRESQL

pytestmark = pytest.mark.processes


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["kill-migrations", "kill-backup"])
def test_a_command_that_was_killed_has_done_all_or_nothing_and_can_be_run_again(name):
    server = SimpleNamespace(url=os.environ["DATABASE_URL"]) if ON_POSTGRESQL else None

    found = KINDS[name].run(Options(cycles=1, seed=1, server=server))

    assert found.faults == []
    assert "kills" in found.tried
