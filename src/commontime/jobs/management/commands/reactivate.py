from typing import Any

from django.core.management.base import CommandParser

from commontime.accounts.actions import profiles
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands._accounts import account_called


class Command(OperatorCommand):
    help = "Reactivates a deactivated account. Earlier sign-ins stay ended."
    examples = ("reactivate mina",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the username or email address")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = account_called(name)
        if user.is_active:
            self.stdout.write(f"{user.username} is already active; nothing was changed.")
            return
        profiles.reactivate(user)
        self.stdout.write(f"{user.username} can sign in again.")
