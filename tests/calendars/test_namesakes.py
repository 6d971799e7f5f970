"""Two people called the same are told apart wherever a calendar names them."""

import pytest

from commontime.calendars import queries
from commontime.calendars.planning import suggestions
from commontime.core import clock
from tests import build

pytestmark = pytest.mark.django_db


def test_namesakes_could_not_be_told_apart_in_reasons(mina):
    first, second = [
        build.user(name, first_name="Thomas", last_name="Müller") for name in ("thomas", "thomas2")
    ]
    calendar = build.calendar(owner=mina, participants=[first, second])
    build.window(calendar, mina, build.day(9), build.day(11))
    build.window(calendar, first, build.day(9), build.day(11))
    build.window(calendar, second, build.day(15), build.day(16))
    meeting = build.meeting(calendar=calendar)

    best, *_ = suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=1, with_names=True
    )

    assert "Thomas Müller (thomas2) is required but can’t come." in " ".join(best.reasons)


def test_a_name_that_nobody_shares_in_the_calendar_stays_as_it_is():
    thomas = build.user("thomas", first_name="Thomas", last_name="Müller")
    build.user("thomas2", first_name="Thomas", last_name="Müller")
    calendar = build.calendar(owner=thomas)

    assert [person.name for person in queries.people.roster_of(calendar).people] == [
        "Thomas Müller"
    ]
