from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from commontime.jobs import backups
from commontime.jobs.databases import commontime_stopped, refuse_silent_database
from commontime.jobs.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Puts a backup back: the database, the secret key and the emails kept as files. Stop "
        "Commontime first. A backup of an older version is brought up to date.\n"
        "Emails that waited at the time of the backup are sent again. PostgreSQL needs the "
        "programs pg_restore and psql."
    )
    examples = ("restore commontime-2026-11-30.tar.gz",)
    needs_tables = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="what `commontime backup` made")
        parser.add_argument(
            "--replace", action="store_true", help="lose what is in the database now"
        )

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        refuse_silent_database()
        with commontime_stopped(), backups.opened(file.absolute()) as folder:
            backup = backups.about(folder)
            backups.refuse_unfit(backup, replace=replace)
            loses_secret = backups.loses_secret(folder)
            backups.put_back(folder)
            call_command("prepare")
        self.stdout.write(
            f"Restored what Commontime {backup.version} saved at {backup.made_at}. Start it with: "
            "commontime run"
        )
        if loses_secret:
            self.stdout.write(
                "The backup has another secret key than COMMONTIME_SECRET_KEY. So everybody must "
                "sign in again, and links in sent emails don’t work."
            )
