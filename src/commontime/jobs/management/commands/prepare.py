"""Check the database, then migrate it."""

from typing import Any

from django.core.management import CommandError, call_command
from django.db import DatabaseError

from commontime.jobs.databases import is_migrated, refuse_silent_database
from commontime.jobs.management.base import OperatorCommand

INSUFFICIENT_PRIVILEGE = "42501"  # SQLSTATE; PostgreSQL’s appendix "Error Codes"


class Command(OperatorCommand):
    help = (
        "Checks that the database responds, and brings it up to date with this version. "
        "`commontime run` and `commontime web` do this first, so that you need it only where "
        "neither has run yet."
    )
    examples = ("prepare",)
    needs_tables = False

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_silent_database()
        if not is_migrated():
            _migrate()


def _migrate() -> None:
    try:
        call_command("migrate", verbosity=0)
    except DatabaseError as error:
        denial = _denial(error)
        if denial is None:
            raise
        sentence = str(denial).partition("\n")[0]
        raise CommandError(
            f"The user in DATABASE_URL must own the database. PostgreSQL says: {sentence}."
        ) from None


def _denial(error: BaseException | None) -> BaseException | None:
    """Return what PostgreSQL refused for want of a right, if that is the reason."""
    while error and getattr(error, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
        error = error.__cause__ or error.__context__
    return error
