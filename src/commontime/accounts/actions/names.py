"""Checking the names of accounts, and finding people by name."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import regex
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from commontime.accounts import queries
from commontime.accounts.models import UserSetting
from commontime.core import limits, text
from commontime.core.clients import Client
from commontime.core.domains import ascii_domain
from commontime.core.errors import InvalidInput, NotFound, Problems

LONGEST = {"username": 150, "first_name": 150, "last_name": 150}
LONGEST_EMAIL = 254
UNIQUE = ("username", "email")
# Django's own pattern has \w, which leaves out the vowel signs of many scripts (UAX 31). Catalan
# writes a dot between two l's (RFC 5892, A.3).
_USERNAME = regex.compile(r"(?:[\p{L}\p{Mn}\p{Mc}\p{N}_.@+-]|(?<=[lL])·(?=[lL]))+")


def look_up(username: str, *, by: User) -> User:
    """Return the active user with exactly this name.

    Each call counts against a limit, so that nobody can list all accounts. Whom it finds the asker
    can name by id for an hour (`count_id`).
    """
    limits.take("look_up", by.pk)
    user = queries.account_called(username)
    limits.note("look_up", by.pk, user.pk)
    return user


def count_id(user_id: int, *, by: User) -> None:
    """Count naming a stranger by id like looking up a name, also where nobody has that id.

    Else somebody could list all accounts by counting. Whom they looked up lately is free. Call it
    outside the transaction that a refusal undoes.
    """
    if not limits.is_noted("look_up", by.pk, user_id):
        limits.take("look_up", by.pk)
        # The same id again tells nothing new.
        limits.note("look_up", by.pk, user_id)


def find(username: str, *, by: User) -> User:
    """Return the active user with exactly this name.

    Only wrong names count against the limit of `look_up`, so that nobody guesses here instead.
    """
    try:
        return queries.account_called(username)
    except NotFound:
        limits.take("look_up", by.pk)
        raise


# Checking -----------------------------------------------------------------------------------------


def keys_of(user: User) -> dict[str, str]:
    """Return the canonical username and address. No other account may have either."""
    return {field: text.canonical(getattr(user, field)) for field in UNIQUE}


def problems_with(user: User, *, client: Client) -> dict[str, list[str]]:
    """Return what speaks against an account's names, by field.

    The answer says which names are taken, so asking counts against a limit.
    """
    count_question(user, client)
    problems, keys = Problems(), keys_of(user)
    domains = settings.SIGN_UP_DOMAINS if user.pk is None else ()
    check_names(user, keys, problems, domains=domains)
    check_free(keys, problems, except_by=user.pk)
    return problems.fields


def count_question(user: User, client: Client) -> None:
    """Count asking whether a name is taken.

    Without an account it counts like signing up, with one like looking up a name.
    """
    if user.pk is None:
        limits.take("sign_up", client.network)
    else:
        limits.take("look_up", user.pk)


def check_names(
    user: User, keys: Mapping[str, str], problems: Problems, *, domains: Sequence[str] = ()
) -> None:
    """Clean the account's names, and gather what is wrong.

    keys: the canonical names, from `keys_of`. domains: where the address must be; everywhere if
    there are none.
    """
    user.username = text.composed(user.username)
    for field, longest in LONGEST.items():
        with problems.gather(field):
            value = text.one_line(
                getattr(user, field), field=field, longest=longest, required=field == "username"
            )
            setattr(user, field, value)
    if "username" not in problems.fields:
        with problems.gather("username"):
            _check_username(user, keys)
    user.email = user.email.strip()
    with problems.gather("email"):
        check_email(user.email)
        _check_domain(user.email, domains)
    for field in UNIQUE:
        if field not in problems.fields:
            with problems.gather(field):
                _check_key(field, keys[field])


def check_free(keys: Mapping[str, str], problems: Problems, *, except_by: int | None) -> None:
    """Gather a refusal for each canonical name already taken."""
    # An invalid name can't be taken, and a database may not even read it.
    asked = {field: key for field, key in keys.items() if field not in problems.fields}
    taken = queries.names_taken([*asked.values()], except_by=except_by) if asked else set()
    for field, key in asked.items():
        if key in taken:
            problems.add(
                field,
                _("This username is taken.")
                if field == "username"
                else _("This email address is already in use."),
            )


def _check_username(user: User, keys: Mapping[str, str]) -> None:
    text.check_name(user.username, field="username")
    if not _USERNAME.fullmatch(user.username):
        raise InvalidInput(_("Use only letters, digits and . - _ + @"), field="username")
    if not user.username.strip("."):
        # Clients resolve "." and ".." in a path as steps, so nobody would be found there.
        raise InvalidInput(
            _("A username needs at least one letter, digit or one of @ + - _."), field="username"
        )
    if "@" in user.username and keys["username"] != keys["email"]:
        raise InvalidInput(
            _("A username with an @ must be your own email address."), field="username"
        )


def _check_domain(email: str, domains: Sequence[str]) -> None:
    if not domains:
        return
    with suppress(ValueError):
        if ascii_domain(email.rpartition("@")[2].lower()) in domains:
            return
    raise InvalidInput(
        _("Sign up with an email address of %(domains)s.") % {"domains": ", ".join(domains)},
        field="email",
    )


def _check_key(field: str, key: str) -> None:
    """Refuse a name that is too long in canonical form."""
    column = getattr(UserSetting, f"{field}_key").field
    text.one_line(key, field=field, longest=column.max_length)


def check_email(email: str) -> None:
    """Refuse a text that is no single email address, or none that a mail can go to."""
    try:
        email.encode()
        validate_email(email)
        ascii_domain(email.rpartition("@")[2])
    except (ValidationError, ValueError):
        raise InvalidInput(
            _("Enter an email address like mina@example.org."), field="email"
        ) from None
    if len(email) > LONGEST_EMAIL:
        raise InvalidInput(_("An email address can have at most 254 characters."), field="email")
    text.check_name(email.partition("@")[0], field="email")
