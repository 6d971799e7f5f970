from typing import Any

from django.core.management.base import CommandParser

from commontime.accounts.actions import profiles
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands._accounts import account_called


class Command(OperatorCommand):
    help = (
        "Deactivates an account: ends every sign-in, and no token, cookie or feed works until "
        "reactivate. Nothing is deleted."
    )
    examples = ("deactivate mina",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the username or email address")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = account_called(name)
        was_active = user.is_active
        profiles.deactivate(user)
        if was_active:
            self.stdout.write(
                f"{user.username} is signed out everywhere and can't sign in until you run: "
                f"commontime reactivate {user.username}"
            )
        else:
            self.stdout.write(f"{user.username} is already deactivated.")
