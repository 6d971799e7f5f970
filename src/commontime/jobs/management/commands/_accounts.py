"""What the commands about accounts share: an operator names somebody as people do."""

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from commontime.accounts import queries
from commontime.core.errors import InvalidInput


def account_called(name: str) -> User:
    """Return the account with this user name or e-mail address, active or not."""
    found = queries.accounts_named(name) if name.isprintable() else []
    if not found:
        raise CommandError(
            f"There is no account called {name!r}. Give a username or an email address."
        )
    return found[0]


def refused(refusal: InvalidInput) -> CommandError:
    """Return the refusal as a command says it: one line for each reason."""
    reasons = [
        f"{field}: {sentence}"
        for field, sentences in refusal.fields.items()
        for sentence in sentences
    ]
    return CommandError("\n".join(reasons or [refusal.detail]))
