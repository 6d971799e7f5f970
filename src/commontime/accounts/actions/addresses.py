"""Confirming that the mails to an address reach its account."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from commontime.accounts import queries, tasks
from commontime.accounts.models import UserSetting
from commontime.core import clock, limits
from commontime.core.errors import Conflict
from commontime.mail import outbox


@transaction.atomic
def send_confirmation(user: User, *, by: User) -> None:
    """Send the mail that confirms the address again. Its link is the same."""
    if queries.is_confirmed(user):
        raise Conflict(_("Your address is confirmed already."), code="already_confirmed")
    if wait := _wait_for(user):
        raise limits.too_many(wait)
    UserSetting.objects.filter(user=user).update(confirm_asked_at=clock.now())
    tasks.ask_to_confirm(user)


def require_confirmation(user: User) -> None:
    """Take the account's address, which is new, as not confirmed, and ask for that by mail.

    Nobody is asked too often: then the person has the mail sent later.
    """
    if not queries.confirms_addresses():
        return
    may_ask = not _wait_for(user)
    UserSetting.objects.filter(user=user).update(
        email_confirmed=False,
        confirm_counter=F("confirm_counter") + 1,
        confirm_asked_at=clock.now() if may_ask else None,
    )
    queries.setting_of(user).email_confirmed = False
    if may_ask:
        tasks.ask_to_confirm(user)


def _wait_for(user: User) -> int:
    """Count a mail that asks, and return how long it must wait."""
    return max(limits.count("confirm_mail", ("account", user.pk), ("address", user.email.lower())))


@transaction.atomic
def confirm_address(token: str) -> User:
    """Confirm an address by the link of the mail to it, and send what was kept back.

    Doing it again changes nothing.
    """
    confirmation = queries.confirmation_of(token)
    setting, user = confirmation.setting, confirmation.user
    if confirmation.is_done:
        return user
    if confirmation.is_over:
        raise Conflict(
            _("This link is more than seven days old. Sign in to have a new one sent."),
            code="link_expired",
        )
    _confirm(user, confirm_counter=setting.confirm_counter)
    return user


def confirm_by_mail(user: User, address: str) -> None:
    """Confirm the address of an account that has used another link of a mail to it."""
    _confirm(user, user__email__iexact=address)


def _confirm(user: User, **still: object) -> None:
    """Confirm the account's address, if that is still so."""
    unconfirmed = UserSetting.objects.filter(user=user, email_confirmed=False, **still)
    if unconfirmed.update(email_confirmed=True):
        outbox.send_kept_back(user.pk, User.objects.values_list("email", flat=True).get(pk=user.pk))
        queries.setting_of(user).email_confirmed = True
