"""What is done later: letters are posted and composed, plans computed. It takes ids and fetches
what they name.
"""

from commontime.calendars.tasks.letters import (
    INVITATION_SALT,
    Told,
    count_letter,
    tell_accepted,
    tell_added,
    tell_attendee_lost,
    tell_calendar_finalized,
    tell_changed,
    tell_deadline,
    tell_deleted,
    tell_from_person,
    tell_handed_over,
    tell_invited,
    tell_removed,
    told,
)
from commontime.calendars.tasks.plans import work_on_plan

__all__ = [
    "INVITATION_SALT",
    "Told",
    "count_letter",
    "tell_accepted",
    "tell_added",
    "tell_attendee_lost",
    "tell_calendar_finalized",
    "tell_changed",
    "tell_deadline",
    "tell_deleted",
    "tell_from_person",
    "tell_handed_over",
    "tell_invited",
    "tell_removed",
    "told",
    "work_on_plan",
]
