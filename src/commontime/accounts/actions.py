"""What people can do with their account and their sign-ins."""

import functools
import logging
import secrets
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from commontime.accounts import queries, rules, tasks
from commontime.accounts.enums import Door, HourCycle, WeekStart, WhoMayAdd
from commontime.accounts.models import Mute, Session, UserSetting
from commontime.core import clock, limits, text
from commontime.core.clients import Client
from commontime.core.errors import InvalidInput, NotAllowed, NotFound, TooMany, Unidentified

logger = logging.getLogger(__name__)
NAMES = {"username": 150, "first_name": 150, "last_name": 150}
EDITABLE = ("username", "email", "first_name", "last_name")
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A sign-in that was just opened or renewed. `refresh_secret` is told once; the database keeps
    only its hash.
    """

    user: User
    session: Session
    refresh_secret: str


# Signing up ---------------------------------------------------------------------------------------


def sign_up(
    *,
    username: str,
    email: str,
    first_name: str = "",
    last_name: str = "",
    password: str,
    client: Client,
) -> User:
    """Make an account. Every reason against the input is told at once."""
    limits.take("sign_up", client.network)
    return create_account(
        username=username,
        email=email,
        first_name=first_name,
        last_name=last_name,
        password=password,
    )


def create_account(
    *, username: str, email: str, first_name: str = "", last_name: str = "", password: str
) -> User:
    user = User(username=username, email=email, first_name=first_name, last_name=last_name)
    _check_account(user, password)
    user.password = make_password(password)
    try:
        with transaction.atomic():
            user.save()
            UserSetting.objects.create(
                user=user,
                username_key=text.canonical(user.username),
                email_key=text.canonical(user.email),
            )
    except IntegrityError:
        # Somebody took the name between our look and our write: the database decides.
        _refuse_taken(user)
        raise
    return user


def check_new_password(password: str, user: User) -> None:
    """Refuse a password that the criteria refuse, with all their reasons."""
    if "\x00" in password or not _is_unicode(password):
        raise InvalidInput(_("This is not valid Unicode text."), field="password")
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        raise InvalidInput(
            _("Choose another password."), fields={"password": refusal.messages}
        ) from None


# Signing in ---------------------------------------------------------------------------------------


def sign_in(identifier: str, password: str, *, door: Door, client: Client) -> Opened:
    """Open a sign-in for a user name or e-mail address. Every failure is the same refusal in about
    the same time.

    The limit is asked before the password is hashed, for the name and for the account behind it. It
    counts what comes from one network, so that guessing elsewhere can't lock the owner out.
    """
    nobody = User(password=_nobodys_password())
    user = next(iter(queries.accounts_named(identifier)), nobody)
    tries = _tries(identifier, user, client)
    wait_as, wait_of = limits.count("password", *tries)
    if wait_as:
        raise limits.too_many(wait_as)
    if wait_of:
        # Used up under its other name. To say so would tell whose address this is, so it is as if
        # nobody were called that.
        user = nobody
    if check_password(password, user.password) and user.is_active and user is not nobody:
        limits.give_back("password", *tries)  # only failures count
        return open_session(user, door=door, client=client)
    logger.info("Sign-in failed for %.80r from %s", identifier, client.address)
    raise Unidentified(
        _("Wrong username or password. If you’ve forgotten your password, ask for a reset link.")
    )


def _tries(identifier: str, user: User, client: Client) -> tuple[limits.Subject, limits.Subject]:
    """Return what a password try counts for: the name it was for, and the account behind it.

    Counted anew for each password of the account: who has chosen a new one by mail has tried in
    vain before, and shall get in now.
    """
    epoch = queries.epoch_of(user) if user.pk else ""
    return ("as", text.canonical(identifier), epoch, client.network), (
        "of",
        user.pk,
        epoch,
        client.network,
    )


@functools.cache
def _nobodys_password() -> str:
    """Return the hash of a password nobody knows, so that a name nobody has takes as long to
    refuse.
    """
    return make_password(secrets.token_urlsafe(16))


def open_session(user: User, *, door: Door, client: Client) -> Opened:
    """Open a sign-in for a user who has proved to be one. It ends by itself should their password
    have changed meanwhile.
    """
    now = clock.now()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    session = Session.objects.create(
        user=user,
        door=door,
        epoch=queries.epoch_of(user),
        refresh_hash=queries.hashed(secret) if door == Door.API else "",
        created_at=now,
        used_at=now,
        # A page's sign-in ends with its cookie, which nothing renews: looking changes nothing.
        ends_at=now + settings.REFRESH_IDLE,
        user_agent="".join(c for c in client.user_agent if c.isprintable())[:200],
        address=client.address[:45],
    )
    return Opened(user, session, secret)


def renew_session(session_id: UUID, secret: str) -> Opened:
    """Exchange a refresh secret for the next one. A secret that was used before ends the whole
    family: somebody has a copy.
    """
    now = clock.now()
    session = (
        Session.objects.filter(pk=session_id, ended_at=None, ends_at__gt=now, user__is_active=True)
        .select_related("user")
        .first()
    )
    if session is None or session.epoch != queries.epoch_of(session.user):
        raise _signed_out()
    fresh = secrets.token_urlsafe(SECRET_BYTES)
    ends_at = min(now + settings.REFRESH_IDLE, session.created_at + settings.REFRESH_TOTAL)
    # One conditional update: of two refreshes with one secret at most one finds it.
    renewed = Session.objects.filter(
        pk=session.pk, refresh_hash=queries.hashed(secret), ended_at=None
    )
    if not renewed.update(refresh_hash=queries.hashed(fresh), used_at=now, ends_at=ends_at):
        end_session(session)
        logger.warning(
            "A refresh token was used twice; sign-in %s of user %s is ended",
            session.pk,
            session.user_id,
        )
        raise _signed_out()
    session.used_at, session.ends_at = now, ends_at
    return Opened(session.user, session, fresh)


def _signed_out() -> Unidentified:
    return Unidentified(_("You’re signed out. Sign in again."), code="token_not_valid")


def sign_out(user: User, session_id: UUID) -> None:
    """End the sign-in; one that has ended already stays so. One of somebody else is refused without
    effect.
    """
    session = Session.objects.filter(pk=session_id).only("user_id", "ended_at").first()
    if session is not None and session.user_id != user.pk:
        raise InvalidInput(_("This refresh token is not yours."), field="refresh_token")
    if session is not None:
        end_session(session)


def end_session(session: Session) -> None:
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=clock.now())


def end_sessions(user: User) -> None:
    Session.objects.filter(user=user, ended_at=None).update(ended_at=clock.now())


def look_up(username: str, *, by: User) -> User:
    """Return the active user with exactly this name. Limited, so that nobody can list who is here."""
    limits.take("look_up", by.pk)
    return queries.account_called(username)


def find(username: str, *, by: User) -> User:
    """Return the active user with exactly this name. Wrong names count as looking names up, so that
    nobody guesses here instead.
    """
    try:
        return queries.account_called(username)
    except NotFound:
        limits.take("look_up", by.pk)
        raise


# Changing an account ------------------------------------------------------------------------------


def edit_profile(
    user: User,
    *,
    by: User,
    client: Client,
    current_password: str | None = None,
    door: Door = Door.API,
    **changes: Any,
) -> Opened | None:
    """Change names, e-mail address or password; what is absent stays. An empty password stays too.

    A new password or address needs a sign-in of less than ten minutes or the current password, ends
    all other sign-ins, and the old address is told. A current password that is sent must be right.
    Then the answer is a fresh sign-in through this door; otherwise None.
    """
    password = changes.pop("password", None) or None
    edited = copy(user)
    before = {field: getattr(edited, field) for field in EDITABLE}
    for field in before.keys() & changes.keys():
        setattr(edited, field, changes[field])
    renamed = [
        name
        for name in ("username", "email")
        if text.canonical(getattr(edited, name)) != text.canonical(before[name])
    ]
    if renamed:
        _count_question(edited, client)
    _check_account(edited, password, names=renamed)
    changed = {
        field: getattr(edited, field)
        for field in EDITABLE
        if getattr(edited, field) != before[field]
    }
    is_guarded = "email" in changed or password is not None
    if is_guarded or current_password:
        _require_proof(user, current_password, client)
    if password is not None:
        changed["password"] = edited.password = make_password(password)
    try:
        with transaction.atomic():
            # Only what changes is written, and only under the password this person signed in with:
            # who was signed out by a new one meanwhile can't write any more, least of all the old
            # password.
            if changed and not User.objects.filter(
                pk=user.pk, password=user.password, is_active=True
            ).update(**changed):
                raise _signed_out()
            if changed.keys() & {"username", "email"}:
                _keep_keys(edited)
            if is_guarded:
                end_sessions(edited)
                tasks.tell_of_account_change(
                    edited,
                    new_email="email" in changed,
                    new_password=password is not None,
                    old_email=before["email"],
                )
                opened = open_session(edited, door=door, client=client)
    except IntegrityError:
        _refuse_taken(edited)
        raise
    for field, value in changed.items():
        setattr(user, field, value)
    return opened if is_guarded else None


def _keep_keys(user: User) -> None:
    """Store the canonical forms of the names, also for an account that Django's own commands made."""
    keys = {
        "username_key": text.canonical(user.username),
        "email_key": text.canonical(user.email) or None,
    }
    if not UserSetting.objects.filter(user=user).update(**keys):
        UserSetting.objects.create(user=user, **keys)


