import textwrap
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from commontime.jobs.management.base import WIDTH, OperatorCommand

INDENT = " " * 4


class Command(OperatorCommand):
    help = (
        "Lists every setting with its default and purpose, and marks those that are set. Settings "
        "are environment variables, and none is needed. Values are not shown, since some are "
        "secret."
    )
    examples = ("settings", "settings --markdown")
    needs_tables = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--markdown", action="store_true", help="print the table of docs/settings.md"
        )

    def handle(self, *args: Any, markdown: bool, **options: Any) -> None:
        variables = settings.ENVIRONMENT.values()
        if markdown:
            self.stdout.write("| Variable | Default | Purpose |\n|---|---|---|")
            for variable in variables:
                default = f"`{variable.default}`" if variable.default else "none"
                self.stdout.write(f"| `{variable.name}` | {default} | {variable.purpose} |")
            return
        for variable in variables:
            mark = ", and set here" if variable.is_set else ""
            self.stdout.write(f"{variable.name} (default: {variable.default or 'none'}{mark})")
            self.stdout.write(
                textwrap.fill(
                    variable.purpose, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT
                )
            )
