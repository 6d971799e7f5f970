import getpass
import sys
from typing import Any

from django.core.management.base import CommandParser

from commontime.jobs import moves
from commontime.jobs.databases import commontime_stopped
from commontime.jobs.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Copies everything from the present database into an empty other one: from SQLite to "
        "PostgreSQL, or back. Stop Commontime first. All is copied or nothing, and the present "
        "database stays as it is.\n"
        "Others on this machine can read a password in the command line while it runs. With - "
        "instead of the address, it is asked for, or read from standard input. Afterwards set "
        "DATABASE_URL to it; the data folder stays the same."
    )
    examples = (
        "move-to postgresql://commontime:password@db.example.org/commontime",
        "move-to sqlite:////var/lib/commontime/commontime.sqlite3",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "url", metavar="DATABASE_URL", help="the empty database, or - to be asked for it"
        )

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        address = _asked() if url == "-" else url
        with commontime_stopped(), moves.target(address) as other:
            rows = moves.copy_everything(other, progress=self._tell)
        self.stdout.write(
            f"Copied {rows} rows. Now set DATABASE_URL to the new address and start Commontime. "
            "Don’t start it on the old database again: it would send waiting emails twice."
        )

    def _tell(self, what: str, rows: int) -> None:
        if rows:
            self.stdout.write(f"{rows:>10}  {what}")


def _asked() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("DATABASE_URL: ").strip()
    return sys.stdin.readline().strip()
