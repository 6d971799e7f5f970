from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from commontime.accounts.enums import WhoMayAdd
from commontime.calendars import rules, tasks
from commontime.calendars.actions.checks import require_owner, require_running
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound

UNKNOWN_USER = "Nobody here has this id."


@transaction.atomic
def add_participant(calendar: Calendar, *, by: User, user: int, required: bool = True) -> CalendarParticipant:
    """Add a person, who is told and may leave. A pending invitation of theirs becomes accepted."""
    require_owner(by, calendar, "add people")
    require_running(calendar)
    person = (
        User.objects.filter(pk=user, is_active=True)
        .select_related("usersetting")
        .annotate(
            keeps_owner=Exists(Contact.objects.filter(owner=OuterRef("pk"), contactee=by)),
            is_invited=Exists(Invitation.objects.filter(calendar=calendar, receiver=OuterRef("pk"), status="pending")),
        )
        .first()
    )
    if person is None:
        raise InvalidInput(UNKNOWN_USER, field="user")
    if _wants_invitations(person) and not (person.keeps_owner or person.is_invited):
        raise NotAllowed("This person only joins by invitation. Invite them instead.", code="invitation_required")
    participant = join(calendar, person, required=required)
    if person.is_invited:
        answer_invitations(calendar, person)
    tasks.tell_added(participant, by=by)
    return participant


def join(calendar: Calendar, person: User, *, required: bool = True) -> CalendarParticipant:
    """Give the person a seat; Conflict if they have one."""
    participant = CalendarParticipant(calendar=calendar, user=person, required=required)
    try:
        with transaction.atomic():
            participant.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This person takes part already.", code="already_participant") from None
    participant.has_answered = False  # type: ignore[attr-defined]
    return participant


def answer_invitations(calendar: Calendar, person: User) -> None:
    Invitation.objects.filter(calendar=calendar, receiver=person, status="pending").update(status="accepted", answered_at=clock.now())


def _wants_invitations(person: User) -> bool:
    setting = getattr(person, "usersetting", None)
    return setting is not None and setting.who_may_add_me == WhoMayAdd.CONTACTS


@transaction.atomic
def edit_participant(participant: CalendarParticipant, *, by: User, required: bool) -> CalendarParticipant:
    require_owner(by, participant.calendar, "say who is required")
    require_running(participant.calendar)
    if participant.required != required:
        participant.required = required
        CalendarParticipant.objects.filter(pk=participant.pk).update(required=required)
    return participant


@transaction.atomic
def remove_participant(participant: CalendarParticipant, *, by: User) -> None:
    """Remove a person, or leave oneself. Their times go, and the meetings still to come are cancelled for them."""
    if not rules.may_remove(by, participant):
        raise NotAllowed("Only the calendar's owner can remove other people.")
    calendar = participant.calendar
    if participant.user_id == calendar.owner_id:
        raise Conflict("The owner can't leave. Hand the calendar over first, or delete it.", code="owner_stays")
    require_running(calendar)
    tasks.tell_removed(calendar, participant.user, by=by)
    # Their times and places in meetings go with the seat (migration 0002). It is what a writer of times locks: none can come in behind this.
    if not CalendarParticipant.objects.filter(pk=participant.pk).delete()[0]:
        raise NotFound("Nobody in this calendar has this participant id.")
