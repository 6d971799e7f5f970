"""Helpers of the commands about accounts."""

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from commontime.accounts import queries
from commontime.core.errors import InvalidInput


def account_called(name: str) -> User:
    """Return the account with this username or email address. It may be active or not."""
    accounts = queries.accounts_named(name) if name.isprintable() else []
    if not accounts:
        raise CommandError(
            f"There is no account called {name!r}. Give a username or an email address."
        )
    return accounts[0]


def refused(refusal: InvalidInput) -> CommandError:
    """Return a refusal as a command error. It has one line per reason."""
    reasons = [
        f"{field}: {sentence}"
        for field, sentences in refusal.fields.items()
        for sentence in sentences
    ]
    return CommandError("\n".join(reasons or [refusal.detail]))
