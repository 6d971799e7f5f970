"""What each person may do. Actions ask here, so that no door can forget a permission."""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import User

from commontime.calendars.enums import Visibility
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
    ScheduleSuggestion,
)

FEWEST_HIDDEN = 3  # answers of others whose sum hides each of them


def may_manage(user: User, calendar: Calendar) -> bool:
    """Only the owner changes settings, people, meetings and final times."""
    return calendar.owner_id == user.pk


def may_remind(user: User, calendar: Calendar) -> bool:
    return may_manage(user, calendar)


def may_remove(user: User, participant: CalendarParticipant) -> bool:
    return user.pk in (participant.user_id, participant.calendar.owner_id)


def may_take_part(user: User, participant: CalendarParticipant) -> bool:
    """Nobody else can say that somebody takes part, not even the owner."""
    return participant.user_id == user.pk


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


def may_suppose(user: User, calendar: Calendar, answered: Iterable[int]) -> bool:
    """Return whether the user may ask what would be if.

    Where answers are hidden, enough others must have answered: else one supposed minute after the
    other would show what each of them said.
    """
    others = sum(user_id != user.pk for user_id in answered)
    return may_see_windows_of_others(user, calendar) or others >= FEWEST_HIDDEN


def may_rank(
    user: User, meeting: Meeting, attendees: Collection[int], answered: Iterable[int]
) -> bool:
    """Return whether the user may see how starts rank.

    Where few answers are hidden, only the attendees and the owner may.
    """
    calendar = meeting.calendar
    is_theirs = user.pk == calendar.owner_id or user.pk in attendees
    return is_theirs or may_suppose(user, calendar, answered)
