import getpass
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from commontime.accounts.actions import profiles
from commontime.core.errors import InvalidInput
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands._accounts import refused


class Command(OperatorCommand):
    # Never as an argument: whoever else is on the machine sees those.
    help = (
        "Creates an account, also where sign-up is closed. Asks for the password, or reads it from "
        "the first line of standard input."
    )
    examples = ("create-account mina mina@example.org --first-name Mina",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME", help="what they sign in with")
        parser.add_argument("email", metavar="ADDRESS", help="their email address")
        parser.add_argument("--first-name", metavar="NAME", default="")
        parser.add_argument("--last-name", metavar="NAME", default="")

    def handle(
        self, *args: Any, username: str, email: str, first_name: str, last_name: str, **options: Any
    ) -> None:
        password = _asked() if sys.stdin.isatty() else _piped()
        try:
            user = profiles.create_account(
                username=username,
                email=email,
                first_name=first_name,
                last_name=last_name,
                password=password,
            )
        except InvalidInput as refusal:
            raise refused(refusal) from None
        self.stdout.write(f"{user.username} can sign in now.")


def _asked() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != password:
        raise CommandError("The two passwords don’t match. Run the command again.")
    return password


def _piped() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError(
            "There is no password. Send it as the first line of standard input, or run the command "
            "in a terminal."
        )
    return password
