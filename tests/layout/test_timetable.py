"""Weeks of a timetable: what stands in which day, how far down, how high, and beside what."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from commontime.layout.timetable import DAY, STEP, Entry, Week, weeks

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 5, 4, tzinfo=BERLIN)


def entry(what: str, day: int, hour: float, minutes: int) -> Entry[str]:
    start = MONDAY + timedelta(days=day, hours=hour)
    return Entry(start.astimezone(UTC), start.astimezone(UTC) + timedelta(minutes=minutes), what)


def places(week: Week[str]) -> dict[str, tuple[date, int, int, int]]:
    """Return the day, the minute of the day, the minutes and the lane of each entry."""
    return {
        slot.what: (
            day.date,
            (week.hours.start + slot.down) * 60 + slot.below * STEP,
            slot.long * 60 + slot.over * STEP,
            slot.lane,
        )
        for day in week.days
        for slot in day.slots
    }


def test_days_are_columns_and_entries_stand_by_the_clock():
    found = weeks([entry("b", 2, 14.5, 45), entry("a", 0, 9, 30), entry("c", 8, 10, 60)], BERLIN, 0)

    assert [(len(week.days), week.hours) for week in found] == [
        (3, range(9, 16)),
        (1, range(10, 11)),
    ]
    assert places(found[0]) == {
        "a": (date(2026, 5, 4), 540, 30, 1),
        "b": (date(2026, 5, 6), 870, 45, 1),
    }
    assert [len(day.slots) for day in found[0].days] == [1, 0, 1]


def test_what_overlaps_stands_side_by_side_and_a_lane_is_used_again():
    found = weeks([entry("a", 0, 9, 60), entry("b", 0, 9.5, 60), entry("c", 0, 10, 30)], BERLIN, 0)

    assert {what: lane for what, (_, _, _, lane) in places(found[0]).items()} == {
        "a": 1,
        "b": 2,
        "c": 1,
    }


def test_the_week_begins_where_the_person_begins_it():
    sunday, monday = entry("a", 6, 9, 30), entry("b", 7, 9, 30)

    assert [len(weeks([sunday, monday], BERLIN, first)) for first in (0, 6)] == [2, 1]


def test_short_entries_get_higher_rows():
    assert [
        weeks([entry("a", 0, 9, minutes)], BERLIN, 0)[0].scale for minutes in (90, 30, 25, 15, 5)
    ] == [1, 1, 2, 2, 3]


def test_an_entry_over_midnight_ends_with_its_day():
    (week,) = weeks([entry("a", 0, 23.5, 120)], BERLIN, 0)

    assert (places(week)["a"], week.hours) == (
        (date(2026, 5, 4), 23 * 60 + 30, 30, 1),
        range(23, 24),
    )


spans = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, DAY - 1), st.integers(1, 300)), max_size=12
)


@given(spans)
def test_nothing_is_lost_nothing_covers_another_and_all_is_inside(given_spans):
    entries = [
        entry(str(number), day, minute / 60, minutes)
        for number, (day, minute, minutes) in enumerate(given_spans)
    ]

    found = weeks(entries, BERLIN, 0)

    placed = {what: place for week in found for what, place in places(week).items()}
    assert len(placed) == len(entries)
    for week in found:
        for what, (day, start, length, lane) in places(week).items():
            assert week.hours.start * 60 <= start < start + length <= week.hours.stop * 60
            for other, (day2, start2, length2, lane2) in places(week).items():
                apart = start + length <= start2 or start2 + length2 <= start
                assert what == other or day != day2 or lane != lane2 or apart
