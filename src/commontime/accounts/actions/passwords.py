"""Judging, confirming and resetting passwords."""

from collections.abc import Callable

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    get_default_password_validators,
)
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from commontime.accounts import hashers, queries, tasks
from commontime.accounts.actions import addresses, sign_ins, tries
from commontime.accounts.validators import MaximumLengthValidator
from commontime.core import crowd, limits, text
from commontime.core.clients import Client
from commontime.core.errors import InvalidInput, TooMany

NAMES = ("username", "first_name", "last_name", "email")
LONGEST_NAME = 254
LENGTHS = (MinimumLengthValidator, MaximumLengthValidator)


def check_new_password(password: str, user: User) -> None:
    """Refuse a weak password, with all reasons."""
    if "\x00" in password or not text.is_unicode(password):
        raise InvalidInput(_("This is not valid Unicode text."), field="password")
    normal, names = hashers.normalised(password), _names_of(user)
    reasons: list[str] = []
    for validator in get_default_password_validators():
        # A length is judged as typed. All else is judged as it will be hashed.
        judged = password if isinstance(validator, LENGTHS) else normal
        try:
            validator.validate(judged, names)
        except ValidationError as refusal:
            reasons += refusal.messages
    if reasons:
        raise InvalidInput(_("Choose another password."), fields={"password": reasons})


def new_hash(password: str) -> str:
    """Hash a password in turn. It takes as long as comparing one."""
    with crowd.passwords.turn():
        return make_password(password)


def _names_of(user: User) -> User:
    """Return somebody with the beginnings of the user's names and address.

    A password is compared with each word of them. They may be refused too, and have no end.
    """
    cut = {field: getattr(user, field)[:LONGEST_NAME] for field in NAMES}
    return User(**cut)


def confirm_password(
    user: User, current_password: str, *, sign_in: queries.SignIn, client: Client
) -> None:
    """Refuse anything but the person's password. A wrong one counts like a wrong sign-in."""
    if not is_password_of(user, current_password, sign_in, client):
        raise InvalidInput(_("This isn’t your current password."), field="current_password")


def is_password_of(user: User, password: str, sign_in: queries.SignIn, client: Client) -> bool:
    """Compare the password; TooMany after too many wrong ones.

    A device that is signed in is known, wherever it is. So it has one count in all networks, and
    those that others make never refuse it.
    """
    here = (
        *tries.password_tries(user.username, user, client),
        ("password", ("in", sign_in.id)),
    )
    if wait := max(limits.count_each(*here)):
        raise limits.too_many(wait)
    elsewhere = tries.tries_elsewhere(user.username, user, client)
    limits.count_each(*elsewhere)
    with crowd.passwords.turn():
        is_right = check_password(password, user.password)
    if not is_right:
        return False
    limits.give_back(*here, *elsewhere)  # only failures count
    return True


# A forgotten password -----------------------------------------------------------------------------


def request_password_reset(email: str, *, client: Client) -> None:
    """Have a reset mail sent to this address.

    It must be that of an active account. The worker looks for the account, so that asking takes the
    same time for every address.
    """
    try:
        limits.take("reset_ask", client.network)
    except TooMany:
        return  # The answer stays the same; it must not tell how often others asked.
    tasks.send_password_reset.enqueue(email[:254])


def reset_password(
    uidb64: str,
    token: str,
    *,
    password: str,
    client: Client,
    then: Callable[[User], None] = lambda user: None,
) -> User:
    """Set a new password by the link of a mail.

    It works once, for one hour, and ends all sign-ins. A mailed link also confirms the address.
    then: what is done in its transaction.
    """
    limits.take("reset_try", client.network)
    user = user_of_reset_link(uidb64, token)
    was_mailed = queries.MAILED_RESETS.check_token(user, token)
    check_new_password(password, user)
    old = user.password
    user.password = new_hash(password)
    with transaction.atomic():
        # The update decides between two uses at once: the second finds another password than the
        # one the link was made for.
        if not User.objects.filter(pk=user.pk, password=old, is_active=True).update(
            password=user.password
        ):
            raise _bad_link()
        if was_mailed:
            addresses.confirm_by_mail(user, user.email)
        sign_ins.end_sessions(user)
        tasks.tell_of_account_change(user, new_email=False, new_password=True, old_email=user.email)
        then(user)
    return user


def user_of_reset_link(uidb64: str, token: str) -> User:
    """Return whose password the link sets. Asking does not use it up."""
    user = user_named_in(uidb64)
    generators = (queries.MAILED_RESETS, default_token_generator)
    if user is None or not any(each.check_token(user, token) for each in generators):
        raise _bad_link()
    return user


def user_named_in(uidb64: str) -> User | None:
    """Return whose link this may be. That proves nothing."""
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(uidb64)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


def _bad_link() -> InvalidInput:
    return InvalidInput(
        _(
            "This link has already been used, is more than an hour old, or is incomplete. Ask for "
            "a new one."
        ),
        code="invalid_or_used_token",
    )
