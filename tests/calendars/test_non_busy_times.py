"""Saying when one is free: adding, changing, removing and replacing one's times."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.calendars import actions, limits
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, NonBusyTime
from commontime.calendars.planning import groups
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests import build
from tests.calendars.cast import changes_nothing, refuses

pytestmark = pytest.mark.django_db
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)


@pytest.fixture
def calendar(mina, sam):
    return build.calendar(owner=mina, participants=[sam])


def row(start: float, end: float, preference: int | None = 5) -> dict:
    return {
        "start_time": build.day(start),
        "end_time": build.day(end),
        "preference_level": preference,
    }


def times_of(user, calendar) -> list[tuple]:
    windows = NonBusyTime.objects.filter(user=user, calendar=calendar).order_by("start_time")
    return [(w.start_time, w.end_time, w.preference_level) for w in windows]


# Add ----------------------------------------------------------------------------------------------


def test_a_time_is_stored_as_it_is(sam, calendar, post):
    start, end = build.day(10) + MICROSECOND, build.day(11) - SECOND

    stored = actions.add_window(calendar, by=sam, start_time=start, end_time=end)

    assert times_of(sam, calendar) == [(start, end, 5)]
    assert NonBusyTime.objects.get().pk == stored.pk
    assert post.told() == []


@pytest.mark.parametrize(
    ("start", "end", "preference", "field"),
    [
        (10, 10, 5, "end_time"),
        (11, 10, 5, "end_time"),
        (0, 31 * 24 + 1 / 3600, 5, "end_time"),
        (10, 11, -1, "preference_level"),
        (10, 11, 11, "preference_level"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_by_name(
    sam, calendar, start, end, preference, field
):
    with refuses(InvalidInput, field=field):
        actions.add_window(calendar, by=sam, **row(start, end, preference))


def test_the_longest_time_is_31_days(sam, calendar):
    actions.add_window(calendar, by=sam, **row(0, 31 * 24))

    assert NonBusyTime.objects.count() == 1


@pytest.mark.parametrize(("year", "field"), [(1999, "start_time"), (2100, "end_time")])
def test_a_time_lies_in_the_years_that_can_be_stored(sam, calendar, year, field):
    with refuses(InvalidInput, field=field):
        actions.add_window(
            calendar,
            by=sam,
            start_time=datetime(year, 5, 5, tzinfo=UTC),
            end_time=datetime(year, 5, 6, tzinfo=UTC),
        )


def test_ones_own_times_never_overlap_but_may_touch(sam, calendar):
    actions.add_window(calendar, by=sam, **row(10, 11))

    for start, end in [(9, 10 + 1e-6 / 3600), (11 - 1e-6 / 3600, 12), (10.25, 10.5), (9, 12)]:
        before, calendar_before = (
            times_of(sam, calendar),
            Calendar.objects.values_list("version", flat=True).get(),
        )
        with pytest.raises(Conflict) as refusal:
            actions.add_window(calendar, by=sam, **row(start, end))
        assert refusal.value.code == "overlapping_window"
        assert (
            times_of(sam, calendar),
            Calendar.objects.values_list("version", flat=True).get(),
        ) == (before, calendar_before)
    actions.add_window(calendar, by=sam, **row(9, 10))
    actions.add_window(calendar, by=sam, **row(11, 12))

    assert len(times_of(sam, calendar)) == 3


def test_somebody_elses_times_are_no_obstacle(mina, sam, calendar):
    for who in (mina, sam):
        actions.add_window(calendar, by=who, **row(10, 11))

    assert NonBusyTime.objects.count() == 2


def test_only_who_takes_part_gives_times(calendar):
    eve, invited = build.user("eve"), build.user("iris")
    build.invitation(calendar, invited)

    for who in (eve, invited):
        with refuses(NotFound):
            actions.add_window(calendar, by=who, **row(10, 11))
        with refuses(NotFound):
            actions.replace_windows(
                calendar, by=who, start=build.day(), end=build.day(24), windows=[row(10, 11)]
            )
        with refuses(NotFound):
            actions.paint_windows(calendar, by=who, runs=[row(10, 11)])


# Change and remove --------------------------------------------------------------------------------


def test_a_change_keeps_what_is_not_named(sam, calendar):
    window = build.window(calendar, sam, build.day(10), build.day(11), 9)

    actions.edit_window(window, by=sam, end_time=build.day(12))
    actions.edit_window(NonBusyTime.objects.get(), by=sam, preference_level=0)

    assert times_of(sam, calendar) == [(build.day(10), build.day(12), 0)]


def test_a_change_to_the_same_changes_nothing(sam, calendar):
    window = build.window(calendar, sam, build.day(10), build.day(11), 9)

    with changes_nothing():
        actions.edit_window(window, by=sam, start_time=build.day(10), preference_level=9)


def test_a_change_is_checked_like_a_new_time(sam, calendar):
    window = build.window(calendar, sam, build.day(10), build.day(11))
    build.window(calendar, sam, build.day(12), build.day(13))

    with refuses(InvalidInput, field="end_time"):
        actions.edit_window(NonBusyTime.objects.get(pk=window.pk), by=sam, end_time=build.day(10))
    with refuses(InvalidInput, field="preference_level"):
        actions.edit_window(NonBusyTime.objects.get(pk=window.pk), by=sam, preference_level=11)
    with refuses(Conflict, "overlapping_window"):
        actions.edit_window(NonBusyTime.objects.get(pk=window.pk), by=sam, end_time=build.day(12.5))


def test_nobody_touches_the_times_of_others_not_even_the_owner(mina, sam, calendar):
    window = build.window(calendar, sam, build.day(10), build.day(11))

    with refuses(NotAllowed):
        actions.edit_window(window, by=mina, preference_level=10)
    with refuses(NotAllowed):
        actions.remove_window(window, by=mina)


def test_a_time_is_removed_once(sam, calendar):
    window = build.window(calendar, sam, build.day(10), build.day(11))
    same = NonBusyTime.objects.get()

    actions.remove_window(window, by=sam)

    assert not NonBusyTime.objects.exists()
    with refuses(NotFound):
        actions.remove_window(same, by=sam)
    with refuses(NotFound):
        actions.edit_window(same, by=sam, preference_level=1)


# Replace a range ----------------------------------------------------------------------------------


def test_a_range_is_replaced_and_older_times_are_cut_at_its_edges(sam, calendar):
    for start, end, preference in [(8, 9, 1), (9, 11, 2), (11, 12, 3), (12, 15, 4), (16, 17, 6)]:
        build.window(calendar, sam, build.day(start), build.day(end), preference)

    new = actions.replace_windows(
        calendar,
        by=sam,
        start=build.day(10),
        end=build.day(14),
        windows=[row(13, 14, 8), row(10, 10.5, 7)],
    )

    assert [w.preference_level for w in new] == [7, 8]
    assert times_of(sam, calendar) == [
        (build.day(8), build.day(9), 1),
        (build.day(9), build.day(10), 2),
        (build.day(10), build.day(10.5), 7),
        (build.day(13), build.day(14), 8),
        (build.day(14), build.day(15), 4),
        (build.day(16), build.day(17), 6),
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (timedelta(0), timedelta(0)),
        (30 * SECOND, 59 * SECOND),
        (MICROSECOND, -MICROSECOND),
        (
            timedelta(minutes=59, seconds=59, microseconds=999_999),
            -timedelta(minutes=59, seconds=59, microseconds=999_999),
        ),
    ],
)
def test_a_time_around_the_whole_range_is_cut_in_two_to_the_microsecond(sam, calendar, start, end):
    build.window(calendar, sam, build.day(8), build.day(18), 9)
    first, last = build.day(10) + start, build.day(12) + end

    actions.replace_windows(calendar, by=sam, start=first, end=last, windows=[])

    assert times_of(sam, calendar) == [(build.day(8), first, 9), (last, build.day(18), 9)]


def test_a_time_too_short_to_be_packed_is_cut_too(sam, calendar):
    ten = build.day(10)
    build.window(calendar, sam, ten - 10 * SECOND, ten + 10 * SECOND, 3)
    assert CalendarParticipant.objects.get(user=sam).packed == ""

    actions.replace_windows(calendar, by=sam, start=ten, end=build.day(11), windows=[row(10, 11)])

    assert times_of(sam, calendar) == [(ten - 10 * SECOND, ten, 3), (ten, build.day(11), 5)]


def test_a_range_replaced_by_what_was_in_it_raised_the_version(sam, calendar):
    second = timedelta(seconds=1)
    times = [
        (build.day(10), build.day(11), 9),
        (build.day(12), build.day(12) + second, 3),
        (build.day(14) + timedelta(microseconds=1), build.day(15), 5),
    ]
    for time in times:
        build.window(calendar, sam, *time)
    build.window(calendar, sam, build.day(7), build.day(9))
    keys = ("start_time", "end_time", "preference_level")
    rows = [dict(zip(keys, time, strict=True)) for time in times]

    with changes_nothing():
        stored = actions.replace_windows(
            calendar, by=sam, start=build.day(9), end=build.day(15), windows=rows[::-1]
        )

    assert [(row.start_time, row.end_time, row.preference_level) for row in stored] == times
    rows[1]["preference_level"] = 4
    actions.replace_windows(calendar, by=sam, start=build.day(9), end=build.day(15), windows=rows)
    assert [preference for *_, preference in times_of(sam, calendar)] == [5, 9, 4, 5]


@pytest.mark.parametrize("seed", range(3))
def test_replacing_does_to_every_instant_what_it_says(sam, calendar, seed):
    """Against a slow twin: a dict of what holds at each second."""
    chance = random.Random(seed)
    origin, truth = build.day(), {}
    for _ in range(12):
        start = chance.randrange(600)
        end = start + chance.randrange(1, 300)
        at, rows = start, []
        while at < end and chance.random() < 0.8:
            first = at + chance.randrange(40)
            last = min(end, first + chance.randrange(1, 80))
            if first < last:
                rows.append((first, last, chance.randrange(11)))
            at = last
        truth = {second: value for second, value in truth.items() if not start <= second < end}
        truth |= {second: value for first, last, value in rows for second in range(first, last)}
        shuffled = chance.sample(rows, len(rows))

        actions.replace_windows(
            calendar,
            by=sam,
            start=origin + start * SECOND,
            end=origin + end * SECOND,
            windows=[
                {
                    "start_time": origin + a * SECOND,
                    "end_time": origin + b * SECOND,
                    "preference_level": p,
                }
                for a, b, p in shuffled
            ],
        )

        stored = {
            second: p
            for a, b, p in times_of(sam, calendar)
            for second in range((a - origin) // SECOND, (b - origin) // SECOND)
        }
        assert stored == truth


def test_other_peoples_times_stay(mina, sam, calendar):
    build.window(calendar, mina, build.day(10), build.day(11))

    actions.replace_windows(calendar, by=sam, start=build.day(), end=build.day(24), windows=[])

    assert len(times_of(mina, calendar)) == 1


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([row(10, 11), row(12, 12)], "windows.1.end_time"),
        ([row(10, 11, 11)], "windows.0.preference_level"),
        ([row(10, 11), row(10.5, 12)], "windows.1.start_time"),
        ([row(10.5, 12), row(10, 11)], "windows.0.start_time"),
        ([row(8, 11)], "windows.0.start_time"),
        ([row(10, 11), row(17, 19)], "windows.1.start_time"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_replaced(sam, calendar, rows, named):
    build.window(calendar, sam, build.day(10), build.day(11), 9)

    with refuses(InvalidInput, field=named):
        actions.replace_windows(
            calendar, by=sam, start=build.day(9), end=build.day(18), windows=rows
        )


def test_a_range_without_length_is_refused(sam, calendar):
    for end in (10, 9):
        with refuses(InvalidInput, field="to"):
            actions.replace_windows(
                calendar, by=sam, start=build.day(10), end=build.day(end), windows=[]
            )


# Paint --------------------------------------------------------------------------------------------


def test_painting_in_several_places_leaves_what_lies_between(sam, calendar):
    wednesday = build.window(calendar, sam, build.day(14, days=16), build.day(16, days=16), 9)
    runs = [
        {**row(9, 10), "start_time": build.day(9, days=day), "end_time": build.day(10, days=day)}
        for day in (18, 14, 15)
    ]

    actions.paint_windows(calendar, by=sam, runs=runs)
    actions.paint_windows(calendar, by=sam, runs=[{**runs[2], "preference_level": None}])

    assert times_of(sam, calendar) == [
        (build.day(9, days=14), build.day(10, days=14), 5),
        (build.day(14, days=16), build.day(16, days=16), 9),
        (build.day(9, days=18), build.day(10, days=18), 5),
    ]
    assert NonBusyTime.objects.filter(pk=wednesday.pk).exists()


def test_what_is_painted_beside_a_time_that_is_liked_the_same_extends_it_as_far_as_one_may_last(
    sam, calendar
):
    build.window(calendar, sam, build.day(9), build.day(10))
    build.window(calendar, sam, build.day(11), build.day(12), 9)

    actions.paint_windows(calendar, by=sam, runs=[row(10, 11)])
    assert times_of(sam, calendar) == [
        (build.day(9), build.day(11), 5),
        (build.day(11), build.day(12), 9),
    ]

    actions.paint_windows(
        calendar, by=sam, runs=[row(12, 11 + 31 * 24, 9), row(11 + 31 * 24, 12 + 31 * 24, 9)]
    )
    assert times_of(sam, calendar)[1:] == [
        (build.day(11), build.day(11 + 31 * 24), 9),
        (build.day(11 + 31 * 24), build.day(12 + 31 * 24), 9),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_painting_does_to_every_instant_what_it_says(sam, calendar, seed):
    """Against a slow twin: a dict of what holds at each second."""
    chance = random.Random(seed)
    origin, truth = build.day(), {}
    for _ in range(20):
        edges = sorted(chance.sample(range(600), 2 * chance.randrange(1, 5)))
        runs = [
            (first, last, chance.choice([None, 2, 5]))
            for first, last in zip(edges[::2], edges[1::2], strict=True)
        ]
        for first, last, value in runs:
            truth |= dict.fromkeys(range(first, last), value)

        actions.paint_windows(
            calendar,
            by=sam,
            runs=[
                {
                    "start_time": origin + a * SECOND,
                    "end_time": origin + b * SECOND,
                    "preference_level": p,
                }
                for a, b, p in runs[::-1]
            ],
        )

        rows = [
            ((a - origin) // SECOND, (b - origin) // SECOND, p)
            for a, b, p in times_of(sam, calendar)
        ]
        assert {second: p for a, b, p in rows for second in range(a, b)} == {
            second: p for second, p in truth.items() if p is not None
        }
        assert not any(one[1:] == (other[0], other[2]) for one, other in itertools.pairwise(rows))


@pytest.mark.parametrize(
    ("runs", "field"),
    [
        ([row(10, 11), row(12, 12)], "end_time"),
        ([row(10, 11, None), row(12, 12, None)], "end_time"),
        ([row(10, 11), row(12, 13, 11)], "preference_level"),
        ([row(10.5, 12), row(10, 11, None)], "runs"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_and_nothing_is_painted(sam, calendar, runs, field):
    build.window(calendar, sam, build.day(10), build.day(11), 9)

    with refuses(InvalidInput, field=field):
        actions.paint_windows(calendar, by=sam, runs=runs)
    assert times_of(sam, calendar) == [(build.day(10), build.day(11), 9)]


# Two thousand are enough --------------------------------------------------------------------------


def fill(calendar, user, count: int, *, length: timedelta = timedelta(minutes=1)) -> None:
    minute = timedelta(minutes=2)
    NonBusyTime.objects.bulk_create(
        NonBusyTime(
            calendar=calendar,
            user=user,
            start_time=build.day() + i * minute,
            end_time=build.day() + i * minute + length,
        )
        for i in range(count)
    )


@pytest.fixture
def twenty(monkeypatch):
    """As if twenty were the most, so that a test need not store two thousand."""
    monkeypatch.setattr(limits, "MOST_WINDOWS", 20)
    return 20


def test_two_thousand_times_are_enough(sam, calendar):
    fill(calendar, sam, limits.MOST_WINDOWS - 1)
    day = build.day(days=60)

    actions.add_window(calendar, by=sam, start_time=day, end_time=day + timedelta(hours=1))
    with refuses(InvalidInput, field="windows"):
        actions.add_window(
            calendar, by=sam, start_time=day + timedelta(hours=2), end_time=day + timedelta(hours=3)
        )

    assert limits.MOST_WINDOWS == 2000 == NonBusyTime.objects.filter(user=sam).count()


@pytest.mark.parametrize(
    "length", [timedelta(minutes=1), SECOND], ids=["minutes", "too short to be packed"]
)
def test_the_limit_counts_every_time_and_what_a_cut_makes_of_one(sam, calendar, twenty, length):
    fill(calendar, sam, twenty - 1, length=length)
    day = build.day(days=60)

    actions.add_window(calendar, by=sam, start_time=day, end_time=day + timedelta(hours=1))
    with refuses(InvalidInput, field="windows"):
        actions.add_window(
            calendar, by=sam, start_time=day + timedelta(hours=2), end_time=day + timedelta(hours=3)
        )
    with refuses(
        InvalidInput, field="windows"
    ):  # a hole in the middle of the last one makes two of it
        actions.replace_windows(
            calendar,
            by=sam,
            start=day + timedelta(minutes=9),
            end=day + timedelta(minutes=10),
            windows=[],
        )
    actions.replace_windows(
        calendar, by=sam, start=day, end=day + timedelta(minutes=10), windows=[]
    )

    assert NonBusyTime.objects.filter(user=sam).count() == twenty


def test_the_limit_counts_what_is_left_after_replacing(sam, calendar, twenty):
    fill(calendar, sam, twenty)
    start, end = build.day(), build.day(24, days=60)
    minutes = [
        {
            "start_time": start + timedelta(minutes=i),
            "end_time": start + timedelta(minutes=i + 1),
            "preference_level": 5,
        }
        for i in range(twenty + 1)
    ]

    with refuses(InvalidInput, field="windows"):
        actions.replace_windows(calendar, by=sam, start=start, end=end, windows=minutes)
    actions.replace_windows(calendar, by=sam, start=start, end=end, windows=minutes[1:])

    assert NonBusyTime.objects.filter(user=sam).count() == twenty


def test_the_limit_counts_what_is_left_after_painting(sam, calendar, twenty):
    fill(calendar, sam, twenty)
    erased = {**row(0, 1 / 60), "preference_level": None}

    with refuses(InvalidInput, field="windows"):
        actions.paint_windows(calendar, by=sam, runs=[row(20, 21)])
    actions.paint_windows(calendar, by=sam, runs=[erased, row(20, 21)])

    assert NonBusyTime.objects.filter(user=sam).count() == twenty


def test_times_of_others_and_elsewhere_do_not_count(mina, sam, calendar, twenty):
    fill(calendar, mina, twenty)
    fill(build.calendar(owner=sam), sam, twenty)

    actions.add_window(calendar, by=sam, **row(10, 11))


# When answers are closed --------------------------------------------------------------------------


def every_write(calendar, user, window):
    return [
        lambda: actions.add_window(calendar, by=user, **row(20, 21)),
        lambda: actions.edit_window(
            NonBusyTime.objects.get(pk=window.pk), by=user, preference_level=1
        ),
        lambda: actions.remove_window(NonBusyTime.objects.get(pk=window.pk), by=user),
        lambda: actions.replace_windows(
            calendar, by=user, start=build.day(), end=build.day(24), windows=[]
        ),
        lambda: actions.paint_windows(calendar, by=user, runs=[row(10, 11, None)]),
    ]


PAST, AHEAD = -timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("deadlines", "closed"),
    [
        ([], False),
        ([AHEAD], False),
        ([PAST], True),
        ([PAST, PAST], True),
        ([PAST, AHEAD], False),
    ],
)
@pytest.mark.parametrize("scheduled", [False, True])
def test_answers_close_when_every_meeting_without_a_time_is_past_its_deadline(
    mina, sam, calendar, deadlines, closed, scheduled
):
    windows = {
        user: build.window(calendar, user, build.day(10), build.day(11)) for user in (mina, sam)
    }
    for ahead in deadlines:
        build.meeting(calendar=calendar, deadline=clock.now() + ahead)
    if scheduled:
        build.meeting(
            calendar=calendar, deadline=clock.now() + PAST, final_time=build.day(10, days=-2)
        )

    for write in every_write(calendar, sam, windows[sam]):
        if closed:
            with refuses(Conflict, "answers_closed"):
                write()
        else:
            write()
            NonBusyTime.objects.filter(user=sam).delete()
            windows[sam].save(force_insert=True)
    actions.remove_window(windows[mina], by=mina)  # the owner may whenever


def test_times_are_frozen_while_the_calendar_is_finalised(mina, sam, calendar):
    windows = {
        user: build.window(calendar, user, build.day(10), build.day(11)) for user in (mina, sam)
    }
    Calendar.objects.update(is_finalized=True)

    for user, window in windows.items():
        for write in every_write(calendar, user, window):
            with refuses(Conflict, "calendar_finalized"):
                write()


# Taking a yes away --------------------------------------------------------------------------------


@pytest.fixture
def scheduled(calendar):
    return build.meeting(
        calendar=calendar, title="Rehearsal", final_time=build.day(10), duration_minutes=60
    )


@pytest.mark.parametrize(
    ("change", "tells"),
    [
        (lambda c, sam, w: actions.remove_window(w, by=sam), True),
        (lambda c, sam, w: actions.edit_window(w, by=sam, end_time=build.day(10.5)), True),
        (
            lambda c, sam, w: actions.replace_windows(
                c, by=sam, start=build.day(10.5), end=build.day(10.75), windows=[]
            ),
            True,
        ),
        (lambda c, sam, w: actions.edit_window(w, by=sam, preference_level=0), False),
        (
            lambda c, sam, w: actions.edit_window(
                w, by=sam, start_time=build.day(10), end_time=build.day(11)
            ),
            False,
        ),
        (
            lambda c, sam, w: actions.replace_windows(
                c,
                by=sam,
                start=build.day(9),
                end=build.day(12),
                windows=[row(10, 10.5), row(10.5, 11, 1)],
            ),
            False,
        ),
        (
            lambda c, sam, w: actions.replace_windows(
                c, by=sam, start=build.day(13), end=build.day(14), windows=[row(13, 14)]
            ),
            False,
        ),
        (lambda c, sam, w: actions.paint_windows(c, by=sam, runs=[row(10.5, 10.75, None)]), True),
        (lambda c, sam, w: actions.paint_windows(c, by=sam, runs=[row(10.5, 10.75, 0)]), False),
    ],
    ids=[
        "removed",
        "shortened",
        "a hole",
        "less liked",
        "just enough",
        "in two parts",
        "another hour",
        "erased",
        "painted",
    ],
)
def test_the_owner_hears_of_a_yes_that_is_taken_away(sam, calendar, scheduled, post, change, tells):
    window = build.window(calendar, sam, build.day(9), build.day(12))

    change(calendar, sam, window)

    assert post.told() == (["attendee_lost mina"] if tells else [])
    mails = post.deliver()
    assert [mail.subject for mail in mails] == (
        ["Sam can no longer come to Rehearsal"] if tells else []
    )


def test_what_was_no_yes_can_not_be_taken_away(sam, calendar, scheduled, post):
    window = build.window(calendar, sam, build.day(10.5), build.day(12))

    actions.remove_window(window, by=sam)

    assert post.told() == []


def test_the_owner_is_not_told_of_their_own_times(mina, calendar, scheduled, post):
    actions.remove_window(build.window(calendar, mina, build.day(9), build.day(12)), by=mina)

    assert post.told() == []


def test_a_yes_to_a_meeting_of_others_or_of_the_past_does_not_matter(mina, sam, calendar, post):
    build.meeting(calendar=calendar, required=[mina], final_time=build.day(10))
    past = build.day(10, days=-2)
    build.meeting(calendar=calendar, final_time=past)
    build.window(calendar, sam, past, past + timedelta(hours=2))

    actions.remove_window(build.window(calendar, sam, build.day(9), build.day(12)), by=sam)
    actions.replace_windows(calendar, by=sam, start=past, end=past + timedelta(hours=2), windows=[])

    assert post.told() == []


def test_each_loss_is_told_once(sam, calendar, scheduled, post):
    other = build.meeting(
        calendar=calendar, title="Concert", final_time=build.day(11), duration_minutes=30
    )
    build.window(calendar, sam, build.day(9), build.day(12))

    actions.replace_windows(calendar, by=sam, start=build.day(10), end=build.day(10.5), windows=[])
    actions.replace_windows(calendar, by=sam, start=build.day(10), end=build.day(10.25), windows=[])
    actions.replace_windows(calendar, by=sam, start=build.day(11), end=build.day(12), windows=[])

    assert post.told() == ["attendee_lost mina"] * 2
    assert {mail.subject.removeprefix("Sam can no longer come to ") for mail in post.deliver()} == {
        "Rehearsal",
        other.title,
    }


def test_a_loss_is_not_told_any_more_once_the_meeting_or_the_person_is_gone(
    mina, sam, calendar, scheduled, post
):
    actions.remove_window(build.window(calendar, sam, build.day(9), build.day(12)), by=sam)
    Meeting.objects.update(final_time=None)

    assert post.deliver() == []


# What it costs ------------------------------------------------------------------------------------


def test_replacing_costs_the_same_statements_for_few_times_and_for_many(sam, calendar, scheduled):
    counts = []
    build.window(calendar, sam, build.day(20), build.day(21))
    for size in (2, 40):
        rows = [row(i / 4, i / 4 + 0.25) for i in range(size)]
        with CaptureQueriesContext(connection) as statements:
            actions.replace_windows(
                calendar, by=sam, start=build.day(), end=build.day(24), windows=rows
            )
        with CaptureQueriesContext(connection) as again:
            actions.replace_windows(
                calendar, by=sam, start=build.day(), end=build.day(24), windows=rows[1:]
            )
        counts.append((len(statements), len(again)))

    assert counts[0] == counts[1]
    assert len(CalendarParticipant.objects.get(user=sam).packed) == groups.ENTRY * 39


def test_painting_costs_the_same_statements_for_few_runs_and_for_many(sam, calendar, scheduled):
    counts = []
    for size in (2, 40):
        build.window(calendar, sam, build.day(20), build.day(21))
        runs = [row(i / 4, i / 4 + 0.25, 5 if i % 2 else 9) for i in range(size)]
        with CaptureQueriesContext(connection) as statements:
            actions.paint_windows(calendar, by=sam, runs=runs)
        with CaptureQueriesContext(connection) as again:
            actions.paint_windows(
                calendar, by=sam, runs=[*runs[:-1], {**runs[-1], "preference_level": None}]
            )
        with CaptureQueriesContext(connection) as erased:
            actions.paint_windows(calendar, by=sam, runs=[row(0, 24, None)])
        counts.append((len(statements), len(again), len(erased)))

    assert counts[0] == counts[1]
