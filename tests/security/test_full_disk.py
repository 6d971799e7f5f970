"""The disk of the database is full for a while; the long form is a kind of `make chaos`."""

from contextlib import nullcontext

import pytest

from chaos.kinds import Options
from chaos.outages import disk_full
from stage import postgres
from tests.security.conftest import ON_POSTGRESQL

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_with_a_full_disk_writes_are_refused_and_nothing_is_lost_or_half_done():
    with postgres.server() if ON_POSTGRESQL else nullcontext() as server:
        found = disk_full(Options(cycles=1, seed=1, server=server), count=3)

    assert found.faults == []
    assert found.tried["refused writes"] > 0