def _require_proof(user: User, current_password: str | None, client: Client) -> None:
    if current_password:
        if not _is_password_of(user, current_password, client):
            raise NotAllowed(
                _("This current_password is wrong. Send the right one, or sign in again first."),
                code="reauth_required",
            )
    elif not rules.may_change_credentials(queries.sign_in_of(user).created_at):
        raise NotAllowed(
            _("Send your current password as current_password, or sign in again first."),
            code="reauth_required",
        )


def confirm_password(user: User, current_password: str, *, client: Client) -> None:
    """Refuse what is not the person's password. A wrong one counts like a wrong sign-in."""
    if not _is_password_of(user, current_password, client):
        raise InvalidInput(_("This isn’t your current password."), field="current_password")


def _is_password_of(user: User, password: str, client: Client) -> bool:
    tries = _tries(user.username, user, client)
    if wait := max(limits.count("password", *tries)):
        raise limits.too_many(wait)
    if not check_password(password, user.password):
        return False
    limits.give_back("password", *tries)
    return True


def change_settings(user: User, **changes: Any) -> UserSetting:
    """Change the person's settings; what is absent stays."""
    setting = queries.setting_of(user)
    muted = changes.pop("muted", None)
    problems = _Problems()
    if "time_zone" in changes and changes["time_zone"] not in clock.zones():
        problems.add("time_zone", _("Give an IANA time zone, for example Europe/Berlin."))
    for field, choices in (
        ("week_start", WeekStart),
        ("hour_cycle", HourCycle),
        ("who_may_add_me", WhoMayAdd),
    ):
        if field in changes and changes[field] not in choices.values:
            problems.add(
                field, _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices.values)}
            )
    if "locale" in changes and changes["locale"] not in dict(settings.LANGUAGES):
        problems.add(
            "locale",
            _("Choose one of: %(choices)s.") % {"choices": ", ".join(dict(settings.LANGUAGES))},
        )
    problems.refuse()
    with transaction.atomic():
        _keep(setting, **changes)
        if muted is not None:
            _set_muted(user, muted)
    return setting


