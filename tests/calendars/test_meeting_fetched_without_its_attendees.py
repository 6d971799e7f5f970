"""Once, a meeting that was fetched without its attendees was silently for nobody."""

import pytest

from commontime.calendars import queries
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(sam):
    return build.meeting(calendar=build.calendar(participants=[sam]), required=[sam])


def test_nobody_can_ask_whom_it_is_for(meeting, sam):
    with pytest.raises(LookupError, match="attendees"):
        groups.is_for(Meeting.objects.get(pk=meeting.pk), sam.pk)


def test_fetched_with_them_it_is_for_them_alone(meeting, sam):
    fetched = queries.meetings.with_attendees().get(pk=meeting.pk)

    assert groups.is_for(fetched, sam.pk)
    assert not groups.is_for(fetched, fetched.calendar.owner_id)


def test_one_for_everyone_is_for_anybody_however_it_was_fetched(sam):
    meeting = build.meeting(calendar=build.calendar(participants=[sam]))

    assert groups.is_for(Meeting.objects.get(pk=meeting.pk), sam.pk)
