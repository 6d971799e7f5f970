"""Invitations that somebody sent, received or may answer for."""

from uuid import UUID

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Exists, Q, QuerySet
from django.utils.translation import gettext as _

from commontime.calendars.models import Invitation
from commontime.calendars.queries import calendars
from commontime.core import links
from commontime.core.errors import NotFound
from commontime.mail.writing import link

LINKS = (links.Kind.INVITATION, links.Kind.MAILED_INVITATION)


def invitations_for(user: User, box: str) -> QuerySet[Invitation]:
    """The invitations somebody received, or those they sent. box: "received" or "sent"."""
    return _invitations(Q(sender=user) if box == "sent" else _received(user))


def invitation_for(user: User, invitation_id: UUID) -> Invitation:
    """Return the invitation to its receiver, its sender or the calendar's owner."""
    return _required(_invitation(user, invitation_id).first())


def locked_invitation_for(user: User, invitation_id: UUID) -> Invitation:
    """Return the invitation like `invitation_for`, and hold its calendar (actions/checks.py)."""
    rows = _invitation(user, invitation_id).select_for_update(no_key=True, of=("calendar",))
    # If the calendar got another owner while this waited for its row, PostgreSQL returns nothing,
    # because the owner it had joined no longer matches. So it is asked again.
    return _required(rows.first() or rows.first())


def link_to(invitation: Invitation) -> str:
    """Return where the invitation is answered. Whoever holds the link is the person invited."""
    return _link(links.Kind.INVITATION, invitation)


def mailed_link_to(invitation: Invitation) -> str:
    """Return the link for the mail alone: who uses it reads the mails to that address."""
    return _link(links.Kind.MAILED_INVITATION, invitation)


def _link(kind: links.Kind, invitation: Invitation) -> str:
    return link(f"/app/invitations/{links.token(kind, invitation.pk)}/")


def read_link(token: str) -> links.Link:
    """Return which invitation a link's token is for, and whether it was mailed."""
    found = links.read(token)
    if found and found.kind in LINKS and found.fits():
        return found
    try:
        # Mails of version 0.2 and before have such a link. It was copied, too.
        invitation_id = signing.Signer(salt="commontime.invitation").unsign(token)
        return links.Link(links.Kind.INVITATION, UUID(invitation_id), b"")
    except (signing.BadSignature, ValueError):
        raise NotFound(_("This invitation link is incomplete.")) from None


def address_proved_by(token: str, invitation: Invitation) -> str:
    """Return the address whose mails the holder of a link reads; "" if it was not mailed."""
    was_mailed = read_link(token).kind == links.Kind.MAILED_INVITATION
    return invitation.email if was_mailed else ""


def _invitation(user: User, invitation_id: UUID) -> QuerySet[Invitation]:
    return _invitations(_received(user) | Q(sender=user) | Q(calendar__owner=user)).filter(
        pk=invitation_id
    )


def _required(invitation: Invitation | None) -> Invitation:
    if invitation is None:
        raise NotFound(_("There is no such invitation."))
    return invitation


def _invitations(which: Q) -> QuerySet[Invitation]:
    return Invitation.objects.filter(which).select_related("calendar__owner", "sender", "receiver")


def _received(user: User) -> Q:
    """Match the invitations a receiver may see.

    An invitation shows the calendar's present name, so an accepted one is hidden once its receiver
    has left.
    """
    return Q(receiver=user) & (
        ~Q(status="accepted") | Q(Exists(calendars.seat(user.pk, "calendar")))
    )
