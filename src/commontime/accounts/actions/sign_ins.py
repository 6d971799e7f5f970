"""Signing in and out, and staying signed in."""

import functools
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.accounts import queries
from commontime.accounts.actions import tries
from commontime.accounts.enums import Door
from commontime.accounts.models import KnownNetwork, Session
from commontime.core import clock, crowd, limits, metrics
from commontime.core.clients import Client
from commontime.core.errors import InvalidInput, Unidentified

logger = logging.getLogger(__name__)
SECRET_BYTES = 32
GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """A sign-in that was just opened or renewed.

    refresh_secret: told once; the database keeps only its hash.
    """

    user: User
    session: Session
    refresh_secret: str


def sign_in(identifier: str, password: str, *, door: Door, client: Client) -> NewSignIn:
    """Open a sign-in for a username or email address.

    Every failure is the same refusal in about the same time. The limits are asked before the
    password is hashed, for the name and for the account behind it. They count by network, so that
    guessing elsewhere can't lock the owner out.
    """
    nobody = User(password=_nobodys_password())
    user = next(iter(queries.accounts_named(identifier)), nobody)
    here = tries.password_tries(identifier, user, client)
    elsewhere = tries.tries_elsewhere(identifier, user, client)
    wait_as, wait_of = limits.count_each(*here)
    if wait_as:
        metrics.count_sign_in("limited")
        raise limits.too_many(wait_as)
    is_refused = tries.is_refused(user, client, elsewhere)
    if wait_of or is_refused:
        # The limit was used up under the account's other name, or from other networks. Saying so
        # would tell that there is such an account, so we act as if nobody had this name.
        user = nobody
    with crowd.passwords.turn():
        is_right = check_password(password, user.password)
    if is_right and user.is_active and user is not nobody:
        limits.give_back(*here, *elsewhere)  # only failures count
        metrics.count_sign_in("accepted")
        logger.info("Signed in: user %s from %s by %s", user.pk, client.address, door)
        return open_session(user, door=door, client=client)
    metrics.count_sign_in("refused")
    logger.info("Sign-in failed for %.80r from %s", identifier, client.address)
    raise Unidentified(
        _("Wrong username or password. If you’ve forgotten your password, ask for a reset link.")
    )


@functools.cache
def _nobodys_password() -> str:
    """Return the hash of a password nobody knows.

    Comparing with it makes a name that nobody has as slow to refuse as any other.
    """
    return make_password(secrets.token_urlsafe(16))


def open_session(user: User, *, door: Door, client: Client) -> NewSignIn:
    """Open a sign-in for a user whose identity is proved.

    It ends by itself if their password has changed meanwhile.
    """
    now = clock.now()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        _remember_network(user, client, now)
        session = _store_session(user, door, client, now, secret)
    return NewSignIn(user, session, secret)


def _remember_network(user: User, client: Client, now: datetime) -> None:
    """Remember where somebody has signed in: guessing elsewhere never locks them out there."""
    name = queries.hash_of_network(user.pk, client.network)
    known = KnownNetwork.objects.filter(user=user)
    if known.filter(network_hash=name).update(used_at=now):
        return
    network = KnownNetwork(user=user, network_hash=name, used_at=now)
    KnownNetwork.objects.bulk_create([network], ignore_conflicts=True)
    too_many = known.order_by("-used_at", "id").values("pk")[settings.KNOWN_NETWORKS :]
    KnownNetwork.objects.filter(pk__in=too_many).delete()


def _store_session(user: User, door: Door, client: Client, now: datetime, secret: str) -> Session:
    return Session.objects.create(
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


def renew_session(session_id: UUID, secret: str, *, client: Client) -> NewSignIn:
    """Exchange a refresh secret for the next one."""
    now = clock.now()
    session = _living_session(session_id, now)
    fresh = secrets.token_urlsafe(SECRET_BYTES)
    spent = queries.hashed(f"{secret} {client.network}")
    ends_at = min(now + settings.REFRESH_IDLE, session.created_at + settings.REFRESH_TOTAL)
    # One conditional update: of two refreshes with one secret at most one finds it.
    renewed = Session.objects.filter(
        pk=session.pk, refresh_hash=queries.hashed(secret), ended_at=None
    ).update(refresh_hash=queries.hashed(fresh), spent_hash=spent, used_at=now, ends_at=ends_at)
    if renewed:
        session.used_at, session.ends_at = now, ends_at
        return NewSignIn(session.user, session, fresh)
    raise _used_before(session, spent, now)


def _living_session(session_id: UUID, now: datetime) -> Session:
    session = (
        Session.objects.filter(pk=session_id, ended_at=None, ends_at__gt=now, user__is_active=True)
        .select_related("user")
        .first()
    )
    if session is None or session.epoch != queries.epoch_of(session.user):
        raise signed_out()
    return session


def _used_before(session: Session, spent: str, now: datetime) -> Unidentified:
    """End the family of a refresh secret used before.

    Returns the refusal. Somebody has a copy. But two tabs of one person may use a secret at once:
    for ten seconds the last secret that was used ends nothing, if it comes from the same network.
    """
    if Session.objects.filter(
        pk=session.pk, spent_hash=spent, used_at__gte=now - GRACE, ended_at=None
    ).exists():
        return Unidentified(
            _("This refresh token has just been used. Use the newer one."),
            code="refreshed_meanwhile",
        )
    end_session(session)
    logger.warning(
        "A refresh token was used twice; sign-in %s of user %s is ended",
        session.pk,
        session.user_id,
    )
    return signed_out()


def signed_out() -> Unidentified:
    """Return the refusal for somebody whose sign-in has ended."""
    return Unidentified(_("You’re signed out. Sign in again."), code="token_not_valid")


def sign_out(user: User, session_id: UUID) -> None:
    """End the user's sign-in.

    One that has already ended stays so. Somebody else's is refused without effect.
    """
    session = Session.objects.filter(pk=session_id).only("user_id", "ended_at").first()
    if session is None:
        return
    if session.user_id != user.pk:
        raise InvalidInput(_("This refresh token is not yours."), field="refresh_token")
    end_session(session)


def end_session(session: Session) -> None:
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=clock.now())


def end_sessions(user: User) -> None:
    Session.objects.filter(user=user, ended_at=None).update(ended_at=clock.now())
