from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts import queries
from commontime.accounts.actions import profiles
from commontime.calendars import queries as calendar_queries
from commontime.calendars.actions.calendars import hand_over
from commontime.calendars.actions.checks import hold_all
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.calendars.tasks import notices
from commontime.core import limits
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields


def export(user: User) -> Fields:
    """Return all that is stored about the user. TooMany if they ask again and again.

    It can be megabytes, which stay in memory until they are read.
    """
    limits.take("export", user.pk)
    return calendar_queries.export.everything_about(user)


@transaction.atomic
def delete_account(
    user: User,
    *,
    by: User,
    session_id: UUID,
    sign_in: queries.SignIn | None = None,
    transfer_to: int | None = None,
) -> None:
    """Delete one's account: all or nothing.

    Owned calendars go to `transfer_to`, who must take part in each, or are deleted and their people
    get one cancel mail. `session_id` is what the caller's refresh token names; one that is not
    theirs, or has ended, is refused. `sign_in` is the one the request came with.
    """
    if not queries.is_signed_in_by(by, session_id, current=sign_in):
        raise InvalidInput(
            _("This refresh token is not yours, or is no longer valid."), field="refresh_token"
        )
    remove_account(user, transfer_to=transfer_to)


@transaction.atomic
def remove_account(user: User, *, transfer_to: int | None = None) -> None:
    """Delete an account without asking for a sign-in, for operators. As `delete_account` else."""
    owned = [calendar for calendar in hold_all(user) if calendar.owner_id == user.pk]
    if transfer_to is not None and owned:
        hand_over(owned, by=user, heir=_heir(owned, transfer_to, by=user))
    else:
        for calendar in owned:
            calendar.owner = user
        notices.tell_deleted(owned)
    profiles.erase_account(user)


def _heir(calendars: Sequence[Calendar], user: int, *, by: User) -> User:
    """Return the heir, if they take part in each calendar. The calendars are held."""
    rows = CalendarParticipant.objects.filter(
        calendar__in=calendars, user=user, user__is_active=True
    ).exclude(user=by)
    seats = rows.select_related("user")
    if len(seats) < len(calendars):
        raise InvalidInput(_("Choose somebody who is in all your calendars."), field="transfer_to")
    return seats[0].user
