"""Letting what must not happen at once happen in turn."""

from django.db import connection


def take_turns(what: str) -> None:
    """Let all transactions that ask for the same follow each other from here on. SQLite has one
    writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
