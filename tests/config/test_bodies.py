"""How many bodies a process waits for."""

from contextlib import ExitStack

import pytest

from commontime.config import bodies
from commontime.config.bodies import PLACES, PLACES_OF_ONE, Arrivals, NoPlace


def fill(stack: ExitStack, arrivals: Arrivals, networks: list[str]) -> None:
    for network in networks:
        stack.enter_context(arrivals.place(network))


def test_whole_requests_that_came_at_once_from_one_network_were_refused():
    with ExitStack() as stack:
        fill(stack, Arrivals(), ["office"] * 2 * PLACES)


@pytest.mark.parametrize(
    "slow",
    [["office"] * PLACES_OF_ONE, [f"network {n}" for n in range(PLACES)] + ["office"]],
    ids=["of one network", "in all"],
)
def test_slow_ones_leave_places_to_others(slow, monkeypatch):
    arrivals = Arrivals()
    with ExitStack() as stack:
        fill(stack, arrivals, slow)
        monkeypatch.setattr(bodies, "SLOW", 0.0)

        with pytest.raises(NoPlace), arrivals.place("office"):
            pass
        if len(slow) < PLACES:
            fill(stack, arrivals, ["home"])
