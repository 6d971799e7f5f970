"""Suggestions, answers and availability agree with an obvious slow twin, minute by minute, also in
the nights of the clocks.
"""

import random
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import time_machine

from commontime import engine
from commontime.calendars import queries
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.calendars.planning import groups, outcomes, suggestions
from commontime.core import clock
from commontime.engine.rank import preference
from tests import build
from tests.calendars.twin import EPOCH, MINUTE, Twin, ceil, floor
from tests.client import caller

pytestmark = pytest.mark.django_db


def day(year: int, month: int, number: int) -> datetime:
    """Midnight on any local clock."""
    return datetime(year, month, number)  # noqa: DTZ001


NIGHTS = {
    "Europe/Berlin forward": ("Europe/Berlin", day(2026, 3, 29)),
    "Europe/Berlin back": ("Europe/Berlin", day(2026, 10, 25)),
    "Australia/Lord_Howe forward": ("Australia/Lord_Howe", day(2026, 10, 4)),
    "Australia/Lord_Howe back": ("Australia/Lord_Howe", day(2027, 4, 4)),
    "Asia/Kathmandu": ("Asia/Kathmandu", day(2026, 11, 30)),
}


@pytest.fixture(autouse=True)
def _in_january_2026():
    """So that every night here is still to come."""
    with time_machine.travel(datetime(2026, 1, 5, 12, 34, 56, 789, tzinfo=UTC), tick=False):
        yield


class World:
    """A random calendar: people who answered or not, required or not, on and off the minute, around
    one night of a zone.
    """

    def __init__(
        self,
        seed: int,
        zone: str,
        night: datetime,
        *,
        days: int = 2,
        people: int = 4,
        per_day: float = 4,
    ) -> None:
        self.chance = chance = random.Random(seed)
        self.zone, self.night, self.days = ZoneInfo(zone), night, days
        self.owner = build.user()
        self.calendar = build.calendar(
            owner=self.owner, participants=[build.user() for _ in range(people)], time_zone=zone
        )
        for seat in CalendarParticipant.objects.filter(calendar=self.calendar).select_related(
            "user"
        ):
            CalendarParticipant.objects.filter(pk=seat.pk).update(required=chance.random() < 0.6)
            if chance.random() < 0.8:
                self.answer(seat.user, round(days * per_day))
        named = chance.random() < 0.3
        users = list(
            CalendarParticipant.objects.filter(calendar=self.calendar).values_list(
                "user", flat=True
            )
        )
        chosen = chance.sample(users, chance.randint(1, len(users))) if named else []
        split = chance.randint(0, len(chosen))
        people_of = build.User.objects.in_bulk
        self.meeting = build.meeting(
            calendar=self.calendar,
            required=people_of(chosen[:split]).values(),
            optional=people_of(chosen[split:]).values(),
            duration_minutes=chance.choice([15, 45, 60, 61, 120]),
            earliest=chance.choice([None, None, self.moment(0.2)]),
            latest=chance.choice([None, None, self.moment(0.9)]),
        )
        bounds = chance.choice([(None, None), (self.moment(0.1), self.moment(0.95))])
        Calendar.objects.filter(pk=self.calendar.pk).update(
            window_start=bounds[0], window_end=bounds[1]
        )
        self.meeting = (
            queries.meetings.with_attendees().select_related("calendar").get(pk=self.meeting.pk)
        )
        self.calendar = self.meeting.calendar

    def moment(self, part: float) -> datetime:
        """A moment after that part of the time, by the clocks of the zone, which may skip or repeat
        it.
        """
        wall = self.night - timedelta(days=self.days / 2) + timedelta(days=self.days) * part
        return wall.replace(tzinfo=self.zone, fold=self.chance.randint(0, 1)).astimezone(UTC)

    def some_moment(self) -> datetime:
        seconds = self.chance.choice([0, 0, 0, 0, 1, 30, 59.999999])
        rough = self.moment(self.chance.random())
        return rough.replace(
            minute=self.chance.choice([0, 15, 30, 45, rough.minute]), second=0, microsecond=0
        ) + timedelta(seconds=seconds)

    def answer(self, user, times: int) -> None:
        for _ in range(times):
            start = self.some_moment()
            end = start + timedelta(
                minutes=self.chance.choice([30, 60, 90, 240, 600]),
                seconds=self.chance.choice([0, 0, 29]),
            )
            if not user.non_busy_times.filter(
                calendar=self.calendar, start_time__lt=end, end_time__gt=start
            ).exists():
                build.window(self.calendar, user, start, end, self.chance.randrange(11))

    def bounds(self, twin: Twin) -> tuple[int, int]:
        """From now, or where the meeting or its calendar begin, to where they or the known times
        end.
        """
        meeting, calendar = self.meeting, self.calendar
        starts = [
            ceil(moment)
            for moment in (clock.now(), meeting.earliest, calendar.window_start)
            if moment
        ]
        ends = [floor(moment) for moment in (meeting.latest, calendar.window_end) if moment]
        return max(starts), min([twin.end, *ends])


