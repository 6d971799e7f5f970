from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts.actions import addresses, names
from commontime.calendars import limits, queries, rules
from commontime.calendars.actions.checks import (
    held_named,
    hold,
    invitations_open_of,
    require_planner,
    require_running,
)
from commontime.calendars.actions.naming import count_stranger
from commontime.calendars.actions.participants import UNKNOWN_USER, join
from commontime.calendars.actions.taking_part import agree
from commontime.calendars.enums import InvitationStatus
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation
from commontime.calendars.tasks import notices
from commontime.core import clock, quotas
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from commontime.core.text import canonical

ANSWERS: dict[str, str] = {
    InvitationStatus.ACCEPTED: gettext_noop("accepted"),
    InvitationStatus.DECLINED: gettext_noop("declined"),
}


def invite_person(calendar_id: UUID, *, by: User, receiver: User | int) -> Invitation:
    """Invite somebody who has an account. They are told by mail.

    receiver: found by name, or an id that was sent.
    """
    return _invite(calendar_id, by=by, receiver=count_stranger(receiver, by=by))


@transaction.atomic
def _invite(calendar_id: UUID, *, by: User, receiver: int) -> Invitation:
    calendar = held_named(by, calendar_id)
    require_planner(by, calendar, _("invite people"))
    person = _person_to_invite(calendar, receiver, by=by)
    return _send(Invitation(calendar=calendar, sender=by, receiver=person))


def _person_to_invite(calendar: Calendar, receiver: int, *, by: User) -> User:
    mine = Invitation.objects.filter(calendar=calendar, receiver=OuterRef("pk"))
    person = (
        User.objects.filter(pk=receiver, is_active=True)
        .annotate(
            takes_part=Exists(
                CalendarParticipant.objects.filter(calendar=calendar, user=OuterRef("pk"))
            ),
            declined=Exists(
                mine.filter(status="declined", answered_at__gt=clock.now() - limits.DECLINED_LATELY)
            ),
        )
        .first()
    )
    if person is None or person.pk == by.pk:
        raise InvalidInput(
            _(UNKNOWN_USER) if person is None else _("You can’t invite yourself."), field="receiver"
        )
    if person.takes_part:
        raise Conflict(_("This person is already in this calendar."), code="already_participant")
    if person.declined:
        raise Conflict(
            _("This person declined within the last seven days. Talk to them first."),
            code="declined_recently",
        )
    return person


@transaction.atomic
def invite_address(calendar_id: UUID, *, by: User, email: str) -> Invitation:
    """Invite the holder of an e-mail address. Whether they have an account is told to nobody; the
    mail's link finds out.
    """
    calendar = held_named(by, calendar_id)
    require_planner(by, calendar, _("invite people"))
    names.check_email(email)
    if canonical(email) == canonical(by.email):
        raise InvalidInput(_("You can’t invite yourself."), field="email")
    # The mail is the only way they hear of it, so the sender is told when there were too many.
    notices.count_letter(by.pk, email)
    # No server tells addresses apart by their case; nothing more is folded, since the mail goes
    # there.
    return _send(Invitation(calendar=calendar, sender=by, email=email.lower()))


def _send(invitation: Invitation) -> Invitation:
    quotas.require_room("invitations", invitations_open_of(invitation.sender))
    try:
        invitation.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            _("They’ve already been invited and haven’t answered yet."), code="already_invited"
        ) from None
    notices.tell_invited([invitation])
    return invitation


@transaction.atomic
def accept_invitation(invitation_id: UUID, *, by: User) -> Invitation:
    """Join the calendar. Accepting again changes nothing."""
    return _accept(queries.invitations.locked_invitation_for(by, invitation_id), by)


def _accept(invitation: Invitation, by: User) -> Invitation:
    """Accept an invitation whose calendar is held."""
    _require_receiver(invitation, by)
    if invitation.status == InvitationStatus.ACCEPTED:
        # Adding somebody who is invited accepts for them; now they do it themselves.
        agree(invitation.calendar, by)
        return invitation
    require_running(invitation.calendar)
    if not _answer(invitation, InvitationStatus.ACCEPTED):
        return _answered_meanwhile(invitation, InvitationStatus.ACCEPTED)
    try:
        with transaction.atomic():
            _, meetings = join(invitation.calendar, by)
            notices.tell_accepted(invitation, meetings)
    except Conflict:
        # The owner added them in the meantime, so they are where they wanted to be.
        agree(invitation.calendar, by)
    return invitation


