"""A PostgreSQL server that is stopped and comes back: cases CR-02, CR-06 and CR-11. Collected when
the tests run on PostgreSQL.
"""

import re
import time

import pytest

from stage import postgres
from stage.crowd import at_once
from stage.pages import browser
from stage.servers import open_site, wait_until
from stage.writers import Writers
from tests.security.test_outages import is_outage_for_people, is_outage_for_programs

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server():
    with postgres.server() as own:
        yield own


@pytest.fixture(scope="module")
def shop(server):
    with open_site(server=server.url) as running:
        yield running


def test_while_the_server_is_away_everybody_is_told_so_and_afterwards_all_is_as_before(
    server, shop
):
    alice = shop.person()
    calendar = alice.post("/calendars/", {"name": "Choir"}).headers["Location"]
    page = browser(shop, alice.name)
    assert page.get("/app/").status_code == 200

    server.stop()
    began = time.monotonic()
    read, write, login, ready, alive, shown = at_once(
        lambda: alice.get(calendar),
        lambda: alice.put(calendar, {"name": "Never"}),
        lambda: shop.caller().post("/login/", {"username": alice.name, "password": "x"}),
        lambda: shop.caller().get("/readyz"),
        lambda: shop.caller().get("/healthz"),
        lambda: page.get("/app/"),
    )
    took = time.monotonic() - began
    server.start()
    began = time.monotonic()
    wait_until(lambda: alice.get(calendar).status_code == 200)
    back_after = time.monotonic() - began

    assert all(is_outage_for_programs(answer) for answer in (read, write, login, ready))
    assert (alive.status_code, alive.content) == (200, b"ok")
    assert is_outage_for_people(shown)
    assert took < 20
    assert back_after < 5
    assert alice.get(calendar).data["name"] == "Choir"
    assert shop.caller().get("/readyz").status_code == 200
    assert page.get("/app/").status_code == 200
    # The worker comes back by itself as well.
    shop.caller().post("/password_reset/", {"email": f"{alice.name}@example.org"})
    wait_until(lambda: shop.sink.received)


def test_an_outage_of_ten_seconds_is_two_lines_of_each_process(server):
    """It was 2,336 lines in 21 seconds, with 52 tracebacks."""
    one_each = {f"COMMONTIME_{kind}": "1" for kind in ("WEB_WORKERS", "WORKERS", "PLANNERS")}
    with open_site(server=server.url, **one_each) as site:
        site.start("planner")
        (prepares,) = wait_until(lambda: site.processes("planner"))
        wait_until(lambda: site.processes("planner") not in ([], [prepares]))
        alice = site.person()
        calendar = alice.post("/calendars/", {"name": "Choir"}).headers["Location"]
        names = ("web", "worker", "planner")
        before = {name: len(site.log(name)) for name in names}

        server.stop()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            at_once(*[lambda: alice.get(calendar)] * 4, lambda: site.caller().get("/readyz"))
            time.sleep(0.2)
        server.start()
        wait_until(lambda: all("is back" in site.log(name)[before[name] :] for name in names))
        wait_until(lambda: alice.get(calendar).status_code == 200)

        for name in names:
            away, back = site.log(name)[before[name] :].splitlines()
            assert "ERROR" in away
            assert "The database is away: " in away
            assert re.search(r"WARNING .*The database is back after (9|1[0-5]) seconds\.", back)


def test_nothing_acknowledged_is_lost_when_the_server_crashes(server, shop):
    people = [shop.person() for _ in range(3)]

    with Writers(shop, people, guest=shop.person()) as writers:
        for _ in range(2):
            writers.wait_for(30)
            server.stop()
            time.sleep(0.5)
            server.start()
        writers.wait_for(30)

    assert set(writers.statuses) == {201, 503}
    assert writers.faults() == []
