from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts.enums import WhoMayAdd
from commontime.calendars import queries, rules
from commontime.calendars.actions.checks import hold, require_planner, require_running
from commontime.calendars.actions.meetings import raise_sequence
from commontime.calendars.actions.naming import count_stranger
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups
from commontime.calendars.tasks import notices
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound

UNKNOWN_USER = gettext_noop("Nobody here has this id.")
NO_PARTICIPANT = gettext_noop("Nobody in this calendar has this participant id.")


def add_participant(
    calendar: Calendar, *, by: User, user: User | int, required: bool = True
) -> CalendarParticipant:
    """Add a person, who is told and may leave. A pending invitation of theirs becomes accepted, and
    one to their address.

    user: found by name, or an id that was sent.
    """
    require_planner(by, calendar, _("add people"))
    user_id = count_stranger(user, by=by)
    return _add(calendar, by=by, user=user_id, required=required)


@transaction.atomic
def _add(calendar: Calendar, *, by: User, user: int, required: bool) -> CalendarParticipant:
    hold(calendar)
    require_planner(by, calendar, _("add people"))
    pending = Invitation.objects.filter(calendar=calendar, status="pending")
    person, is_invited = _person_to_add(calendar, user, pending, by=by)
    participant, meetings = join(calendar, person, required=required, added_by=by)
    if is_invited:
        pending.filter(receiver=person).update(status="accepted", answered_at=clock.now())
    notices.tell_added(participant, meetings)
    return participant


def _person_to_add(
    calendar: Calendar, user: int, pending: QuerySet[Invitation], *, by: User
) -> tuple[User, bool]:
    """Return the person, and whether they are invited.

    NotAllowed if they want to be asked first.
    """
    person = (
        User.objects.filter(pk=user, is_active=True)
        .select_related("usersetting")
        .annotate(
            takes_part=Exists(
                CalendarParticipant.objects.filter(calendar=calendar, user=OuterRef("pk"))
            ),
            keeps_owner=Exists(Contact.objects.filter(owner=OuterRef("pk"), contactee=by)),
            is_invited=Exists(pending.filter(receiver=OuterRef("pk"))),
        )
        .first()
    )
    if person is None:
        raise InvalidInput(_(UNKNOWN_USER), field="user")
    if _wants_invitations(person) and not (
        person.takes_part or person.keeps_owner or person.is_invited
    ):
        raise NotAllowed(
            _("This person can’t be added without being asked. Invite them instead."),
            code="invitation_required",
        )
    return person, person.is_invited


def join(
    calendar: Calendar, person: User, *, required: bool = True, added_by: User | None = None
) -> tuple[CalendarParticipant, list[Meeting]]:
    """Give the person a seat in a calendar, which is held.

    added_by: who puts them there without asking; None: they join by their own doing. Conflict if
    they have a seat. Returns it and the meetings that are theirs now. The refusal ends the action's
    transaction.
    """
    participant = CalendarParticipant(
        calendar=calendar,
        user=person,
        required=required,
        added_by=added_by,
        agreed_at=None if added_by else clock.now(),
    )
    try:
        participant.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            _("This person is already in this calendar."), code="already_participant"
        ) from None
    participant.has_answered = False
    return participant, raise_sequence(
        queries.meetings.meetings_to_come(calendar).filter(for_everyone=True)
    )


def _wants_invitations(person: User) -> bool:
    setting = getattr(person, "usersetting", None)
    return setting is not None and setting.who_may_add_me == WhoMayAdd.CONTACTS


@transaction.atomic
def edit_participant(
    participant: CalendarParticipant, *, by: User, required: bool
) -> CalendarParticipant:
    hold(participant.calendar)
    require_planner(by, participant.calendar, _("change who must come"))
    if participant.required != required:
        participant.required = required
        if not CalendarParticipant.objects.filter(pk=participant.pk).update(required=required):
            raise NotFound(_(NO_PARTICIPANT))
    return participant


@transaction.atomic
def remove_participant(participant: CalendarParticipant, *, by: User) -> None:
    """Remove a person, or leave oneself. Their times go, and the meetings still to come are
    cancelled for them.
    """
    calendar = participant.calendar
    hold(calendar)
    if not rules.may_remove(by, participant):
        raise NotAllowed(_("Only the organiser can remove other people."))
    if participant.user_id == calendar.owner_id:
        raise Conflict(
            _("The organiser can’t leave. Hand the calendar over first, or delete it."),
            code="owner_stays",
        )
    require_running(calendar)
    theirs = raise_sequence(_to_come_for(participant))
    # Their times and their places in meetings go with the seat (migration 0002).
    if not CalendarParticipant.objects.filter(pk=participant.pk).delete()[0]:
        raise NotFound(_(NO_PARTICIPANT))
    notices.tell_removed(participant, theirs, by=by)


def _to_come_for(participant: CalendarParticipant) -> list[Meeting]:
    return [
        m
        for m in queries.meetings.meetings_to_come(participant.calendar)
        if groups.is_for(m, participant.user_id)
    ]
