"""Ticks are whole minutes; nobody is promised a minute they did not offer."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontime import engine


def test_a_window_rounds_inward():
    start, end = (
        datetime(1970, 1, 1, 0, 1, 0, 1, tzinfo=UTC),
        datetime(1970, 1, 1, 0, 4, 59, 999_999, tzinfo=UTC),
    )

    assert (engine.start_tick(start), engine.end_tick(end)) == (2, 4)


def test_the_zone_counts():
    noon_in_nepal = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    assert engine.moment_of(engine.start_tick(noon_in_nepal)) == datetime(
        2026, 3, 1, 6, 15, tzinfo=UTC
    )


@given(st.datetimes(timezones=st.timezones()))
def test_rounding_stays_within_a_minute(moment):
    start, end = engine.start_tick(moment), engine.end_tick(moment)

    assert 0 <= start - end <= 1
    assert (
        timedelta(0)
        <= moment - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(minutes=end)
        < timedelta(minutes=1)
    )


@given(st.integers(-(10**9), 10**9))
def test_a_tick_comes_back(tick):
    assert (
        engine.start_tick(engine.moment_of(tick)) == engine.end_tick(engine.moment_of(tick)) == tick
    )


def test_a_naive_datetime_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        engine.start_tick(datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        engine.end_tick(datetime(2026, 3, 1))  # noqa: DTZ001
