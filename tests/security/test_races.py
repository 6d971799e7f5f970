"""Two people at once: the races of chaos/races.py, and crowds. The long form is `make chaos`."""

# ruff: noqa: B023 (every call is over before its round is)
import random
import time
from collections import Counter
from typing import Any

import pytest

from chaos.races import (
    CLIENTS,
    RACES,
    cast,
    new_calendar,
    new_meeting,
    person,
    reset_links,
    rows_are,
    statuses,
    stored,
    uuid_in,
)
from stage.crowd import at_once
from stage.servers import Remote
from tests import build

pytestmark = pytest.mark.processes
ROUNDS = 25


@pytest.mark.parametrize("name", RACES)
def test_of_many_at_once_one_wins_and_nothing_breaks(site, name):
    assert list(RACES[name](site, ROUNDS)) == []


@pytest.mark.parametrize("name", RACES)
def test_without_its_guard_the_race_is_lost(weak_site, name):
    assert next(RACES[name](weak_site, ROUNDS), None)


def test_people_are_invited_and_accept_while_the_calendar_changes_hands(site):
    """PostgreSQL loses a row whose calendar became another owner's while it waited for it."""
    alice, bob, carol = cast(site)
    dora = person(site, "dora")
    for _ in range(ROUNDS):
        calendar = new_calendar(alice, bob)
        invitation = alice.post(
            "/calendars/invitations/", {"calendar": uuid_in(calendar), "receiver": carol.id}
        ).headers["Location"]

        answers = at_once(
            lambda: alice.post(f"{calendar}transfer/", {"user": bob.id}),
            *[lambda: carol.put(invitation, {"status": "accepted"})] * CLIENTS,
            *[
                lambda: bob.post(
                    "/calendars/invitations/", {"calendar": uuid_in(calendar), "receiver": dora.id}
                )
            ]
            * CLIENTS,
        )

        assert statuses(answers[: CLIENTS + 1]) == {200: CLIENTS + 1}
        assert set(statuses(answers[CLIENTS + 1 :])) <= {201, 403, 409}