def _keep(setting: UserSetting, **changes: Any) -> None:
    """Write only these fields: the others may have changed since the setting was read, the keys of
    a new name among them.
    """
    for field, value in changes.items():
        setattr(setting, field, value)
    if setting._state.adding:
        setting.save()
    elif changes:
        setting.save(update_fields=list(changes))


def _set_muted(user: User, usernames: list[str]) -> None:
    keys = [text.canonical(name) for name in usernames]
    senders = {
        s.username_key: s.user_id
        for s in UserSetting.objects.filter(username_key__in=keys).exclude(user=user)
    }
    if missing := [name for name in usernames if text.canonical(name) not in senders]:
        raise InvalidInput(
            _("Nobody here is called %(name)r.") % {"name": missing[0]}, field="muted"
        )
    Mute.objects.filter(user=user).exclude(sender_id__in=senders.values()).delete()
    Mute.objects.bulk_create(
        [Mute(user=user, sender_id=sender_id) for sender_id in senders.values()],
        ignore_conflicts=True,
    )


def stop_mails(stop: queries.Stop) -> None:
    """Stop what an unsubscribe link names. Stopping again changes nothing."""
    if stop.sender is not None:
        Mute.objects.bulk_create(
            [Mute(user_id=stop.user_id, sender=stop.sender)], ignore_conflicts=True
        )
        return
    setting = queries.setting_of(User.objects.get(pk=stop.user_id))
    _keep(setting, **{stop.switch: False})


