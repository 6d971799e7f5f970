"""The base of the operator's commands."""

import argparse
import sys
import textwrap
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connections

from commontime.jobs import databases

WIDTH = 80


class OperatorCommand(BaseCommand):
    """A command of `commontime`: short help, plain refusals, none of Django's options."""

    requires_system_checks: list[str] = []
    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }
    needs_tables = True
    examples: tuple[str, ...] = ()  # what stands behind `commontime`

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )
        paragraphs = str(self.help).split("\n")
        parser.description = "\n\n".join(textwrap.fill(part, WIDTH) for part in paragraphs)
        lines = [f"  {prog_name} {example}" for example in self.examples]
        parser.epilog = "\n".join(["example:" if len(lines) == 1 else "examples:", *lines])
        parser._positionals.title = "arguments"
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """Do what the command line says. A refusal is a sentence and exit code 1."""
        self._called_from_command_line = True
        options = vars(self.create_parser(argv[0], argv[1]).parse_args(argv[2:]))
        try:
            if self.needs_tables:
                databases.refuse_unprepared_database()
            self.execute(*options.pop("args", ()), **options)
        except CommandError as refusal:
            sys.exit(str(refusal))
        except OperationalError as error:
            sys.exit(f"The database doesn’t respond: {str(error).strip().partition('\n')[0]}")
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            connections.close_all()