@transaction.atomic
def decline_invitation(invitation_id: UUID, *, by: User) -> Invitation:
    """Stay out of the calendar. Declining again changes nothing."""
    invitation = queries.invitations.invitation_for(by, invitation_id)
    _require_receiver(invitation, by)
    if invitation.status == InvitationStatus.DECLINED:
        return invitation
    if not _answer(invitation, InvitationStatus.DECLINED):
        return _answered_meanwhile(invitation, InvitationStatus.DECLINED)
    return invitation


@transaction.atomic
def accept_invitation_link(token: str, *, by: User) -> Invitation:
    """Join by the link of an invitation. Whoever holds the link is the person invited.

    If it was mailed to their address, that confirms the address.
    """
    invitation = invitation_of_link(token)
    hold(invitation.calendar)
    if invitation.receiver_id is None:
        _claim(invitation, by)
    if invitation.receiver_id != by.pk:
        raise NotFound(_("This link has already been used."))
    if address := queries.invitations.address_proved_by(token, invitation):
        addresses.confirm_by_mail(by, address)
    return _accept(invitation, by)


def _claim(invitation: Invitation, by: User) -> None:
    """Make an invitation to an address one to this person.

    Their own invitation to the same calendar gives way: nobody has two that wait.
    """
    if CalendarParticipant.objects.filter(calendar=invitation.calendar, user=by).exists():
        raise Conflict(_("You’re already in this calendar."), code="already_participant")
    pending = Invitation.objects.filter(status="pending")
    pending.filter(calendar=invitation.calendar, receiver=by).delete()
    pending.filter(pk=invitation.pk, receiver=None).update(receiver=by)
    invitation.refresh_from_db(fields=["receiver", "status"])


def invitation_of_link(token: str) -> Invitation:
    """Return the pending invitation behind the link of a mail. Asking does not use it up."""
    invitation = (
        Invitation.objects.filter(pk=queries.invitations.read_link(token).row_id, status="pending")
        .select_related("calendar__owner", "sender")
        .first()
    )
    if invitation is None:
        raise NotFound(_("This invitation is no longer open: it has been answered or withdrawn."))
    return invitation


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: User) -> None:
    """Take an invitation back.

    Its link is dead from now on. One that was accepted goes once its person no longer takes part.
    """
    if not rules.may_revoke(by, invitation):
        raise NotAllowed(
            _("Only the sender or the organiser can withdraw an invitation. Decline it instead.")
        )
    mine = Invitation.objects.filter(pk=invitation.pk)
    # One that was declined lately stays, or inviting again would be a matter of two requests.
    lately = {"status": "declined", "answered_at__gt": clock.now() - limits.DECLINED_LATELY}
    takes_part = Exists(
        CalendarParticipant.objects.filter(calendar=OuterRef("calendar"), user=OuterRef("receiver"))
    )
    if mine.exclude(takes_part, status="accepted").exclude(**lately).delete()[0]:
        return
    if mine.filter(status="declined").exists():
        raise Conflict(
            _(
                "This person declined within the last seven days. You can withdraw the invitation "
                "after that."
            ),
            code="declined_recently",
        )
    raise Conflict(
        _("The invitation has already been accepted. Remove the person instead."),
        code="already_accepted",
    )


def _require_receiver(invitation: Invitation, by: User) -> None:
    if not rules.may_answer(by, invitation):
        raise NotAllowed(_("Only the person invited can answer."))


def _answer(invitation: Invitation, status: InvitationStatus) -> bool:
    """Answer the invitation if it waits. What was sent to the person's address waits on: that it
    ended would tell whose address it is.
    """
    now = clock.now()
    answered = Invitation.objects.filter(pk=invitation.pk, status="pending").update(
        status=status, answered_at=now
    )
    if answered:
        invitation.status, invitation.answered_at = status, now
    return bool(answered)


def _answered_meanwhile(invitation: Invitation, status: InvitationStatus) -> Invitation:
    current = (
        Invitation.objects.filter(pk=invitation.pk)
        .select_related("calendar__owner", "sender", "receiver")
        .first()
    )
    if current is None:
        raise NotFound(_("There is no such invitation."))
    if current.status != status:
        raise Conflict(
            _("You’ve already answered this invitation: %(answer)s.")
            % {"answer": _(ANSWERS[current.status])},
            code="already_answered",
        )
    return current