def worlds(seeds: int):
    return pytest.mark.parametrize(
        ("seed", "zone", "night"),
        [
            pytest.param(seed, *NIGHTS[name], id=f"{name} {seed}")
            for number, name in enumerate(NIGHTS)
            for seed in range(10 * number, 10 * number + seeds)
        ],
    )


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


# Suggestions --------------------------------------------------------------------------------------


def assert_suggestions(world: World, *, most: int) -> None:
    twin = Twin(world.calendar, world.meeting)
    earliest, latest = world.bounds(twin)
    duration = world.meeting.duration
    expected = twin.best(earliest, latest, duration // MINUTE, most) if earliest < latest else []

    suggested = suggestions.rank(
        world.meeting,
        build.group(world.meeting),
        [],
        now=clock.now(),
        limit=most,
        with_names=True,
    )

    assert [ranked.rank for ranked in suggested] == list(range(1, len(suggested) + 1))
    for ranked, each in zip(suggested, expected, strict=True):
        outcome = ranked.outcome
        assert outcome.start == each.start
        lists = (
            outcome.ideal,
            outcome.works,
            outcome.if_need_be,
            outcome.cannot,
            outcome.missing,
            outcome.unanswered,
        )
        assert [sorted(p.user_id for p in people) for people in lists] == [
            each.ideal,
            each.works,
            each.if_need_be,
            each.cannot,
            each.missing,
            sorted(twin.silent),
        ]
        assert outcome.preference == each.preference


@worlds(seeds=3)
def test_computed_suggestions_are_the_best_by_definition(seed, zone, night):
    world = World(seed, zone, night)

    for most in (1, 4, 30):
        assert_suggestions(world, most=most)


def test_sixty_days_are_as_exact_as_one_night():
    world = World(7, "Europe/Berlin", day(2026, 3, 29), days=60, people=3, per_day=1.5)
    world.meeting.earliest = world.meeting.latest = None

    assert_suggestions(world, most=20)


@pytest.mark.parametrize("mistake", ["another rule", "rounded up", "nobody required"])
def test_the_twin_would_tell(mistake, monkeypatch):
    if mistake == "another rule":
        monkeypatch.setattr(engine, "rule_for", lambda quorum: (preference,))
    elif mistake == "rounded up":
        monkeypatch.setattr(engine, "start_tick", lambda moment: ceil(moment) + 1)
    else:
        monkeypatch.setattr(
            groups.Group,
            "required",
            property(lambda group: np.zeros(len(group.answered), np.bool_)),
        )

    def compare() -> None:
        for seed, (zone, night) in enumerate(NIGHTS.values()):
            assert_suggestions(World(seed, zone, night), most=10)

    with pytest.raises((AssertionError, ValueError)):
        compare()


@worlds(seeds=1)
def test_stored_suggestions_are_ranked_among_the_computed_ones_to_the_microsecond(
    seed, zone, night
):
    world = World(seed, zone, night)
    for _ in range(12):
        start = world.some_moment()
        if not world.meeting.suggestions.filter(suggested_time=start).exists():
            build.suggestion(world.meeting, world.owner, start)
    twin = Twin(world.calendar, world.meeting)
    earliest, latest = world.bounds(twin)
    stored = {s.suggested_time: s for s in queries.meetings.suggestions_of(world.meeting)}
    computed = (
        twin.best(earliest, latest, world.meeting.duration // MINUTE, 5)
        if earliest < latest
        else []
    )
    expected = sorted(
        [
            twin.outcome(start, world.meeting.duration)
            for start in stored.keys() | {each.start for each in computed}
        ],
        key=lambda e: e.key,
    )

    suggested = suggestions.rank(
        world.meeting,
        build.group(world.meeting),
        list(stored.values()),
        now=clock.now(),
        limit=5,
        with_names=False,
    )

    assert [ranked.outcome.start for ranked in suggested] == [each.start for each in expected]
    assert [ranked.stored for ranked in suggested] == [stored.get(each.start) for each in expected]
    assert [sorted(p.user_id for p in ranked.outcome.cannot) for ranked in suggested] == [
        each.cannot for each in expected
    ]


def test_nobody_is_promised_a_part_of_a_minute_they_did_not_offer():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    ten = datetime(2026, 5, 5, 10, tzinfo=UTC)
    build.window(calendar, mina, ten + MINUTE, ten + 62 * MINUTE)
    group = build.group(build.meeting(calendar=calendar))

    def answer(seconds: float) -> str:
        return outcomes.answers_at(group, ten + timedelta(seconds=seconds), timedelta(hours=1))[
            mina.pk
        ]

    assert [answer(seconds) for seconds in (59.999999, 60, 60.000001, 90, 120, 120.000001)] == [
        "no",
        "yes",
        "yes",
        "yes",
        "yes",
        "no",
    ]


# Reasons ------------------------------------------------------------------------------------------


LENGTH = re.compile(r"(\d+) (d|h|m)")


def minutes_in(words: str) -> int:
    return sum(
        int(number) * {"d": 1440, "h": 60, "m": 1}[unit] for number, unit in LENGTH.findall(words)
    )


@worlds(seeds=3)
def test_the_numbers_in_reasons_are_true(seed, zone, night):
    world = World(seed, zone, night)
    twin = Twin(world.calendar, world.meeting)
    duration, group = world.meeting.duration, build.group(world.meeting)
    earliest, latest = world.bounds(twin)

    suggested = suggestions.rank(
        world.meeting, group, [], now=clock.now(), limit=8, with_names=True
    )

    by_name = {person.name: person.user_id for person in group.people}
    for ranked in suggested:
        said, outcome = ranked.reasons, ranked.outcome
        expected = twin.outcome(outcome.start, duration)
        counts = [int(number) for number in re.findall(r"\d+", said[0])]
        can, answered = len(expected.attending), len(twin.answered)
        must = sum(twin.required[user] for user in twin.answered)
        if can == answered:
            assert counts == ([can] if can > 2 else [])
        elif must and not expected.missing:
            assert counts == [*([must] if must > 2 else []), can, len(group.people)]
        else:
            assert counts == ([can, len(group.people)] if can else [])
        whole = duration // MINUTE
        short = {
            by_name[name]: minutes_in(lacks) if lacks else whole
            for s in said
            for name, lacks in re.findall(
                r"^(.+) is required but (?:can’t come|would miss (.+))\.$", s
            )
        }
        assert (
            short
            == {user: twin.short(user, outcome.start, duration) for user in expected.missing[:5]}
            or len(expected.missing) > 5
        )
        unanswered = [int(s.split()[0]) for s in said if s.endswith("answered yet.")]
        assert unanswered == ([len(twin.silent)] if twin.silent else [])

    near = [s for ranked in suggested for s in ranked.reasons if s.startswith("If it starts ")]
    if suggested and suggested[0].outcome.missing:
        best = suggested[0].outcome
        missing, least, start = twin.nearest(earliest, latest, duration // MINUTE)
        assert missing == len(best.missing)
        at_best = sum(twin.short(person.user_id, best.start, duration) for person in best.missing)
        assert len(near) == (least < at_best)
        for said in near:
            words, _, rest = said.removeprefix("If it starts ").partition(", ")
            away = minutes_in(words) * MINUTE * (1 if words.endswith("later") else -1)
            assert best.start + away == EPOCH + start * MINUTE
            assert minutes_in(rest.partition(" only ")[2]) == least
    else:
        assert near == []


def test_a_near_miss_tells_whom_to_ask_for_how_little():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    nine = datetime(2026, 5, 5, 9, tzinfo=UTC)
    build.window(calendar, mina, nine, nine + timedelta(hours=3))
    build.window(calendar, sam, nine + timedelta(minutes=90), nine + timedelta(minutes=135))
    meeting = build.meeting(calendar=calendar, duration_minutes=60)

    best, *others = suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=3, with_names=True
    )

    assert best.reasons == [
        "1 of 2 can come.",
        "Sam is required but can’t come.",
        "If it starts 1 h 15 min later, Sam would need only 15 minutes more.",
    ]
    assert not [
        said for other in others for said in other.reasons if said.startswith("If it starts")
    ]
    on_the_hour = suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=1, with_names=True, align=60
    )
    assert (
        on_the_hour[0].reasons[-1]
        == "If it starts 1 hour later, Sam would need only 30 minutes more."
    )


def test_a_near_miss_names_nobody_where_answers_are_hidden():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    nine = datetime(2026, 5, 5, 9, tzinfo=UTC)
    build.window(calendar, mina, nine, nine + timedelta(hours=3))
    build.window(calendar, sam, nine + timedelta(minutes=90), nine + timedelta(minutes=135))
    meeting = build.meeting(calendar=calendar, duration_minutes=60)

    suggested = suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=3, with_names=False
    )

    assert suggested[0].reasons == ["1 of 2 can come.", "1 required person can’t come."]


