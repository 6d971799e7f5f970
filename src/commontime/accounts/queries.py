"""Reads people, their settings and their sign-ins."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.models import Max, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts.models import KnownNetwork, Mute, Session, UserSetting
from commontime.core import clock, links, rows
from commontime.core.errors import NotFound
from commontime.core.text import canonical
from commontime.mail.backends import mail_folder


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in that a request came with."""

    id: UUID
    created_at: datetime
    user: User


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its operator sees it.

    signed_in_at: of the last sign-in that is still kept.
    """

    username: str
    email: str
    is_active: bool
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Join[Value]:
    """Columns that other rooms add to the sign-in's look-up.

    tables: the joins they come from, over the user `u`. width: how many columns there are.
    """

    columns: str
    tables: str
    parameters: list[Any]
    width: int
    read: Callable[[User, rows.Values], Value]


_USER = rows.Columns(User, "u")
_SETTING = rows.Columns(UserSetting, "t")
# Written by hand because every request runs it: the ORM takes longer to build this statement than
# the database to answer it.
_SIGNED_IN = f"""
    SELECT s.epoch, s.created_at, {_USER.sql}, {_SETTING.sql}{{columns}}
    FROM accounts_session s
    JOIN auth_user u ON u.id = s.user_id
    LEFT JOIN accounts_usersetting t ON t.user_id = u.id {{joins}}
    WHERE s.id = %s AND s.ended_at IS NULL AND s.ends_at > %s AND u.is_active
"""  # noqa: S608 (column names only)


def signed_in(
    session_id: UUID, *, epoch: str, joins: Sequence[Join[Any] | None] = ()
) -> tuple[SignIn, list[Any]] | None:
    """Return a valid sign-in and each join's value, or None.

    The user has their setting at hand. A sign-in ends by signing out, by age, by deactivation, and
    by a change of the password (`epoch` is a keyed hash of the password's hash). One query.
    """
    row = _fetch_signed_in(session_id, [join for join in joins if join])
    if row is None:
        return None
    user: User = _USER.read(row[2:])
    if not (constant_time_compare(row[0], epoch) and constant_time_compare(row[0], epoch_of(user))):
        return None
    rest = row[2 + len(_USER) :]
    if rest[0] is not None:
        user._state.fields_cache["usersetting"] = _SETTING.read(rest)
    rest = rest[len(_SETTING) :]
    values = []
    for join in joins:
        values.append(join and join.read(user, rest))
        rest = rest[join.width if join else 0 :]
    return SignIn(session_id, rows.read_moment(row[1]), user), values


def _fetch_signed_in(session_id: UUID, joins: Sequence[Join[Any]]) -> rows.Values | None:
    statement = _SIGNED_IN.format(
        columns="".join(f", {join.columns}" for join in joins),
        joins=" ".join(join.tables for join in joins),
    )
    parameters = [value for join in joins for value in join.parameters]
    return rows.fetch_one(statement, [*parameters, rows.uuid(session_id), rows.moment(clock.now())])


def epoch_of(user: User) -> str:
    return user.get_session_auth_hash()[:32]


def is_signed_in_by(user: User, session_id: UUID, *, current: SignIn | None = None) -> bool:
    """Return whether this sign-in is the user's and holds.

    current: the one that the request came with, which holds.
    """
    if current is not None and (current.id, current.user) == (session_id, user):
        return True
    return Session.objects.filter(pk=session_id, user=user, ended_at=None).exists()


def setting_of(user: User) -> UserSetting:
    """Return the user's setting.

    An account that Django's own commands made has none: then an unsaved one with the defaults.
    """
    try:
        return user.usersetting
    except ObjectDoesNotExist:
        return UserSetting(
            user=user,
            username_key=canonical(user.username),
            email_key=canonical(user.email) or None,
        )


def unconfirmed(people: Collection[int]) -> set[int]:
    """Return which of these accounts have an address that is not confirmed."""
    if not confirms_addresses():
        return set()
    rows = UserSetting.objects.filter(user__in=people, email_confirmed=False)
    return set(rows.values_list("user", flat=True))


class _MailedResets(PasswordResetTokenGenerator):
    """Makes the tokens of mailed links. They differ from those that an operator hands over."""

    key_salt = "commontime.mailed_resets"


MAILED_RESETS = _MailedResets()
DAYS_TO_CONFIRM = 7


def confirms_addresses() -> bool:
    """Return whether addresses must be confirmed here. Without a mail server none can be."""
    return settings.CONFIRM_ADDRESSES and mail_folder() is None


def is_confirmed(user: User) -> bool:
    """Return whether the user's address counts as confirmed."""
    return setting_of(user).email_confirmed or not confirms_addresses()


# Each of the three parts uses an index; with OR the database would read every account. The last is
# for accounts that Django's own commands made, which have no setting.
_BY_KEY = f"""
    SELECT {_USER.sql}, {_SETTING.sql}
    FROM auth_user u LEFT JOIN accounts_usersetting t ON t.user_id = u.id
    WHERE u.id IN (
        SELECT user_id FROM accounts_usersetting WHERE username_key IN ({{marks}})
        UNION SELECT user_id FROM accounts_usersetting WHERE email_key IN ({{marks}})
        UNION SELECT id FROM auth_user WHERE LOWER(username) IN ({{marks}})
    )
"""  # noqa: S608 (column names only)


def accounts_named(name: str) -> list[User]:
    """Return the accounts with this username, then this address.

    Inactive ones too; always one query.
    """
    key = canonical(name)
    by_username, by_email = [], []
    for user in _accounts_by_key([key]):
        username_key, email_key = _keys_of(user)
        if username_key == key:
            by_username.append(user)
        elif email_key == key:
            by_email.append(user)
    return by_username + by_email


def names_taken(keys: list[str], *, except_by: int | None) -> set[str]:
    """Return the canonical names that somebody else has.

    A username counts as an address and the other way round. One query.
    """
    others = (user for user in _accounts_by_key(keys) if user.pk != except_by)
    return {key for user in others for key in _keys_of(user) if key in keys}


def _accounts_by_key(keys: list[str]) -> list[User]:
    """Return the accounts with these canonical names, and their settings."""
    users = []
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY.format(marks=", ".join(["%s"] * len(keys))), keys * 3)
        for row in cursor.fetchall():
            user: User = _USER.read(row)
            if row[len(_USER)] is not None:
                user._state.fields_cache["usersetting"] = _SETTING.read(row[len(_USER) :])
            users.append(user)
    return sorted(users, key=lambda user: user.pk)


