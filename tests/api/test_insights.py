"""What is behind the best start, over HTTP."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from commontime.calendars.models import Calendar, NonBusyTime
from tests import build
from tests.api.cast import fields_of, iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(group) -> str:
    """The insights of a meeting.

    Sam has only half of an hour that Mina has, and an afternoon of his own. Iris has joined and has
    not answered.
    """
    NonBusyTime.objects.all().delete()
    build.window(group.calendar, group.mina.user, build.day(9), build.day(10))
    build.window(group.calendar, group.sam.user, build.day(9.5), build.day(10), 9)
    build.window(group.calendar, group.sam.user, build.day(14), build.day(15), 9)
    build.participant(group.calendar, group.iris.user)
    return f"/calendars/meetings/{group.meeting.pk}/insights/"


def test_the_best_start_is_explained_with_what_is_printed(group, path):
    insights = group.sam.get(path).data

    assert set(insights) == fields_of("InsightsOutput")
    assert (insights["best"]["suggested_time"], insights["best"]["attending_users"]) == (
        iso(build.day(14)),
        [group.sam.user.pk],
    )
    ask = insights["ask"]
    assert set(ask) == fields_of("AskOutput")
    assert ask["wanted"] == [
        {
            "user": group.sam.user.pk,
            "start_time": iso(build.day(9)),
            "end_time": iso(build.day(9.5)),
        }
    ]
    assert (ask["people"], ask["minutes"], ask["unanswered_required"]) == (1, 30, 1)
    two = insights["two_sessions"]
    assert (two["first"]["suggested_time"], two["second"]["suggested_time"]) == (
        iso(build.day(9)),
        iso(build.day(14)),
    )
    assert (two["reached"], two["cannot_users"], two["proved"]) == (2, [], True)
    assert insights["plan_b"]["start"]["suggested_time"] == iso(build.day(9))
    assert (insights["decisive"]["users"], insights["decisive"]["suggested_time"]) == (
        [group.iris.user.pk],
        iso(build.day(9)),
    )


@pytest.mark.parametrize("visibility", ["counts", "owner"])
def test_nobody_is_named_where_answers_are_hidden(group, path, visibility):
    opened = group.sam.get(path).data
    Calendar.objects.filter(pk=group.calendar.pk).update(visibility=visibility)

    answer = group.sam.get(path)
    ranked = group.sam.get(path.replace("insights", "suggestions"))

    def ids_in(value) -> list:
        if isinstance(value, dict):
            return [
                user
                for key, inner in value.items()
                for user in ([inner] if "user" in key else ids_in(inner))
            ]
        if isinstance(value, list):
            return [user for inner in value for user in ids_in(inner)]
        return []

    assert any(ids_in(opened))
    assert not any(ids_in(answer.data))
    assert (answer.data["ask"]["wanted"], answer.data["ask"]["ask_first"]) == (None, None)
    for name in ("mina", "sam", "iris"):
        assert name not in (answer.content + ranked.content).decode().lower()
    assert answer.data["two_sessions"]["reached"] == opened["two_sessions"]["reached"]
    assert (group.mina.get(path).data["ask"]["wanted"] is None) == (visibility == "counts")


def test_what_if_is_asked_of_the_insights_too(group, path):
    insights = group.sam.get(f"{path}?without={group.iris.user.pk}&duration_minutes=30").data

    assert (insights["best"]["suggested_time"], insights["best"]["attending"]) == (
        iso(build.day(9.5)),
        2,
    )
    assert (
        insights["ask"]["people"],
        insights["two_sessions"],
        insights["decisive"]["people"],
    ) == (
        0,
        None,
        0,
    )
    assert refused(group.sam.get(f"{path}?quorum=many"), 400, "invalid_input", "quorum")


def test_without_answers_all_is_null(group, path):
    NonBusyTime.objects.all().delete()

    assert set(group.sam.get(path).data.values()) == {None}


@pytest.mark.parametrize("night", ["2031-03-30", "2031-10-26"])
def test_in_the_nights_of_the_clocks_every_minute_is_counted_as_utc_counts_it(night):
    """Answer in local times around a change of the clocks; try each minute of the pair and the ask
    in UTC.
    """
    midnight = datetime.fromisoformat(f"{night}T00:00:00+00:00")
    people = [caller(build.user()) for _ in range(3)]
    mina = people[0]
    calendar = build.calendar(
        owner=mina.user,
        participants=[person.user for person in people[1:]],
        time_zone="Europe/Berlin",
    )
    local = [
        [("00:30", "01:45"), ("03:10", "05:00")],
        [("01:00", "04:10")],
        [("03:20", "03:55"), ("04:15", "06:00")],
    ]
    for person, times in zip(people, local, strict=True):
        for start, end in times:
            row = {"start_time": f"{night}T{start}", "end_time": f"{night}T{end}"}
            assert person.post(f"/calendars/{calendar.pk}/nonbusytimes/", row).status_code == 201
    minutes = {
        person.user.pk: {
            midnight + timedelta(minutes=n)
            for n in range(-120, 600)
            for window in person.user.non_busy_times.all()
            if window.start_time <= midnight + timedelta(minutes=n) < window.end_time
        }
        for person in people
    }
    starts = [midnight + timedelta(minutes=n) for n in range(-120, 300)]

    def lacking(start):
        span = {start + timedelta(minutes=n) for n in range(60)}
        return {who: sorted(span - offered) for who, offered in minutes.items() if span - offered}

    meeting = build.meeting(calendar=calendar, duration_minutes=60)
    insights = mina.get(f"/calendars/meetings/{meeting.pk}/insights/").data

    pairs = [(a, b) for a, b in combinations(starts, 2) if b - a >= timedelta(hours=1)]
    short = {start: lacking(start) for start in starts}
    reached = max(3 - len(short[a].keys() & short[b].keys()) for a, b in pairs)
    two = insights["two_sessions"]
    assert two is None or two["reached"] == reached
    assert two is not None or len(insights["best"]["attending_users"]) == reached
    asked = min(
        (start for start in starts if mina.user.pk not in short[start]),
        key=lambda start: (len(short[start]), sum(map(len, short[start].values())), start),
    )
    assert insights["ask"]["suggested_time"] == iso(asked)
    assert insights["ask"]["minutes"] == sum(map(len, short[asked].values()))
    wanted = {each["user"]: each["start_time"] for each in reversed(insights["ask"]["wanted"])}
    assert wanted == {who: iso(ticks[0].astimezone(UTC)) for who, ticks in short[asked].items()}
