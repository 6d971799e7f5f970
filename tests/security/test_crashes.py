"""Processes that are killed, ended or cut off.

Cases CR-01 and CR-02 (scaled down), CR-07, DE-08, IM-01 after a restart and IM-04.
"""

import random
import socket
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from chaos.ending import Visitors, end_under_load
from chaos.races import stored
from stage.crowd import at_once
from stage.servers import PATIENCE, Site, open_site, wait_until
from stage.writers import Writers

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def shaky() -> Iterator[Site]:
    """A site of its own to be killed. The worker is not needed."""
    with open_site(start=False) as running:
        running.start("web")
        yield running


def kill_one(site: Site) -> None:
    site.kill(random.choice(site.processes("web")))


def kill_one_and_its_successors(site: Site) -> None:
    victim = site.processes("web")[0]
    for _ in range(3):
        site.kill(victim)
        *_, victim = wait_until(
            lambda killed=victim: (
                len(left := site.processes("web")) == 2 and killed not in left and left
            )
        )


def kill_all_and_start(site: Site) -> None:
    site.kill_all("web")
    site.start("web")


def cut_from_database(site: Site) -> None:
    """Kill the backends of PostgreSQL; SQLite has none, so all processes go."""
    if not site.is_postgresql:
        return kill_all_and_start(site)
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            "current_database() AND pid <> pg_backend_pid()"
        )


# No write that was acknowledged is lost (CR-01, CR-02) --------------------------------------------


def test_what_was_acknowledged_survives_every_kill_and_nothing_is_half_done(shaky):
    people = [shaky.person() for _ in range(3)]
    ready_after = []

    with Writers(shaky, people, guest=shaky.person()) as writers:
        for accident in (
            kill_one,
            kill_one_and_its_successors,
            cut_from_database,
            kill_all_and_start,
            kill_one,
        ):
            writers.wait_for(20)
            accident(shaky)
            began = time.monotonic()
            writers.wait_for(1)
            ready_after.append(time.monotonic() - began)
        writers.wait_for(20)

    assert len(writers) > 120
    assert writers.statuses["no answer"] or writers.statuses[503]
    assert writers.faults() == []
    assert max(ready_after) < 20


def test_when_the_first_process_is_killed_the_others_do_not_serve_on_unseen(shaky):
    server = shaky.master("web")
    server.kill()
    server.wait(PATIENCE)

    wait_until(lambda: not is_open(shaky.port))
    shaky.stop("web")
    shaky.start("web")


def is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_the_audit_sees_a_write_that_was_acknowledged_and_is_gone(shaky):
    with Writers(shaky, [shaky.person()], count=2, guest=shaky.person()) as writers:
        writers.wait_for(30)
    assert writers.faults() == []
    window = stored(shaky, min(writers.acknowledged["window"]))
    [(calendar,)] = shaky.sql(f"SELECT calendar_id FROM calendars_nonbusytime WHERE id = {window}")
    mine = f"calendar_id = {stored(shaky, str(calendar))}"

    shaky.sql(f"DELETE FROM calendars_nonbusytime WHERE {mine}")
    shaky.sql(f"DELETE FROM calendars_calendarparticipant WHERE {mine}")
    shaky.sql("DELETE FROM mail_message WHERE event LIKE 'invitation:%'")
    lost, alone, untold = writers.faults()

    assert "acknowledged rows are lost: window" in lost
    assert alone == "1 calendars without their owner"
    assert "invitations without a mail" in untold
    shaky.sql("DELETE FROM calendars_invitation")
    shaky.sql(f"DELETE FROM calendars_calendar WHERE {mine.removeprefix('calendar_')}")


# An account goes as a whole (DE-08) ---------------------------------------------------------------


