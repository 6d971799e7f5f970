"""Turns: transactions that must not run at the same time wait for each other."""

from django.db import connection


def take_turns(what: str) -> None:
    """Wait for this turn, and keep it until the commit.

    No other transaction has it meanwhile. SQLite has only one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
