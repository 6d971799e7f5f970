"""The grid's cells are exact stretches of time in every zone and on every day, and painting changes
nothing else.
"""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontime.layout import grid
from commontime.layout.grid import State, painted, states

BERLIN, KATHMANDU, LORD_HOWE = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Asia/Kathmandu"),
    ZoneInfo("Australia/Lord_Howe"),
)


def clock(cell: tuple[int, int], zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(cell[0], zone):%H:%M%z}"


@pytest.mark.parametrize(
    ("zone", "day", "hours", "cells"),
    [
        (BERLIN, date(2026, 3, 29), 23, 46),
        (BERLIN, date(2026, 10, 25), 25, 50),
        (BERLIN, date(2026, 10, 26), 24, 48),
        (LORD_HOWE, date(2026, 4, 5), 24.5, 49),
        (LORD_HOWE, date(2026, 10, 4), 23.5, 47),
        (ZoneInfo("Pacific/Apia"), date(2011, 12, 30), 0, 0),  # the day they skipped
        (KATHMANDU, date(2026, 10, 25), 24, 48),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone, day, hours, cells):
    (found,) = grid.grid(zone, day, 1).days

    assert (found.hours, len(found.cells)) == (hours, cells)
    spans = list(found.cells.values())
    assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))


def test_an_hour_that_comes_twice_has_its_rows_twice_in_the_order_it_comes():
    week = grid.grid(BERLIN, date(2026, 10, 24), 3)

    around = [key for key in week.rows if 60 <= key[0] <= 180]
    assert around == [(60, 0), (90, 0), (120, 0), (150, 0), (120, 1), (150, 1), (180, 0)]
    sunday = week.days[1]
    assert [clock(sunday.cells[key], BERLIN) for key in around[2:6]] == [
        "02:00+0200",
        "02:30+0200",
        "02:00+0100",
        "02:30+0100",
    ]
    assert all(key not in week.days[0].cells for key in around[4:6])


def test_lord_howe_turns_back_by_half_an_hour():
    rows = grid.grid(LORD_HOWE, date(2026, 4, 5), 1).rows

    assert rows[2:6] == [(60, 0), (90, 0), (90, 1), (120, 0)]


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/Havana",
        "America/Santiago",
    ],
)
def test_what_clocks_show_twice_is_found_to_the_minute(name):
    zone, first = ZoneInfo(name), date(2026, 1, 1)
    found = grid.turned_back(zone, first, 365)

    begin = grid.midnight(zone, first)
    seen = [
        datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
        for at in range(begin, begin + 365 * 86_400, 900)
    ]
    twice = {local for local, times in Counter(seen).items() if times > 1}
    slow = [begin + 900 * place for place, local in enumerate(seen) if local in twice]
    assert slow == [at for start, end in found for at in range(start, end, 900)]


@given(
    st.sampled_from(
        [BERLIN, KATHMANDU, LORD_HOWE, ZoneInfo("America/Havana"), ZoneInfo("America/Sao_Paulo")]
    ),
    st.integers(0, 9500),
)
def test_every_minute_is_in_one_cell_whatever_the_zone(zone, number):
    first = date(2000, 1, 3) + timedelta(days=number)
    week = grid.grid(zone, first, 7, step=15)

    cells = week.cells
    assert all(one[1] == other[0] for one, other in itertools.pairwise(cells))
    assert cells[0][0] == grid.midnight(zone, first)
    assert cells[-1][1] == grid.midnight(zone, first + timedelta(days=7))
    for day in week.days:
        assert [key for key in week.rows if key in day.cells] == list(day.cells)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (BERLIN, (480, 1200)),
        (KATHMANDU, (660, 1440)),
        (ZoneInfo("Australia/Sydney"), grid.WHOLE_DAY),
        (ZoneInfo("Asia/Tokyo"), grid.WHOLE_DAY),
    ],
)
def test_the_hours_shown_are_those_of_the_calendar_by_the_viewers_clocks(zone, expected):
    # Summer in Berlin ends in this week: 8 to 20 o'clock are 11:45 to 23:45 in Kathmandu, then
    # 12:45 to 0:45.
    first = date(2026, 10, 19)
    assert grid.hours_shown(zone, first, 6, (480, 1200), BERLIN) == expected


def test_a_cell_has_the_level_that_holds_throughout_it():
    windows = [(0.0, 1800.0, 5), (1800.0, 2700.0, 9), (2700.0, 3600.0, 2), (3600.0, 4000.0, 5)]

    assert states(windows, [(0, 1800), (1800, 3600), (3600, 5400), (5400, 7200), (0, 7200)]) == [
        State(2, False),
        State(1, True),
        State(0, True),
        State(0, False),
        State(0, True),
    ]


windows = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 10)), max_size=8
)
spans = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=4)


def apart(rows):
    found, end = [], 0
    for gap, length, preference in rows:
        found.append((end + gap, end + gap + length, preference))
        end += gap + length
    return found


def by_minute(rows):
    """The slow twin: which preference each minute has."""
    return {minute: preference for start, end, preference in rows for minute in range(start, end)}


@given(windows, spans, st.none() | st.integers(0, 10))
def test_painting_changes_the_spans_and_nothing_else(rows, lengths, preference):
    before = apart(rows)
    over = [(start, start + length) for start, length in lengths]

    after = painted(before, over, preference)

    expected = by_minute(before)
    for start, end in over:
        for minute in range(start, end):
            expected.pop(minute, None)
            if preference is not None:
                expected[minute] = preference
    assert by_minute(after) == expected
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(after))


@given(windows, windows)
def test_changes_lead_from_one_to_the_other_and_touch_nothing_that_is_the_same(rows, others):
    before, after = apart(rows), apart(others)

    changes = grid.changes(before, after)

    was, now = by_minute(before), by_minute(after)
    different = {minute for minute in {*was, *now} if was.get(minute) != now.get(minute)}
    assert {
        minute for start, end, _ in changes for minute in range(int(start), int(end))
    } == different
    assert all(
        now.get(minute) == preference
        for start, end, preference in changes
        for minute in range(int(start), int(end))
    )
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(changes))


def test_a_day_moves_by_the_clock_not_by_so_many_hours():
    saturday, sunday = date(2026, 3, 28), date(2026, 3, 29)
    nine = datetime(2026, 3, 28, 9, tzinfo=BERLIN)
    given = [(nine.timestamp(), (nine + timedelta(hours=3)).timestamp(), 9)]

    (moved,) = grid.moved(given, BERLIN, saturday, sunday)

    assert moved[0] == datetime(2026, 3, 29, 7, tzinfo=UTC).timestamp()
    assert moved[1:] == (datetime(2026, 3, 29, 10, tzinfo=UTC).timestamp(), 9)
    assert grid.moved(given, BERLIN, sunday, saturday) == []