# Over HTTP: suggestions and availability as everybody sees them -----------------------------------


@worlds(seeds=1)
@pytest.mark.parametrize("visibility", ["open", "counts", "owner"])
def test_what_the_api_answers_is_what_the_twin_says(seed, zone, night, visibility):
    world = World(seed, zone, night, people=3)
    Calendar.objects.filter(pk=world.calendar.pk).update(visibility=visibility)
    member = (
        CalendarParticipant.objects.filter(calendar=world.calendar)
        .exclude(user=world.owner)
        .first()
        .user
    )
    for asker in (world.owner, member):
        tells = visibility == "open" or (visibility == "owner" and asker == world.owner)
        api = caller(asker)
        others = Twin(world.calendar, world.meeting)
        if (
            tells
            or asker == world.owner
            or asker.pk in others.required
            or len(others.answered) >= 3
        ):
            assert_api_suggestions(api, world, tells=tells)
        else:  # the best times of a few others would be their answers
            assert (
                api.get(f"/calendars/meetings/{world.meeting.pk}/suggestions/").status_code == 403
            )
        for minutes in (1, 50):
            assert_api_availability(api, world, minutes, tells=tells)


def assert_api_suggestions(api, world: World, *, tells: bool) -> None:
    twin = Twin(world.calendar, world.meeting)
    earliest, latest = world.bounds(twin)
    expected = (
        twin.best(earliest, latest, world.meeting.duration // MINUTE, 6)
        if earliest < latest
        else []
    )

    answer = api.get(
        f"/calendars/meetings/{world.meeting.pk}/suggestions/?computed=only&limit=6"
    ).data

    assert [instant(each["suggested_time"]) for each in answer] == [each.start for each in expected]
    for got, each in zip(answer, expected, strict=True):
        people = {
            "attending": each.attending,
            "if_need_be": each.if_need_be,
            "cannot": each.cannot,
            "unanswered": sorted(twin.silent),
            "missing_required": each.missing,
        }
        assert {name: got[name] for name in people} == {
            name: len(users) for name, users in people.items()
        }
        assert got["score"] == each.preference
        assert instant(got["end_time"]) == each.start + world.meeting.duration
        if tells:
            assert {name: sorted(users) for name, users in got["people"].items()} == {
                name: sorted(users) for name, users in people.items()
            }
        else:
            assert got["people"] is None
            names = [person.name for person in queries.people.roster_of(world.calendar).people]
            assert not [name for name in names for said in got["reasons"] if name in said]


def assert_api_availability(api, world: World, minutes: int, *, tells: bool) -> None:
    twin = Twin(world.calendar)
    start, end = world.moment(0.2), world.moment(0.7)
    start, end = start.replace(microsecond=0), end.replace(microsecond=0)
    expected = twin.pieces(ceil(start), floor(end), minutes)
    if not tells:
        expected = merged(expected)

    query = (
        f"?from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&duration_minutes={minutes}"
    )
    answer = api.get(f"/calendars/{world.calendar.pk}/availability/{query}").data

    assert (answer["participants"], answer["answered"], answer["unanswered"]) == (
        len(twin.required),
        len(twin.answered),
        len(twin.silent),
    )
    assert len(answer["pieces"]) == len(expected)
    for got, (first, past, each) in zip(answer["pieces"], expected, strict=True):
        assert (floor(instant(got["start"])), floor(instant(got["end"]))) == (first, past)
        assert (got["available"], got["missing_required"], got["preference_sum"]) == (
            len(each.attending),
            len(each.missing),
            each.preference,
        )
        lists = {"ideal": each.ideal, "works": each.works, "if_need_be": each.if_need_be}
        assert {name: got[name] for name in lists} == {
            name: len(users) for name, users in lists.items()
        }
        if tells:
            assert {name: sorted(users) for name, users in got["who"].items()} == {
                **lists,
                "cannot": each.cannot,
            }
        else:
            assert "who" not in got


def merged(pieces):
    """Join neighbours that differ only in who comes."""
    joined = []
    for first, past, each in pieces:
        counts = (
            len(each.ideal),
            len(each.works),
            len(each.if_need_be),
            len(each.missing),
            each.preference,
        )
        if joined and joined[-1][3] == counts:
            joined[-1] = (joined[-1][0], past, joined[-1][2], counts)
        else:
            joined.append((first, past, each, counts))
    return [piece[:3] for piece in joined]


# The nights of the clocks -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NIGHTS)
def test_hours_given_on_a_local_clock_are_the_hours_offered(name):
    """09:00 to 17:00 on each of the three days is that on each of them, however many hours lie
    between.
    """
    zone_name, night = NIGHTS[name]
    zone = ZoneInfo(zone_name)
    mina = caller(build.user())
    calendar = build.calendar(owner=mina.user, time_zone=zone_name)
    days = [night + timedelta(days=day) for day in (-1, 0, 1)]
    rows = [
        {"start_time": f"{day:%Y-%m-%d}T09:00", "end_time": f"{day:%Y-%m-%d}T17:00"} for day in days
    ]

    body = {
        "from": f"{days[0]:%Y-%m-%d}T00:00:00",
        "to": f"{days[-1]:%Y-%m-%d}T23:59:59",
        "windows": rows,
    }
    assert mina.put(f"/calendars/{calendar.pk}/nonbusytimes/", body).status_code == 200
    answer = mina.get(f"/calendars/{calendar.pk}/availability/?duration_minutes=480").data

    starts = [
        instant(piece["start"]).astimezone(zone).replace(tzinfo=None)
        for piece in answer["pieces"]
        if piece["available"]
    ]
    assert starts == [day.replace(hour=9) for day in days]
    ends = [
        instant(piece["end"]) - instant(piece["start"])
        for piece in answer["pieces"]
        if piece["available"]
    ]
    assert ends == [MINUTE] * 3


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Europe/Berlin forward", 23),
        ("Europe/Berlin back", 25),
        ("Australia/Lord_Howe forward", 23.5),
        ("Australia/Lord_Howe back", 24.5),
        ("Asia/Kathmandu", 24),
    ],
)
def test_a_local_day_has_the_hours_it_has(name, hours):
    zone_name, night = NIGHTS[name]
    mina = caller(build.user())
    calendar = build.calendar(owner=mina.user, time_zone=zone_name)
    row = {
        "start_time": f"{night:%Y-%m-%d}T00:00",
        "end_time": f"{night + timedelta(days=1):%Y-%m-%d}T00:00",
    }

    assert mina.post(f"/calendars/{calendar.pk}/nonbusytimes/", row).status_code == 201

    window = calendar.non_busy_times.get()
    assert window.end_time - window.start_time == timedelta(hours=hours)
    for minutes, fits in ((round(hours * 60), 1), (round(hours * 60) + 1, 0)):
        answer = mina.get(f"/calendars/{calendar.pk}/availability/?duration_minutes={minutes}").data
        assert sum(piece["available"] for piece in answer["pieces"]) == fits


# What it costs ------------------------------------------------------------------------------------


def test_suggestions_cost_the_same_statements_for_few_people_and_for_many(
    django_assert_num_queries,
):
    ten = datetime(2026, 5, 5, 10, tzinfo=UTC)
    for size in (1, 10):
        people = [build.user() for _ in range(size)]
        calendar = build.calendar(participants=people)
        for person in people:
            build.window(calendar, person, ten, ten + timedelta(hours=3))
        meeting = (
            queries.meetings.with_attendees()
            .select_related("calendar")
            .get(pk=build.meeting(calendar=calendar).pk)
        )

        with django_assert_num_queries(1):
            suggestions.rank(
                meeting, build.group(meeting), [], now=clock.now(), limit=10, with_names=True
            )