def _keys_of(user: User) -> tuple[str, str | None]:
    """Return the canonical username and address of a fetched account.

    The address of an account that Django's own commands made does not count.
    """
    setting = user._state.fields_cache.get("usersetting")
    return (setting.username_key, setting.email_key) if setting else (user.username.lower(), None)


def account_called(username: str) -> User:
    """Return the active user with exactly this name, ignoring case."""
    key = canonical(username)
    for user in accounts_named(username):
        if user.is_active and canonical(user.username) == key:
            return user
    raise NotFound(_("Nobody here has this username."))


def all_accounts() -> list[Account]:
    """Return all accounts by name, for operators."""
    rows = User.objects.annotate(signed_in_at=Max("session__created_at")).order_by("username")
    columns = ("username", "email", "is_active", "signed_in_at")
    return [Account(*row) for row in rows.values_list(*columns)]


def active_user(user_id: int) -> User | None:
    return User.objects.filter(pk=user_id, is_active=True).select_related("usersetting").first()


def has_signed_in_from(user: User, network: str) -> bool:
    """Return whether the account was entered from there. It is one query for nobody, too."""
    return KnownNetwork.objects.filter(
        user_id=user.pk or 0, network_hash=hash_of_network(user.pk, network)
    ).exists()


def hash_of_network(user_id: int, network: str) -> str:
    return salted_hmac(
        "commontime.known_networks", f"{user_id} {network}", algorithm="sha256"
    ).hexdigest()


def sessions_of(user: User) -> QuerySet[Session]:
    return Session.objects.filter(
        user=user, ended_at=None, ends_at__gt=clock.now(), epoch=epoch_of(user)
    ).order_by("-used_at", "id")


def session_for(user: User, session_id: UUID) -> Session:
    session = sessions_of(user).filter(pk=session_id).first()
    if session is None:
        raise NotFound(_("That sign-in has already ended."))
    return session


def has_muted(user_id: int, sender_id: int) -> bool:
    return Mute.objects.filter(user_id=user_id, sender_id=sender_id).exists()


def muted_by(user: User) -> list[str]:
    """Return the usernames whose mails the user has stopped."""
    return list(
        Mute.objects.filter(user=user)
        .order_by("sender__username")
        .values_list("sender__username", flat=True)
    )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whose address a link confirms, and what has become of it."""

    setting: UserSetting
    is_over: bool

    @property
    def user(self) -> User:
        return self.setting.user

    @property
    def is_done(self) -> bool:
        return self.setting.email_confirmed


def confirmation_of(token: str) -> Confirmation:
    """Return what the link of a mail confirms. Asking does not use it up."""
    link = links.read(token)
    setting = None
    if link and link.kind == links.Kind.CONFIRMATION:
        rows = UserSetting.objects.select_related("user").filter(user__is_active=True)
        setting = rows.filter(pk=link.row_id).first()
    if link is None or setting is None or not link.fits(setting.confirm_counter):
        raise NotFound(
            _(
                "This link is incomplete, or the account has another address by now. Sign in to "
                "have a new one sent."
            )
        )
    asked_at = setting.confirm_asked_at
    is_over = asked_at is None or asked_at < clock.now() - timedelta(days=DAYS_TO_CONFIRM)
    return Confirmation(setting, is_over)


@dataclass(frozen=True, slots=True)
class Stop:
    """The mails that an unsubscribe link stops.

    switch: the name of the setting for this kind of mail, or `mute:<id>` for one sender.
    """

    user_id: int
    switch: str
    sender: User | None

    @property
    def what(self) -> str:
        return _(SWITCHES[self.switch]) if self.switch in SWITCHES else ""


STOP_SALT = "commontime.stop-mails"
SWITCHES = {
    "mail_invitations": gettext_noop("invitations"),
    "mail_meetings": gettext_noop("meeting updates"),
    "mail_reminders": gettext_noop("reminders"),
}


def stop_of(token: str) -> Stop:
    """Return what an unsubscribe link stops. NotFound if it is not ours."""
    missing = NotFound(_("This link is incomplete, or the account no longer exists."))
    try:
        user_id, switch = signing.loads(token, salt=STOP_SALT)
    except signing.BadSignature:
        raise missing from None
    if not User.objects.filter(pk=user_id).exists():
        raise missing
    sender = (
        User.objects.filter(pk=int(switch.removeprefix("mute:"))).first()
        if switch.startswith("mute:")
        else None
    )
    if sender is None and switch not in SWITCHES:
        raise missing
    return Stop(user_id, switch, sender)


def hashed(secret: str) -> str:
    """Return the hash that is stored of a random secret.

    One round is enough: nobody guesses 128 random bits.
    """
    return sha256(secret.encode()).hexdigest()
