"""Who may make an account here. The operator decides (`COMMONTIME_SIGN_UP`)."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commontime.accounts.actions import addresses, profiles
from commontime.calendars import queries
from commontime.calendars.models import Invitation
from commontime.core.errors import NotAllowed, NotFound


def sign_up(
    *, invitation: str = "", then: Callable[[User], None] = lambda user: None, **fields: Any
) -> User:
    """Make an account for somebody whom the operator lets in.

    invitation: the token of an invitation's link. Where only invited people may sign up, it makes
    one account, and the invitation is that account's from then on. One that was mailed confirms its
    address. then: what is done with the account in its transaction.
    """
    found = require_sign_up(invitation)
    address = _address_proved_by(invitation)

    def claim(user: User) -> None:
        # Of two who sign up at once with one link, the database lets one win.
        if found and not _open_invitations().filter(pk=found.pk).update(receiver=user):
            raise _invitation_needed()
        if address:
            addresses.confirm_by_mail(user, address)
        then(user)

    return profiles.sign_up(**fields, then=claim)


def require_sign_up(invitation: str) -> Invitation | None:
    """Refuse somebody who may not sign up here. Return the invitation that lets them in, if any."""
    if settings.SIGN_UP == "open":
        return None
    if settings.SIGN_UP == "closed":
        raise NotAllowed(
            _("Whoever runs this site makes the accounts here. Ask them for one, then sign in."),
            code="sign_up_closed",
        )
    with suppress(NotFound):
        link = queries.invitations.read_link(invitation)
        found = _open_invitations().filter(pk=link.row_id).first()
        if found:
            return found
    raise _invitation_needed()


def _address_proved_by(token: str) -> str:
    """Return the address whose mails the holder of a link reads, if it is an open invitation's."""
    if not token:
        return ""
    with suppress(NotFound):
        link = queries.invitations.read_link(token)
        if found := _open_invitations().filter(pk=link.row_id).first():
            return queries.invitations.address_proved_by(token, found)
    return ""


def _open_invitations() -> QuerySet[Invitation]:
    """The invitations to addresses that nobody has claimed, from people who may still invite."""
    return Invitation.objects.filter(receiver=None, status="pending", sender__is_active=True)


def _invitation_needed() -> NotAllowed:
    return NotAllowed(
        _(
            "To sign up here you need an invitation that nobody has used yet. Ask somebody who "
            "plans here for one, and open its link."
        ),
        code="invitation_needed",
    )
