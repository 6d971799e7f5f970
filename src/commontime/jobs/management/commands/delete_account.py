import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from commontime.calendars import actions, queries
from commontime.core.errors import InvalidInput
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands._accounts import account_called


class Command(OperatorCommand):
    help = (
        "Deletes an account with its times, contacts and sign-ins, as the person’s own settings "
        "page does. The calendars they organise are deleted and everybody in them is told, unless "
        "--heir takes them over.\n"
        "There is no way back but a backup. `commontime deactivate` keeps the account."
    )
    examples = ("delete-account mina", "delete-account mina --heir sam --yes")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the username or email address")
        parser.add_argument(
            "--heir", metavar="NAME", help="who gets their calendars; must be in each of them"
        )
        parser.add_argument("--yes", action="store_true", help="don’t ask")

    def handle(self, *args: Any, name: str, heir: str | None, yes: bool, **options: Any) -> None:
        user = account_called(name)
        new_owner = account_called(heir) if heir else None
        if not yes:
            self._ask(user, new_owner)
        try:
            actions.remove_account(user, transfer_to=new_owner.pk if new_owner else None)
        except InvalidInput:
            raise CommandError(
                f"{heir} must be in every calendar that {user.username} organises. Nothing was "
                "deleted."
            ) from None
        self.stdout.write(f"{user.username} is deleted.")

    def _ask(self, user: User, heir: User | None) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here. Add --yes to delete without a question.")
        owned = queries.calendars.calendar_list_for(user, {"owner"}).order_by("name", "id")
        names = ", ".join(calendar.name for calendar in owned)
        if names and heir:
            self.stdout.write(f"{heir.username} gets these calendars: {names}.")
        elif names:
            self.stdout.write(f"These calendars are deleted too: {names}.")
        self.stdout.write(f"Delete {user.username} ({user.email}) for good? [y/N] ", ending="")
        self.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was deleted.")
