from typing import Any

from django.core.management.base import CommandError, CommandParser

from commontime.jobs.management.base import OperatorCommand
from commontime.mail import trial
from commontime.mail.addresses import BadAddress
from commontime.mail.backends import mail_folder


class Command(OperatorCommand):
    help = (
        "Sends a short email now, over the mail server in COMMONTIME_SMTP_URL and from the sender "
        "in COMMONTIME_MAIL_FROM. Says what the server refused, and why."
    )
    examples = ("send-test-mail you@example.org",)
    needs_tables = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS", help="who gets the email")

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        if folder := mail_folder():
            raise CommandError(
                f"There is no mail server, so nothing was sent: emails are kept in {folder}. Set "
                "COMMONTIME_SMTP_URL."
            )
        try:
            trial.send(address)
        except BadAddress:
            raise CommandError(f"{address!r} is not an email address.") from None
        except trial.Failed as failure:
            raise CommandError(str(failure)) from None
        self.stdout.write(f"{trial.server_name()} accepted the email to {address}.")