def rotate_feed(user: User) -> str:
    """Give the person a new secret feed address; the old one is dead at once. Returns the secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    setting = queries.setting_of(user)
    _keep(setting, feed_hash=queries.hashed(secret))
    return secret


# A forgotten password -----------------------------------------------------------------------------


def request_password_reset(email: str, *, client: Client) -> None:
    """Have a reset mail sent if an active account has this address. Whether one has is found out
    later, by the worker.
    """
    try:
        limits.take("reset_ask", client.network)
    except TooMany:
        return  # The answer stays the same; it must not tell how often others asked.
    tasks.send_password_reset.enqueue(email[:254])


def reset_password(uidb64: str, token: str, *, password: str, client: Client) -> User:
    """Set a new password with the link of a reset mail. It works once, for one hour, and ends all
    sign-ins.
    """
    limits.take("reset_try", client.network)
    user = user_of_reset_link(uidb64, token)
    check_new_password(password, user)
    old = user.password
    user.password = make_password(password)
    with transaction.atomic():
        # The update decides between two uses at once: the second finds another password than the
        # one the link was made for.
        if not User.objects.filter(pk=user.pk, password=old, is_active=True).update(
            password=user.password
        ):
            raise _bad_link()
        end_sessions(user)
        tasks.tell_of_account_change(user, new_email=False, new_password=True, old_email=user.email)
    return user


def user_of_reset_link(uidb64: str, token: str) -> User:
    """Return whose password the link sets. Asking does not use it up."""
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uidb64)), is_active=True).first()
    except (ValueError, OverflowError):
        user = None
    if user is None or not default_token_generator.check_token(user, token):
        raise _bad_link()
    return user


def _bad_link() -> InvalidInput:
    return InvalidInput(
        _(
            "This link has already been used, is more than an hour old, or is incomplete. Ask for "
            "a new one."
        ),
        code="invalid_or_used_token",
    )


# The end of an account ----------------------------------------------------------------------------


def erase_account(user: User) -> None:
    """Delete the account and everything the database hangs on it. Must run inside a transaction;
    the calendars are settled before.
    """
    tasks.say_goodbye(user)
    if not queries.delete_simple(user):
        user.delete()


def deactivate(user: User) -> None:
    """Close the account for now: no token, cookie or feed works from this moment."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        end_sessions(user)


def reactivate(user: User) -> None:
    """Open it again. Sign-ins from before stay ended, also one that was being opened at the moment
    of the closing.
    """
    with transaction.atomic():
        end_sessions(user)
        User.objects.filter(pk=user.pk).update(is_active=True)


# What is checked ----------------------------------------------------------------------------------


