"""Hostile requests to the real processes; the long forms are `fuzz` and `soak` of `make chaos`."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from chaos.fuzz import BATCH, batch, fault_of
from chaos.soak import Clients
from stage.schema_requests import Made
from stage.servers import wait_until

# Batches that found something once are added here.
NUMBERS = [1]


@pytest.mark.processes
@pytest.mark.parametrize("number", NUMBERS)
def test_hostile_requests_get_described_answers_and_change_nothing_of_others(site, number):
    faults, statuses = batch(site, number)

    assert faults == []
    assert statuses.total() >= 4 * BATCH
    assert statuses[200] > 10
    assert statuses[400] > 10


@pytest.mark.processes
def test_whoever_asks_for_pages_with_parameters_that_nobody_knows_gets_them(site):
    """The first minute of a soak, by one browser. Its clients that ask are the batches above."""
    with Clients(site, seed=1, count=1, browsers=1) as clients:
        wait_until(lambda: clients.faults or clients.statuses.total() > 40)
        memory = site.memory()

    assert clients.faults == []
    assert set(clients.statuses) <= {200, 404}
    assert memory > 0


ASKED = Made("PUT", "/profile/settings/", statuses={200, 401})
REFUSED = SimpleNamespace(status_code=401, data={"code": "x", "detail": "x"}, text="")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"status_code": 500}, "500 for"),
        ({"status_code": 418}, "418 is not described"),
        ({"data": {"detail": "x"}}, "401 without a code"),
    ],
)
def test_an_answer_that_is_not_described_would_be_seen(changes, fault):
    answer = SimpleNamespace(**{**vars(REFUSED), **changes})

    assert fault_of(ASKED, answer).startswith(fault)
    assert bool(fault_of(ASKED, answer)) == bool(fault)


def test_a_refusal_on_a_path_that_is_nobodys_needs_no_description():
    answer = SimpleNamespace(**{**vars(REFUSED), "status_code": 418})

    assert fault_of(replace(ASKED, statuses=None), answer) == ""
