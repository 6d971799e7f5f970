"""May they? Asked by the actions, so that no door can forget a permission."""

from django.contrib.auth.models import User

from commontime.calendars.enums import Visibility
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    NonBusyTime,
    ScheduleSuggestion,
)


def may_manage(user: User, calendar: Calendar) -> bool:
    """Settings, people, meetings, final times: the owner's."""
    return calendar.owner_id == user.pk


def may_remove(user: User, participant: CalendarParticipant) -> bool:
    return user.pk in (participant.user_id, participant.calendar.owner_id)


def may_edit(user: User, window: NonBusyTime) -> bool:
    """Nobody edits another person's times, not even the owner."""
    return window.user_id == user.pk


def may_withdraw(user: User, suggestion: ScheduleSuggestion) -> bool:
    return user.pk in (suggestion.author_id, suggestion.meeting.calendar.owner_id)


def may_answer(user: User, invitation: Invitation) -> bool:
    return invitation.receiver_id == user.pk


def may_revoke(user: User, invitation: Invitation) -> bool:
    return user.pk in (invitation.sender_id, invitation.calendar.owner_id)


def may_see_windows_of_others(user: User, calendar: Calendar) -> bool:
    return calendar.visibility == Visibility.OPEN or (
        calendar.visibility == Visibility.OWNER and calendar.owner_id == user.pk
    )