class _Problems:
    """Gathers every refusal of a form, so that a person hears them all at once."""

    def __init__(self, fields: dict[str, list[str]] | None = None) -> None:
        self.fields = fields or {}

    def add(self, field: str, sentence: str) -> None:
        self.fields.setdefault(field, []).append(sentence)

    def gather(self, field: str, check: Any) -> Any:
        try:
            return check()
        except InvalidInput as refusal:
            for name, sentences in (refusal.fields or {field: [refusal.detail]}).items():
                self.fields.setdefault(name, []).extend(sentences)

    def refuse(self) -> None:
        if self.fields:
            raise InvalidInput(_("Please correct the fields listed here."), fields=self.fields)


def problems_with(user: User, *, client: Client) -> dict[str, list[str]]:
    """Return what is wrong with the names of an account to be, or that is, by field. It tells who
    is here, so asking counts.
    """
    _count_question(user, client)
    return _problems_with(user)


def _count_question(user: User, client: Client) -> None:
    """Count asking whether a name is taken: like signing up, or for somebody who has, like looking
    a name up.
    """
    if user.pk is None:
        limits.take("sign_up", client.network)
    else:
        limits.take("look_up", user.pk)


def _problems_with(
    user: User, names: Collection[str] = ("username", "email")
) -> dict[str, list[str]]:
    """Return what is wrong with the account, by field; whether somebody else has them is asked of
    these names.
    """
    problems = _Problems()
    _check_names(user, problems)
    # What is no name can't be taken, and a database may not even read it.
    problems.gather(
        "username",
        lambda: _refuse_taken(user, [name for name in names if name not in problems.fields]),
    )
    return problems.fields


def _check_account(
    user: User, password: str | None, names: Collection[str] = ("username", "email")
) -> None:
    problems = _Problems(_problems_with(user, names))
    if password is not None:
        problems.gather("password", lambda: check_new_password(password, user))
    problems.refuse()


def _check_names(user: User, problems: _Problems) -> None:
    for field, longest in NAMES.items():
        value = problems.gather(
            field,
            lambda f=field, n=longest: text.one_line(
                getattr(user, f), field=f, longest=n, required=f == "username"
            ),
        )
        setattr(user, field, value if value is not None else getattr(user, field))
    if "username" not in problems.fields:
        problems.gather("username", lambda: _check_username(user))
    user.email = user.email.strip()
    problems.gather("email", lambda: check_email(user.email))


def _check_username(user: User) -> None:
    text.check_name(user.username, field="username")
    try:
        User._meta.get_field("username").run_validators(user.username)
    except ValidationError as refusal:
        raise InvalidInput(refusal.messages[0], field="username") from None
    if not user.username.strip("."):
        # Clients take "." and ".." in a path for steps, so nobody would be found there.
        raise InvalidInput(
            _("A username needs at least one letter, digit or one of @ + - _."), field="username"
        )
    if "@" in user.username and text.canonical(user.username) != text.canonical(user.email):
        raise InvalidInput(
            _("A username with an @ must be your own email address."), field="username"
        )


def check_email(email: str) -> None:
    """Refuse what is no address one mail can go to."""
    try:
        email.encode()
        validate_email(email)
    except (ValidationError, UnicodeEncodeError):
        raise InvalidInput(
            _("Enter an email address like mina@example.org."), field="email"
        ) from None
    if len(email) > 254:
        raise InvalidInput(_("An email address can have at most 254 characters."), field="email")
    text.check_name(email.partition("@")[0], field="email")


def _refuse_taken(user: User, names: Collection[str] = ("username", "email")) -> None:
    """Refuse a user name or address that somebody else has, in either role."""
    asked = {field: text.canonical(getattr(user, field)) for field in names}
    taken = queries.names_taken([*asked.values()], except_by=user.pk) if asked else set()
    fields = {
        field: [
            _("This username is taken.")
            if field == "username"
            else _("This email address is already in use.")
        ]
        for field, key in asked.items()
        if key in taken
    }
    if fields:
        raise InvalidInput(_("Please correct the fields listed here."), fields=fields)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
