from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from commontime.jobs import backups
from commontime.jobs.databases import refuse_silent_database
from commontime.jobs.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Writes one file with the database, the secret key and the emails that are kept as files. "
        "Commontime can go on running: the backup holds everything that was saved before it "
        "began.\n"
        "Nobody but you can read the file. Whoever has it can sign in as anybody, so keep it safe. "
        "It never replaces a file. PostgreSQL needs the program pg_dump."
    )
    examples = ("backup commontime-$(date +%F).tar.gz",)
    needs_tables = False  # before an upgrade they are of the older version

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the file to write")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        refuse_silent_database()
        try:
            size = backups.make(file.absolute())
        except OSError as error:
            raise CommandError(f"{file} can’t be written: {error.strerror}.") from None
        self.stdout.write(f"{file}: {filesizeformat(size).replace('\xa0', ' ')}")
