"""Two people at once, over real HTTP with two web processes.

Cases RA-01 to RA-16, IM-01 in parallel and PR-04. Each race yields what went wrong in its rounds.
On the product that is nothing; with its guards off (weakened.py) it must be something.
"""

# ruff: noqa: B023, B008 (every call is over before its round is)
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from chaos.kinds import Found, Options, kind
from stage import crowd
from stage.callers import PASSWORD
from stage.crowd import after
from stage.servers import Remote, Site
from stage.times import day

CLIENTS = 8
Race = Callable[[Site, int], Iterator[str]]
RACES: dict[str, Race] = {}
_people: dict[tuple[str, str], Remote] = {}
_tally: Counter[str] = Counter()


def race(function: Race) -> Race:
    RACES[function.__name__] = function
    return function


def race_of(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls at the same moment, and count that."""
    _tally.update({"races": 1, "requests in them": len(calls)})
    return crowd.at_once(*calls)


def person(site: Site, name: str) -> Remote:
    """Somebody of the cast, who signs up when first asked for."""
    if (site.url, name) not in _people:
        _people[site.url, name] = site.person(name)
    return _people[site.url, name]


def cast(site: Site) -> tuple[Remote, Remote, Remote]:
    return person(site, "alice"), person(site, "bob"), person(site, "carol")


def new_calendar(owner: Remote, *people: Remote) -> str:
    made = owner.post("/calendars/", {"name": "Choir"})
    assert made.status_code == 201, made.text
    path = f"/calendars/{made.data['id']}/"
    for one in people:
        assert owner.post(f"{path}participants/", {"user": one.id}).status_code == 201
    return path


def new_meeting(owner: Remote, calendar: str) -> str:
    made = owner.post(f"{calendar}meetings/", {"deadline": day(12).isoformat()})
    assert made.status_code == 201, made.text
    return f"{calendar}meetings/{made.data['id']}/"


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def uuid_in(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def stored(site: Site, identifier: str) -> str:
    """An id as the database holds it, quoted."""
    return f"'{identifier if site.is_postgresql else identifier.replace('-', '')}'"


def one_winner(answers: list[Any], won: int, *lost: int) -> Iterator[str]:
    """Yield what is wrong unless exactly one won and all others lost as they should."""
    seen = statuses(answers)
    if seen[won] != 1 or set(seen) - {won, *lost}:
        yield f"not one winner: {dict(seen)}"


def rows_are(site: Site, table: str, where: str, wanted: int = 1) -> Iterator[str]:
    count = site.count(table, where)
    if count != wanted:
        yield f"{count} rows in {table}, not {wanted}"


# Calendars and meetings ---------------------------------------------------------------------------


@race
def ra_01_final_times_of_one_meeting(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    calendar = new_calendar(alice, bob)
    for _ in range(rounds):
        meeting = new_meeting(alice, calendar)
        tag = alice.get(meeting).headers["ETag"]
        times = [day(hour).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in range(CLIENTS)]

        answers = race_of(
            *(lambda t=t: alice.put(meeting, {"final_time": t}, if_match=tag) for t in times)
        )

        yield from one_winner(answers, 200, 409, 412)
        winners = [t for t, answer in zip(times, answers, strict=True) if answer.status_code == 200]
        if alice.get(meeting).data["final_time"] not in winners:
            yield "the stored time is not the winner's"
        yield from rows_are(
            site, "mail_message", f"event = 'meeting:{uuid_in(meeting)}' AND kind = 'request'", 2
        )


@race
def ra_02_final_time_deadline_and_deletion(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    calendar = new_calendar(alice, bob)
    final, deadline = (day(hour).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in (9, 15))
    for number in range(rounds):
        meeting = new_meeting(alice, calendar)

        finalised, moved, deleted = race_of(
            lambda: alice.put(meeting, {"final_time": final}),
            lambda: alice.put(meeting, {"deadline": deadline}),
            after(number, lambda: alice.delete(meeting)),
        )

        if {finalised.status_code, moved.status_code} - {
            200,
            404,
            409,
        } or deleted.status_code not in (204, 409):
            yield f"{finalised.status_code} {moved.status_code} {deleted.status_code}"
        now = alice.get(meeting)
        if (now.status_code == 404) != (deleted.status_code == 204):
            yield "deleted, or not"
        if (
            now.status_code == 200
            and finalised.status_code == 200
            and now.data["final_time"] != final
        ):
            yield "the final time is lost"
        if now.status_code == 200 and moved.status_code == 200 and now.data["deadline"] != deadline:
            yield "the deadline is lost"
        mails = site.sql(
            f"SELECT kind, sequence FROM mail_message WHERE event = 'meeting:{uuid_in(meeting)}'"
        )
        cancels = [sequence for kind, sequence in mails if kind == "cancelled"]
        requests = [sequence for kind, sequence in mails if kind == "request"]
        if (
            finalised.status_code == 200
            and deleted.status_code == 204
            and (len(cancels) != 2 or max(requests) >= min(cancels))
        ):
            yield f"told of the final time, not of the end: {sorted(mails)}"
        if finalised.status_code != 200 and mails:
            yield "told of what did not happen"


@race
def ra_10_times_after_the_calendar_is_final(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    for _ in range(rounds // 3):
        calendar = new_calendar(alice, bob)
        acknowledged: list[float] = []

        def finalise(calendar: str = calendar, acknowledged: list[float] = acknowledged) -> int:
            status = alice.put(calendar, {"is_finalized": True}).status_code
            acknowledged.append(time.monotonic())
            return status

        def write(
            hour: int, calendar: str = calendar, acknowledged: list[float] = acknowledged
        ) -> list[tuple[float, int]]:
            seen = []
            for minute in range(0, 50, 10):
                start = day(hour) + timedelta(minutes=minute)
                times = {
                    "start_time": start.isoformat(),
                    "end_time": (start + timedelta(minutes=10)).isoformat(),
                }
                began = time.monotonic()
                seen.append((began, bob.post(f"{calendar}nonbusytimes/", times).status_code))
            return seen

        final, *written = race_of(finalise, *(lambda h=h: write(h) for h in range(4)))

        if final != 200:
            yield f"finalised with {final}"
        for began, status in itertools.chain(*written):
            if status not in (201, 409) or (began > acknowledged[0] and status == 201):
                yield f"{status} after the end"


@race
def ra_12_new_things_in_a_calendar_that_goes(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, carol = cast(site)
    for number in range(rounds):
        calendar = new_calendar(alice, bob)
        times = {"start_time": day(9).isoformat(), "end_time": day(10).isoformat()}
        meeting = {"deadline": day(12).isoformat()}
        invitation = {"calendar": uuid_in(calendar), "receiver": carol.id}

        deleted, *made = race_of(
            after(number, lambda: alice.delete(calendar)),
            lambda: alice.post(f"{calendar}meetings/", meeting),
            lambda: alice.post(
                f"{calendar}meetings/", meeting, idempotency_key=f"meeting of {calendar}"
            ),
            lambda: bob.post(f"{calendar}nonbusytimes/", times),
            lambda: alice.post(f"{calendar}nonbusytimes/", times),
            lambda: alice.post("/calendars/invitations/", invitation),
            lambda: alice.post(f"{calendar}participants/", {"user": carol.id}),
        )

        if deleted.status_code != 204 or set(statuses(made)) - {201, 400, 404, 409}:
            yield f"{deleted.status_code} {dict(statuses(made))}"
        for table in (
            "calendars_meeting",
            "calendars_nonbusytime",
            "calendars_invitation",
            "calendars_calendarparticipant",
        ):
            yield from rows_are(site, table, f"calendar_id = {stored(site, uuid_in(calendar))}", 0)


@race
def final_times_of_the_same_people_in_two_calendars(site: Site, rounds: int) -> Iterator[str]:
    # The others are in meetings of other races, so that the plan could be empty.
    alice, bob, carol = (person(site, name) for name in ("dana", "emil", "frida"))
    for number in range(rounds):
        calendars = [new_calendar(owner, carol) for owner in (alice, bob)]
        window = {"start_time": day(9).isoformat(), "end_time": day(10).isoformat()}
        for owner, calendar in zip((alice, bob), calendars, strict=True):
            for one in (owner, carol):
                assert one.post(f"{calendar}nonbusytimes/", window).status_code == 201
        meetings = [
            new_meeting(owner, calendar)
            for owner, calendar in zip((alice, bob), calendars, strict=True)
        ]
        assert alice.post(f"{calendars[0]}plan/", {}).status_code == 200

        def fix() -> Any:
            return bob.put(
                meetings[1],
                {"final_time": day(9).isoformat(), "strict": True},
                x_deferred="yes",
            )

        def apply() -> Any:
            return alice.post(f"{calendars[0]}plan/apply/", {}, x_deferred="yes")

        answers = race_of(*((fix, apply) if number % 2 else (apply, fix)))
        yield from one_winner(answers, 200, 409)
        for owner, calendar in zip((alice, bob), calendars, strict=True):
            assert owner.delete(calendar).status_code == 204


@race
def ra_14_two_changes_of_what_both_have_seen(site: Site, rounds: int) -> Iterator[str]:
    alice, _, _ = cast(site)
    calendar = new_calendar(alice)
    for number in range(rounds):
        tag = alice.get(calendar).headers["ETag"]
        answers = race_of(
            *(
                lambda n=n: alice.put(calendar, {"name": f"{number} {n}"}, if_match=tag)
                for n in range(4)
            )
        )
        yield from one_winner(answers, 200, 412, 409)


# People -------------------------------------------------------------------------------------------


@race
def ra_03_one_participant_added_by_many(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    for _ in range(rounds):
        calendar = new_calendar(alice)
        answers = race_of(
            *[lambda: alice.post(f"{calendar}participants/", {"user": bob.id})] * CLIENTS
        )
        yield from one_winner(answers, 201, 409)
        yield from rows_are(
            site,
            "calendars_calendarparticipant",
            f"calendar_id = {stored(site, uuid_in(calendar))} AND user_id = {bob.id}",
        )


@race
def ra_04_one_invitation_sent_by_many(site: Site, rounds: int) -> Iterator[str]:
    alice, _, carol = cast(site)
    for _ in range(rounds):
        calendar = new_calendar(alice)
        invitation = {"calendar": uuid_in(calendar), "receiver": carol.id}
        answers = race_of(*[lambda: alice.post("/calendars/invitations/", invitation)] * CLIENTS)
        yield from one_winner(answers, 201, 409)
        yield from rows_are(
            site, "calendars_invitation", f"calendar_id = {stored(site, uuid_in(calendar))}"
        )
        made = [
            f"'invitation:{answer.data['id']}'" for answer in answers if answer.status_code == 201
        ]
        yield from rows_are(site, "mail_message", f"event IN ({', '.join(made)})")


@race
def ra_05_one_invitation_accepted_by_many_clicks(site: Site, rounds: int) -> Iterator[str]:
    alice, _, carol = cast(site)
    for _ in range(rounds):
        calendar = new_calendar(alice)
        made = alice.post(
            "/calendars/invitations/", {"calendar": uuid_in(calendar), "receiver": carol.id}
        )
        invitation = made.headers["Location"]
        answers = race_of(
            *[lambda: carol.put(invitation, {"status": "accepted"}, x_deferred="yes")] * CLIENTS
        )
        if set(statuses(answers)) - {200, 409} or 200 not in statuses(answers):
            yield str(statuses(answers))
        yield from rows_are(
            site,
            "calendars_calendarparticipant",
            f"calendar_id = {stored(site, uuid_in(calendar))} AND user_id = {carol.id}",
        )
        yield from rows_are(site, "mail_message", f"event = 'accepted:{made.data['id']}'")


@race
def ra_07_times_of_somebody_who_is_removed(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    for number in range(rounds):
        calendar = new_calendar(alice, bob)
        seat = next(
            one for one in alice.get(f"{calendar}participants/").data if one["user"] == bob.id
        )
        hours = range(4)

        # With its guards off the site heeds the header: on SQLite there is a writer at a time
        # unless told otherwise.
        removed, *written = race_of(
            after(
                number,
                lambda: alice.delete(f"{calendar}participants/{seat['id']}/", x_deferred="yes"),
            ),
            *(
                lambda h=h: bob.post(
                    f"{calendar}nonbusytimes/",
                    {
                        "start_time": day(h).isoformat(),
                        "end_time": day(h + 1).isoformat(),
                    },
                    x_deferred="yes",
                )
                for h in hours
            ),
        )

        if removed.status_code != 204 or set(statuses(written)) - {201, 404}:
            yield f"{removed.status_code} {dict(statuses(written))}"
        yield from rows_are(
            site, "calendars_nonbusytime", f"calendar_id = {stored(site, uuid_in(calendar))}", 0
        )


@race
def ra_08_times_that_overlap(site: Site, rounds: int) -> Iterator[str]:
    alice, _, _ = cast(site)
    for number in range(rounds):
        if number % 100 == 0:  # a calendar is at most 400 days long
            calendar = new_calendar(alice)
        start = day(0, days=30 + number % 100)
        times = [
            {
                "start_time": (start + timedelta(minutes=n)).isoformat(),
                "end_time": (start + timedelta(hours=3)).isoformat(),
            }
            for n in range(CLIENTS)
        ]
        answers = race_of(*(lambda t=t: alice.post(f"{calendar}nonbusytimes/", t) for t in times))
        yield from one_winner(answers, 201, 409)
        where = f"calendar_id = {stored(site, uuid_in(calendar))}"
        yield from rows_are(site, "calendars_nonbusytime", where, number % 100 + 1)


@race
def ra_13_one_contact_added_by_many(site: Site, rounds: int) -> Iterator[str]:
    alice, bob, _ = cast(site)
    for _ in range(rounds):
        answers = race_of(*[lambda: alice.post("/contacts/add/", {"contactee": bob.id})] * CLIENTS)
        yield from one_winner(answers, 201, 409)
        yield from rows_are(
            site, "contacts_contact", f"owner_id = {alice.id} AND contactee_id = {bob.id}"
        )
        alice.delete(f"/contacts/delete/{bob.name}/")


# Accounts -----------------------------------------------------------------------------------------


@race
def one_name_taken_by_many(site: Site, rounds: int) -> Iterator[str]:
    for number in range(rounds // 3):
        name = f"taken{number}x{time.monotonic_ns()}"
        account = {
            "email": f"{name}@example.org",
            "first_name": "",
            "last_name": "",
            "password": PASSWORD,
        }
        spellings = [name, name.upper(), name.title()]
        answers = race_of(
            *(
                lambda n=n: site.caller().post(
                    "/signup/", {**account, "username": spellings[n % 3]}
                )
                for n in range(CLIENTS)
            )
        )
        yield from one_winner(answers, 201, 400)
        yield from rows_are(site, "auth_user", f"lower(username) = '{name}'")


@race
def a_refresh_token_used_by_many(site: Site, rounds: int) -> Iterator[str]:
    alice, _, _ = cast(site)
    for _ in range(rounds // 3):
        mine = site.caller()
        mine.name = alice.name
        mine.sign_in()

        answers = race_of(
            *[lambda: site.caller().post("/token/refresh/", {"refresh": mine.refresh})] * CLIENTS
        )

        yield from one_winner(answers, 200, 401)
        losers = {answer.data["code"] for answer in answers if answer.status_code == 401}
        if losers != {"refreshed_meanwhile"}:
            yield f"lost with {losers}"
        # They are tabs of one person on one network, so all stay signed in with the winner's pair.
        for pair in [answer.data for answer in answers if answer.status_code == 200]:
            if alice.get("/profile/", authorization=f"Bearer {pair['access']}").status_code != 200:
                yield "the access token is dead"
            if (
                site.caller().post("/token/refresh/", {"refresh": pair["refresh"]}).status_code
                != 200
            ):
                yield "the family is dead"


@race
def sign_ins_with_a_password_that_changes(site: Site, rounds: int) -> Iterator[str]:
    for number in range(max(rounds // 4, 1)):
        owner = site.person()
        new = f"a wholly new password {number}"
        credentials = {"username": owner.name, "password": PASSWORD}

        changed, *signed_in = race_of(
            lambda: owner.post("/profile/edit/", {"password": new}),
            *[lambda: site.caller().post("/login/", credentials)] * 5,
        )

        if changed.status_code != 200 or set(statuses(signed_in)) - {200, 401}:
            yield f"{changed.status_code} {dict(statuses(signed_in))}"
        for answer in (answer for answer in signed_in if answer.status_code == 200):
            if (
                owner.get("/profile/", authorization=f"Bearer {answer.data['access']}").status_code
                != 401
            ):
                yield "signed in with the old password"
            if (
                site.caller()
                .post("/token/refresh/", {"refresh": answer.data["refresh"]})
                .status_code
                != 401
            ):
                yield "refreshed with the old password"
        if (
            owner.get("/profile/", authorization=f"Bearer {changed.data['access']}").status_code
            != 200
        ):
            yield "the owner is signed out too"


@race
def rl_01_fifty_wrong_passwords(site: Site, rounds: int) -> Iterator[str]:
    for _ in range(2):
        name = f"guessed{time.monotonic_ns()}"
        paths = itertools.cycle(["/login/", "/token/"])
        answers = race_of(
            *(
                lambda p=next(paths): site.caller().post(p, {"username": name, "password": "wrong"})
                for _ in range(50)
            )
        )
        # Only an answer of 401 compared a password.
        if statuses(answers) != {401: 10, 429: 40}:
            yield f"{dict(statuses(answers))}"


@race
def pr_04_a_reset_link_used_by_many(site: Site, rounds: int) -> Iterator[str]:
    owners = [site.person() for _ in range(max(rounds // 5, 2))]
    for owner, link in zip(owners, reset_links(site, owners), strict=True):
        answers = race_of(
            *(
                lambda n=n, link=link: site.caller().post(
                    link, {"password": f"a wholly new password {n}"}
                )
                for n in range(CLIENTS)
            )
        )
        yield from one_winner(answers, 200, 400)
        yield from rows_are(
            site, "mail_message", f"kind = 'password_changed' AND user_id = {owner.id}"
        )


def reset_links(site: Site, owners: list[Remote]) -> list[str]:
    names = [owner.name for owner in owners]
    code = (
        "from commontime.accounts.tasks import reset_url\n"
        "from django.contrib.auth.models import User\n"
        f"for name in {names!r}: print(reset_url(User.objects.get(username=name)))"
    )
    return [
        url.partition(str(site.port))[2]
        for url in site.manage("shell", "--no-imports", "-c", code).split()
    ]


# The same request many times ----------------------------------------------------------------------


@race
def im_01_one_key_used_by_many(site: Site, rounds: int) -> Iterator[str]:
    alice, _, _ = cast(site)
    for _ in range(rounds):
        key = f"key-{time.monotonic_ns()}"
        answers = race_of(
            *[
                lambda: alice.post(
                    "/calendars/", {"name": key}, idempotency_key=key, x_deferred="yes"
                )
            ]
            * CLIENTS
        )
        if {(answer.status_code, answer.content) for answer in answers} != {
            (201, answers[0].content)
        }:
            yield f"not one answer: {dict(statuses(answers))}"
        if sum("Idempotency-Replayed" not in answer.headers for answer in answers) != 1:
            yield "not one was done"
        yield from rows_are(site, "calendars_calendar", f"name = '{key}'")


# All of them --------------------------------------------------------------------------------------


@kind(cycles=1000)
def races(options: Options) -> Found:
    """Two or more at once, in many ways: one wins, the others are told, nothing is stored
    twice, and nobody gets an error of ours."""
    _tally.clear()
    faults = []
    with options.site("web", "worker") as site:
        for name, run in RACES.items():
            before = _tally["races"]
            faults += [f"{name}: {fault}" for fault in run(site, options.cycles)]
            if _tally["races"] == before:
                faults.append(f"{name} was not run")
    return Found({"kinds": len(RACES), **_tally}, faults)
