"""Counting wrong passwords, so that guessing does not pay."""

from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from commontime.accounts import queries
from commontime.core import limits, text
from commontime.core.clients import Client

# Names that nobody has share so many counters: invented ones don't fill the table.
NOBODYS = 256


def password_tries(identifier: str, user: User, client: Client) -> tuple[limits.Use, limits.Use]:
    """Return what a try counts for here: name and account.

    A new password starts a new count. Somebody who resets a forgotten password has failed several
    times before, and must get in now.
    """
    epoch = queries.epoch_of(user) if user.pk else ""
    return (
        ("password", ("as", text.canonical(identifier), epoch, client.network)),
        ("password", ("of", user.pk, epoch, client.network)),
    )


def tries_elsewhere(identifier: str, user: User, client: Client) -> list[limits.Use]:
    """Return what a try counts for beyond its own network."""
    who: tuple[object, ...] = (user.pk, queries.epoch_of(user))
    if not user.pk:
        who = ("nobody", _counter_of(text.canonical(identifier)))
    uses = [("password_day", who), ("password_stranger", (*who, client.site))]
    if client.site != client.network:
        uses.append(("password_site", (*who, client.site)))
    return uses


def is_refused(user: User, client: Client, uses: list[limits.Use]) -> bool:
    """Count these tries, and return whether no more are compared from this network.

    Networks from which somebody has signed in to the account are never refused: nobody can lock
    the owner out there.
    """
    names = [name for name, _subject in uses]
    waits = dict(zip(names, limits.count_each(*uses), strict=True))
    is_slow = waits["password_day"] and waits["password_stranger"]
    is_known = queries.has_signed_in_from(user, client.network)
    return not is_known and bool(is_slow or waits.get("password_site"))


def _counter_of(name: str) -> int:
    digest = salted_hmac("commontime.nobodys_tries", name, algorithm="sha256").digest()
    return int.from_bytes(digest[:4]) % NOBODYS
