"""Hostile requests made up from /schema/, by five roles."""

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any

from chaos.kinds import NO_LIMIT, Found, Options, kind
from chaos.races import stored
from stage.callers import PASSWORD
from stage.crowd import at_once
from stage.schema_requests import Made, Requests
from stage.servers import Answer, NoAnswer, Remote, Site
from stage.times import day, iso

AT_ONCE = 4
BATCH = 50  # requests of each role
# Refusals that any request may get, whatever its operation describes.
ALWAYS = {400, 401, 403, 404, 405, 406, 413, 414, 415, 431}
# Of whom nothing may change while somebody asks. Each statement selects what is theirs alone.
THINGS = {
    "account": "SELECT * FROM auth_user u JOIN accounts_usersetting s ON s.user_id = u.id "
    "WHERE u.id = {id}",
    "contacts": "SELECT * FROM contacts_contact WHERE owner_id = {id}",
    "times": "SELECT * FROM calendars_nonbusytime WHERE user_id = {id}",
    "suggestions": "SELECT * FROM calendars_schedulesuggestion WHERE author_id = {id}",
    "invitations": "SELECT id, receiver_id FROM calendars_invitation WHERE sender_id = {id}",
    "calendars": "SELECT id, name, owner_id, is_finalized, visibility FROM calendars_calendar "
    "WHERE id = {calendar}",
    "meetings": "SELECT id, title, description, location, deadline, final_time FROM "
    "calendars_meeting WHERE calendar_id = {calendar}",
    "people": "SELECT id, user_id FROM calendars_calendarparticipant "
    "WHERE calendar_id = {calendar}",
}
# What somebody may change of another: by removing people with their times, by leaving, and by
# accepting an invitation.
MAY_CHANGE = {
    ("owner", "participant"): {"times", "suggestions"},
    ("owner", "stranger"): {"people"},
    ("participant", "owner"): {"people"},
    ("participant", "stranger"): {"people"},
}
CLOSED = "asked again, the connection had been closed"
LARGE = 1_000_000  # bytes; the server may hang up on such a body after it has refused it
HUNG_UP = Answer(413, HTTPMessage(), b"", {"code": "too_large", "detail": ""})


@dataclass
class World:
    """A calendar, and who is what to it. Eve has a calendar of her own."""

    site: Site
    roles: dict[str, Remote] = field(default_factory=dict)
    known: dict[str, list[Any]] = field(default_factory=dict)
    calendars: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner, sam, eve, gone = (self.site.person() for _ in range(4))
        self.roles = {
            "anonymous": self.site.caller(),
            "stranger": eve,
            "participant": sam,
            "owner": owner,
            "signed out": gone,
        }
        self._fill(owner, sam, eve)
        for role, calendar in zip(("owner", "stranger"), self.known["calendar_id"], strict=True):
            self.calendars[role] = stored(self.site, calendar)
        assert owner.post("/calendars/invitations/", {"calendar": self.known["calendar_id"][0],
                          "receiver": gone.id}).status_code == 201  # fmt: skip
        assert gone.post("/logout/", {"refresh_token": gone.refresh}).status_code == 204
        people = [one.id for one in (owner, sam, eve, gone)]
        names = [one.name for one in (owner, sam, eve, gone)]
        moments = [iso(day(hour)) for hour in range(8, 20, 2)]
        self.known |= {
            "calendar": self.known["calendar_id"],
            **dict.fromkeys(("user", "receiver", "contactee", "transfer_to"), people),
            "username": names,
            "email": [f"{name}@example.org" for name in names],
            "password": ["a wholly new password", "x"],
            "current_password": [PASSWORD, "x"],
            "refresh": ["x.y.z", gone.refresh],
            "refresh_token": ["x.y.z", gone.refresh],
            "token": ["x"],
            "time_zone": ["Europe/Berlin", "UTC", "Mars/Base"],
            **dict.fromkeys(("start_time", "from", "earliest"), moments[:4]),
            **dict.fromkeys(("end_time", "to", "latest", "deadline"), moments[2:]),
            **dict.fromkeys(("final_time", "suggested_time"), moments),
            "uidb64": ["MQ", "x"],
            # A plan that waits keeps a planner for as long as it may.
            "time_limit_s": [1],
        }

    def _fill(self, owner: Remote, sam: Remote, eve: Remote) -> None:
        known: dict[str, list[Any]] = {}

        def made(by: Remote, path: str, body: dict[str, Any], name: str) -> str:
            answer = by.post(path, body)
            assert answer.status_code == 201, answer.text
            known.setdefault(name, []).append(answer.data["id"])
            return str(answer.data["id"])

        for one in (owner, eve):
            path = f"/calendars/{made(one, '/calendars/', {'name': 'Choir'}, 'calendar_id')}/"
            if one is owner:
                made(one, f"{path}participants/", {"user": sam.id}, "participant_id")
            meeting = made(one, f"{path}meetings/", {"deadline": iso(day(12))}, "meeting_id")
            for by in (one, sam) if one is owner else (one,):
                window = {"start_time": iso(day(9)), "end_time": iso(day(12))}
                made(by, f"{path}nonbusytimes/", window, "window_id")
                suggestions = f"/calendars/meetings/{meeting}/suggestions/"
                suggested = {"suggested_time": iso(day(9 + (by is sam)))}
                made(by, suggestions, suggested, "suggestion_id")
        invitation = {"calendar": known["calendar_id"][1], "receiver": owner.id}
        made(eve, "/calendars/invitations/", invitation, "invitation_id")
        known["session_id"] = [one["id"] for one in sam.get("/profile/sessions/").data]
        self.known = known

    def changed_hands(self) -> bool:
        """Whether an owner gave a calendar of this world to another."""
        return any(
            self.site.sql(
                f"SELECT 1 FROM calendars_calendar WHERE id = {calendar} "
                f"AND owner_id <> {self.roles[role].id}"
            )
            for role, calendar in self.calendars.items()
        )

    def things_of(self, role: str) -> dict[str, list[Any]]:
        of = {"id": self.roles[role].id, "calendar": self.calendars.get(role, "NULL")}
        return {
            name: sorted(map(repr, self.site.sql(statement.format(**of))))
            for name, statement in THINGS.items()
        }


