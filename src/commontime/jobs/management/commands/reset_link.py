from typing import Any

from django.core.management.base import CommandError, CommandParser

from commontime.accounts import tasks
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands._accounts import account_called


class Command(OperatorCommand):
    help = (
        "Prints a link with which somebody sets a new password: once, and within an hour. Use it "
        "where no email reaches them.\n"
        "Whoever has the link can sign in as that person. Give it to nobody else."
    )
    examples = ("reset-link mina",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the username or email address")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = account_called(name)
        if not user.is_active:
            raise CommandError(
                f"{user.username} is deactivated. First run: commontime reactivate {user.username}"
            )
        self.stdout.write(tasks.reset_url(user))