def test_a_plan_is_applied_while_another_takes_its_place(site):
    """Deleting the last one would have whoever waits for its row find none."""
    alice, bob, _ = cast(site)
    for _ in range(ROUNDS // 5):
        calendar = new_calendar(alice, bob)
        new_meeting(alice, calendar)
        times = {"start_time": build.day(9).isoformat(), "end_time": build.day(11).isoformat()}
        for one in (alice, bob):
            assert one.post(f"{calendar}nonbusytimes/", times).status_code == 201
        assert alice.post(f"{calendar}plan/", {}).status_code == 200

        answers = at_once(
            *[
                lambda: alice.post(f"{calendar}plan/", {}),
                lambda: alice.post(f"{calendar}plan/apply/"),
            ]
            * (CLIENTS // 2)
        )

        assert set(statuses(answers)) <= {200, 409}, statuses(answers)
        assert (
            list(
                rows_are(site, "calendars_plan", f"calendar_id = {stored(site, uuid_in(calendar))}")
            )
            == []
        )


# Everything at once -------------------------------------------------------------------------------


def test_a_crowd_on_three_calendars_breaks_nothing(site):
    """RA-16: whatever crosses, nobody gets an error of ours, nobody deadlocks, and each calendar
    stays whole.
    """
    people = [site.person() for _ in range(4)]
    calendars = [
        new_calendar(owner, *(one for one in people if one is not owner)) for owner in people[:3]
    ]
    meetings = [
        new_meeting(owner, calendar) for owner, calendar in zip(people, calendars, strict=False)
    ]
    before = len(site.log("web"))
    end = time.monotonic() + 6
    seen: Counter[int] = Counter()

    def live(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < end:
            which = chance.randrange(3)
            one, calendar, meeting = chance.choice(people), calendars[which], meetings[which]
            owner = people[which]
            hour = chance.randrange(600)
            times = {
                "start_time": build.day(hour).isoformat(),
                "end_time": build.day(hour + 3).isoformat(),
            }
            other = chance.choice(people)
            act = chance.choice(
                [
                    lambda: one.post(f"{calendar}nonbusytimes/", times),
                    lambda: one.put(
                        f"{calendar}nonbusytimes/",
                        {"from": times["start_time"], "to": times["end_time"], "windows": [times]},
                    ),
                    lambda: owner.put(meeting, {"final_time": times["start_time"]}),
                    lambda: owner.put(meeting, {"final_time": None}),
                    lambda: owner.put(calendar, {"name": f"Choir {hour}"}),
                    lambda: owner.put(calendar, {"is_finalized": hour % 5 == 0}),
                    lambda: owner.post(f"{calendar}participants/", {"user": other.id}),
                    lambda: owner.post(
                        "/calendars/invitations/",
                        {"calendar": uuid_in(calendar), "receiver": other.id},
                    ),
                    lambda: remove_somebody(owner, calendar, other),
                    lambda: one.post(
                        f"/calendars/meetings/{uuid_in(meeting)}/suggestions/",
                        {"suggested_time": times["start_time"]},
                    ),
                    lambda: one.post("/profile/edit/", {"first_name": f"Name {hour}"}),
                    lambda: one.get(f"{calendar}availability/"),
                    lambda: one.get("/calendars/"),
                    lambda: one.post("/contacts/add/", {"contactee": other.id}),
                    lambda: one.delete(f"/contacts/delete/{other.name}/"),
                ]
            )
            answer = act()
            if answer is not None:
                seen[answer.status_code] += 1
                assert answer.status_code < 500, answer.text

    at_once(*(lambda n=n: live(n) for n in range(12)))

    assert set(seen) <= {200, 201, 204, 400, 403, 404, 409}, seen
    assert seen[200] > 50
    assert seen[201] > 10
    log = site.log("web")[before:]
    assert "deadlock" not in log.lower()
    assert "Traceback" not in log
    for owner, calendar in zip(people, calendars, strict=False):
        assert owner.id in {seat["user"] for seat in owner.get(f"{calendar}participants/").data}
    seats = "SELECT calendar_id, user_id FROM calendars_calendarparticipant"
    assert site.sql(f"SELECT calendar_id, user_id FROM calendars_nonbusytime EXCEPT {seats}") == []


def remove_somebody(owner: Remote, calendar: str, other: Remote) -> Any:
    seats = owner.get(f"{calendar}participants/").data
    seat = next((seat for seat in seats if seat["user"] == other.id), None)
    return seat and owner.delete(f"{calendar}participants/{seat['id']}/")


# Signed out ---------------------------------------------------------------------------------------


def test_signed_out_means_signed_out_in_every_process_at_once(site):
    """P5: no request sent after the acknowledgement succeeds, whatever ended the sign-in and
    whichever process answers.
    """

    def sign_out(one: Remote) -> Any:
        return one.post("/logout/", {"refresh_token": one.refresh})

    def change_password(one: Remote) -> Any:
        return one.post("/profile/edit/", {"password": "a wholly new password"})

    def reset_password(one: Remote) -> Any:
        return site.caller().post(
            reset_links(site, [one])[0], {"password": "a wholly new password"}
        )

    def deactivate(one: Remote) -> None:
        site.manage("deactivate", one.name)

    def delete(one: Remote) -> Any:
        return one.post("/profile/delete/", {"refresh_token": one.refresh})

    for end in (sign_out, change_password, reset_password, deactivate, delete):
        one = site.person()
        assert statuses(at_once(*[lambda: one.get("/profile/")] * CLIENTS)) == {200: CLIENTS}

        done = end(one)

        assert done is None or done.status_code in (200, 204), end.__name__
        for _ in range(4):
            assert statuses(at_once(*[lambda: one.get("/profile/")] * CLIENTS)) == {401: CLIENTS}, (
                end.__name__
            )
        assert site.caller().post("/token/refresh/", {"refresh": one.refresh}).status_code == 401, (
            end.__name__
        )