@kind(cycles=100_000)
def fuzz(options: Options) -> Found:
    """Hostile requests from the API’s own description: no answer is an error of ours or one that
    the description lacks, and nobody changes what is another’s."""
    found, statuses = Found({"requests": 0}), Counter[Any]()
    with options.site("web", "worker", COMMONTIME_LIMIT_PASSWORD=NO_LIMIT) as site:
        batches = itertools.count(options.seed * 1_000_000)
        while found.tried["requests"] < options.cycles:
            numbers = list(itertools.islice(batches, AT_ONCE))
            done = at_once(*(lambda n=number: batch(site, n) for number in numbers))
            for faults, answered in done:
                found.faults += faults
                statuses += answered
                found.tried["requests"] += answered.total()
        found.faults += in_log(site)
    found.tried |= {"successes": sum(statuses[code] for code in (200, 201, 202, 204)), "roles": 5}
    found.measured = ", ".join(
        f"{code}: {count:,}" for code, count in sorted(statuses.items(), key=str)
    )
    return found


def batch(site: Site, number: int) -> tuple[list[str], Counter[Any]]:
    """Ask as each role in a world of its own. Returns the faults, and how often each status came.

    The number makes the batch: with the same one it asks the same.
    """
    chance = random.Random(number)
    faults, statuses = [], Counter[Any]()
    text = site.caller().get("/schema/").data
    world = World(site)
    others = ("owner", "participant", "stranger", "signed out")
    for role, caller in world.roles.items():
        before = {other: world.things_of(other) for other in others if other != role}
        requests = Requests(text, chance, world.known)
        for _ in range(BATCH):
            made = requests.make()
            answer = _ask(caller, made, statuses)
            fault = fault_of(made, answer) if answer else f"no answer to {request_of(made)}"
            faults += [f"batch {number}, {role}: {fault}"] * bool(fault)
        if world.changed_hands():
            break  # the roles are no longer what they are called
        for other, things in before.items():
            faults += _changed(f"batch {number}, {role}", role, other, things, world)
    return faults, statuses


def _ask(caller: Remote, made: Made, statuses: Counter[Any]) -> Any:
    """Send a request, and count its status. None if there was no answer where one was due."""
    for _ in range(2):
        try:
            answer = caller(made.method, made.path, made.content, **made.headers)
        except NoAnswer as reason:
            if len(made.content or b"") > LARGE:
                statuses["hung up on a large body"] += 1
                return HUNG_UP
            if "without response" not in str(reason):
                return None
            statuses[CLOSED] += 1
        else:
            statuses[answer.status_code] += 1
            return answer
    return None


def in_log(site: Site) -> list[str]:
    """Return what the log of a site says of a broken request or process."""
    log = site.log("web") + site.log("run")
    return [f"in the log: {sign}" for sign in ("Traceback", "takes its place") if sign in log]


def fault_of(made: Made, answer: Any) -> str:
    """Return what is wrong with an answer, or nothing."""
    status = answer.status_code
    request = request_of(made)
    if status >= 500:
        return f"{status} for {request}"
    if made.statuses is not None and status not in made.statuses | ALWAYS:
        return f"{status} is not described: {request}"
    is_problem = isinstance(answer.data, dict) and {"code", "detail"} <= answer.data.keys()
    is_page = made.path.startswith("/password_reset/") and made.method in ("GET", "HEAD")
    wants_page = "text/html" in made.headers.get("Accept", "")
    may_lack_it = is_page or wants_page or made.method == "HEAD" or _is_servers(status)
    if status >= 400 and not (is_problem or may_lack_it):
        return f"{status} without a code: {request}: {answer.text[:100]}"
    return ""


def request_of(made: Made) -> str:
    return f"{made.method} {made.path} {(made.content or b'')[:200]!r} {made.headers}"


def _is_servers(status: int) -> bool:
    """Whether the web server may have refused what never reached Commontime."""
    return status in (400, 405, 414, 431)


def _changed(
    when: str, role: str, other: str, before: dict[str, list[Any]], world: World
) -> list[str]:
    after = world.things_of(other)
    may = MAY_CHANGE.get((role, other), set())
    return [
        f"{when} changed the {name} of the {other}: {before[name]} {after[name]}"[:500]
        for name in THINGS
        if name not in may and before[name] != after[name]
    ]