OWNERS = 20
MAKE_OWNERS = f"""
from tests import build
bob = build.user("bob")
for number in range({OWNERS}):
    owner = build.user(f"owner{{number}}")
    for _ in range(3):
        calendar = build.calendar(owner=owner, participants=[bob])
        build.meeting(calendar=calendar, final_time=build.day(9))
"""
# Each deletion in a process of its own. The first one shows how long it takes; the others are
# killed a little later each time.
DELETE_AND_KILL = f"""
import os, signal, time
from django.contrib.auth.models import User
from commontime.accounts.actions import sign_ins
from commontime.core.clients import Client
from commontime.calendars import actions

def begin(number):
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        owner = User.objects.get(username=f"owner{{number}}")
        opened = sign_ins.open_session(owner, door="api", client=Client())
        os.write(told, b"begun")
        actions.delete_account(owner, by=owner, session_id=opened.session.pk)
        print("done", number, flush=True)
        os._exit(0)
    os.read(heard, 5)
    return child

child, began = begin(0), time.monotonic()
os.waitpid(child, 0)
took = time.monotonic() - began
for number in range(1, {OWNERS}):
    child = begin(number)
    time.sleep(took * 1.3 * number / {OWNERS})
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_a_deletion_that_is_killed_in_the_middle_happened_or_did_not(shaky):
    shaky.manage("shell", "--no-imports", "-c", MAKE_OWNERS)
    said = shaky.manage("shell", "--no-imports", "-c", DELETE_AND_KILL).splitlines()

    there = {
        name for (name,) in shaky.sql("SELECT username FROM auth_user WHERE username LIKE 'owner%'")
    }
    seen = Counter("there" if f"owner{number}" in there else "gone" for number in range(OWNERS))
    assert seen["gone"] > 0
    assert seen["there"] > 0, "none was killed in the middle"
    assert {line for line in said if line.startswith("done")}.isdisjoint(
        {f"done {name[5:]}" for name in there}
    )
    for table, each in (
        ("calendars_calendar", 3),
        ("calendars_meeting", 3),
        ("calendars_calendarparticipant", 6),
    ):
        mine = (
            ""
            if table == "calendars_calendar"
            else " JOIN calendars_calendar c ON c.id = calendar_id"
        )
        owned = (
            f"{table} t{mine} JOIN auth_user u ON u.id = owner_id WHERE u.username LIKE 'owner%'"
        )
        rows = shaky.sql(f"SELECT u.username, count(*) FROM {owned} GROUP BY 1")
        assert dict(rows) == dict.fromkeys(there, each), table
    assert shaky.count("calendars_calendar", "name = 'Choir'") == 3 * len(there)
    assert shaky.count("accounts_usersetting", "username_key LIKE 'owner%'") == len(there)
    # A mail for each calendar that went, and one goodbye, exactly where the account is gone.
    assert shaky.count("mail_message", "recipient = 'bob@example.org'") == 3 * seen["gone"]
    assert shaky.count("mail_message", "kind = 'account_deleted'") == seen["gone"]


# A key holds (IM-01, IM-04) -----------------------------------------------------------------------


def test_a_key_still_holds_after_a_restart(shaky):
    alice = shaky.person()
    first = alice.post("/calendars/", {"name": "Once"}, idempotency_key="one key")

    shaky.stop("web")
    shaky.start("web")
    again = alice.post("/calendars/", {"name": "Once"}, idempotency_key="one key")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(alice.get("/calendars/").data) == 1


def test_two_hundred_posts_whose_answers_never_arrive_happen_once_when_they_are_sent_again(shaky):
    alice = shaky.person()
    numbers = range(200)

    def request(number: int) -> bytes:
        body = f'{{"name": "Cut {number}"}}'
        return (
            "POST /calendars/ HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {alice.access}\r\nIdempotency-Key: cut {number}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    for number in numbers:
        with socket.create_connection(("127.0.0.1", shaky.port)) as connection:
            connection.sendall(request(number))
            time.sleep(number % 5 * 0.003)
            if number % 2:
                # Reset, not closed: the server can't answer at all.
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
                )
    done_unheard = shaky.count("calendars_calendar", "name LIKE 'Cut %'")

    def again(part: int) -> list[int]:
        return [
            alice.post(
                "/calendars/", {"name": f"Cut {number}"}, idempotency_key=f"cut {number}"
            ).status_code
            for number in numbers[part::4]
        ]

    statuses = at_once(*(lambda p=part: again(p) for part in range(4)))

    assert {status for some in statuses for status in some} == {201}
    names = [
        name for (name,) in shaky.sql("SELECT name FROM calendars_calendar WHERE name LIKE 'Cut %'")
    ]
    assert sorted(names) == sorted(f"Cut {number}" for number in numbers)
    assert done_unheard > 0


# Ending politely (CR-07) --------------------------------------------------------------------------


def test_asked_to_end_the_server_finishes_what_it_has_begun_and_goes(shaky):
    visitors = Visitors(shaky, [shaky.person()])

    end = end_under_load(shaky, "web", visitors, count=8, more=30)
    shaky.stop("web")
    shaky.start("web")

    assert end.code == 0
    assert end.seconds < 10
    assert visitors.faults() == []


def test_somebody_who_never_finishes_a_request_does_not_keep_the_server_from_ending(shaky):
    with unfinished_request(shaky):
        server = shaky.master("web")
        server.terminate()
        assert server.wait(PATIENCE) == 0

    shaky.stop("web")
    shaky.start("web")


def unfinished_request(site: Site) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", site.port))
    connection.sendall(
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    )
    time.sleep(0.3)
    return connection
