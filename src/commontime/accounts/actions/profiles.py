"""Making an account, changing its profile, closing and deleting it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commontime.accounts import queries, rules, tasks
from commontime.accounts.actions import addresses, names, passwords, sign_ins
from commontime.accounts.enums import Door
from commontime.accounts.models import UserSetting
from commontime.core import limits
from commontime.core.clients import Client
from commontime.core.errors import NotAllowed, Problems
from commontime.core.shapes import Fields
from commontime.mail import outbox

EDITABLE = ("username", "email", "first_name", "last_name")


def sign_up(
    *,
    username: str,
    email: str,
    first_name: str = "",
    last_name: str = "",
    password: str,
    client: Client,
    then: Callable[[User], None] = lambda user: None,
) -> User:
    """Make an account. All reasons against the input are given at once.

    then: what is done with the account in its transaction.
    """
    limits.take("sign_up", client.network)

    def welcome(user: User) -> None:
        addresses.require_confirmation(user)
        then(user)

    return create_account(
        username=username,
        email=email,
        first_name=first_name,
        last_name=last_name,
        password=password,
        domains=settings.SIGN_UP_DOMAINS,
        then=welcome,
    )


def create_account(
    *,
    username: str,
    email: str,
    first_name: str = "",
    last_name: str = "",
    password: str,
    domains: Sequence[str] = (),
    then: Callable[[User], None] = lambda user: None,
) -> User:
    """Make an account whose address counts as confirmed."""
    user = User(username=username, email=email, first_name=first_name, last_name=last_name)
    keys = names.keys_of(user)
    _check(user, keys, new_keys=keys, password=password, domains=domains)
    user.password = passwords.new_hash(password)
    with _taken_at_once(keys, except_by=None), transaction.atomic():
        user.save()
        UserSetting.objects.create(
            user=user, username_key=keys["username"], email_key=keys["email"]
        )
        then(user)
    return user


def edit_profile(
    user: User,
    *,
    by: User,
    sign_in: queries.SignIn,
    client: Client,
    current_password: str | None = None,
    door: Door = Door.API,
    **changes: Any,
) -> sign_ins.NewSignIn | None:
    """Change names, address or password.

    An absent field and an empty password change nothing. A new password or address needs a sign-in
    of less than ten minutes or the current password. It ends all other sign-ins, and a mail tells
    the old address. A new address must be confirmed. The result is then a fresh sign-in through
    this door; otherwise None. A current password that is sent must be right.
    """
    password = changes.pop("password", None) or None
    edited = _with(changes, user)
    keys = names.keys_of(edited)
    new_keys = dict(keys.items() - names.keys_of(user).items())
    if new_keys:
        names.count_question(edited, client)
    _check(edited, keys, new_keys=new_keys, password=password)

    changed = _changes(user, edited)
    is_guarded = "email" in changed or password is not None
    if is_guarded or current_password:
        _require_proof(user, sign_in, current_password, client)
    if password is not None:
        changed["password"] = edited.password = passwords.new_hash(password)
    with _taken_at_once(keys, except_by=user.pk), transaction.atomic():
        _store(user, changed, keys)
        fresh = _start_anew(edited, user.email, changed, door, client) if is_guarded else None
    for field, value in changed.items():
        setattr(user, field, value)
    return fresh


def _with(changes: Fields, user: User) -> User:
    """Return a copy of the account with these changes."""
    edited = copy(user)
    for field in changes.keys() & set(EDITABLE):
        setattr(edited, field, changes[field])
    return edited


def _changes(user: User, edited: User) -> Fields:
    """Return the fields that differ, as edited."""
    return {
        field: getattr(edited, field)
        for field in EDITABLE
        if getattr(edited, field) != getattr(user, field)
    }


def _check(
    user: User,
    keys: dict[str, str],
    *,
    new_keys: dict[str, str],
    password: str | None,
    domains: Sequence[str] = (),
) -> None:
    """Refuse names or a password with all reasons at once.

    new_keys: those of the canonical names that may belong to somebody else. domains: where the
    address must be; everywhere if there are none.
    """
    problems = Problems()
    names.check_names(user, keys, problems, domains=domains)
    names.check_free(new_keys, problems, except_by=user.pk)
    if password is not None:
        with problems.gather("password"):
            passwords.check_new_password(password, user)
    problems.refuse()


@contextmanager
def _taken_at_once(keys: dict[str, str], *, except_by: int | None) -> Iterator[None]:
    """Refuse a name that somebody took at the same moment. The database decides."""
    try:
        yield
    except IntegrityError:
        problems = Problems()
        names.check_free(keys, problems, except_by=except_by)
        problems.refuse()
        raise


def _require_proof(
    user: User, sign_in: queries.SignIn, current_password: str | None, client: Client
) -> None:
    if current_password:
        is_proved = passwords.is_password_of(user, current_password, sign_in, client)
        wanted = _("This current_password is wrong. Send the right one, or sign in again first.")
    else:
        is_proved = rules.may_change_credentials(sign_in.created_at)
        wanted = _("Send your current password as current_password, or sign in again first.")
    if not is_proved:
        raise NotAllowed(wanted, code="reauth_required")


def _store(user: User, changed: Fields, keys: dict[str, str]) -> None:
    """Write the changed fields, unless the password has changed.

    Somebody whom a new password has signed out meanwhile can't write any more, least of all the old
    password.
    """
    signed_in = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if changed and not signed_in.update(**changed):
        raise sign_ins.signed_out()
    if changed.keys() & set(names.UNIQUE):
        columns = {"username_key": keys["username"], "email_key": keys["email"] or None}
        # An account that Django's own commands made has no setting yet.
        if not UserSetting.objects.filter(user=user).update(**columns):
            UserSetting.objects.create(user=user, **columns)


def _start_anew(
    user: User, old_email: str, changed: Fields, door: Door, client: Client
) -> sign_ins.NewSignIn:
    """End all sign-ins, tell the person, and open another. A new address is to be confirmed."""
    sign_ins.end_sessions(user)
    if not queries.is_confirmed(user):
        old_email = ""
    if "email" in changed:
        addresses.require_confirmation(user)
    tasks.tell_of_account_change(
        user,
        new_email="email" in changed,
        new_password="password" in changed,
        old_email=old_email,
    )
    return sign_ins.open_session(user, door=door, client=client)


# The end of an account ----------------------------------------------------------------------------


def erase_account(user: User) -> None:
    """Delete the account and everything the database hangs on it.

    Must run inside a transaction, after the calendars are settled.
    """
    tasks.say_goodbye(user)
    if not queries.is_confirmed(user):
        outbox.drop_caused_by(user.pk)
    user.delete()


def deactivate(user: User) -> None:
    """Close the account for now. No token, cookie or feed works any more."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        sign_ins.end_sessions(user)


def reactivate(user: User) -> None:
    """Open the account again.

    Earlier sign-ins stay ended, also one that was being opened at the moment of the closing.
    """
    with transaction.atomic():
        sign_ins.end_sessions(user)
        User.objects.filter(pk=user.pk).update(is_active=True)
