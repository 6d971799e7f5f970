"""Check the database, then migrate it."""

from typing import Any

from django.core.management import call_command

from commontime.jobs.databases import is_migrated, refuse_silent_database
from commontime.jobs.management.base import OperatorCommand


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
            call_command("migrate", verbosity=0)
