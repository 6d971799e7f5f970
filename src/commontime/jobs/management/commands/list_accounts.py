import json
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from commontime.accounts import queries
from commontime.jobs.management.base import OperatorCommand

TITLES = ("username", "address", "active", "last sign-in (UTC)")


class Command(OperatorCommand):
    help = (
        "Lists all accounts: username, email address, whether they can sign in, and when they last "
        "did. Sign-ins that ended weeks ago are forgotten."
    )
    examples = ("list-accounts", "list-accounts --json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        accounts = queries.all_accounts()
        if json:
            self.stdout.write(_json(accounts))
            return
        rows = [
            (
                account.username,
                account.email or "-",
                "yes" if account.is_active else "no",
                f"{account.signed_in_at:%Y-%m-%d %H:%M}" if account.signed_in_at else "-",
            )
            for account in accounts
        ]
        self.stdout.write(_table([TITLES, *rows]))


def _json(accounts: Sequence[queries.Account]) -> str:
    rows = [
        {
            "username": account.username,
            "email": account.email,
            "is_active": account.is_active,
            "signed_in_at": account.signed_in_at and account.signed_in_at.isoformat(),
        }
        for account in accounts
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
