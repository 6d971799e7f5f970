"""Check what a start needs, then migrate the database."""

import os
import socket
from typing import Any, cast

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    help = (
        "Checks the port and the database, then migrates the database. `make run` does this first."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_taken_port(settings.HOST, settings.PORT)
        refuse_silent_database()
        call_command("migrate", verbosity=0)


def refuse_taken_port(host: str, port: int) -> None:
    """Refuse a port that another process uses.

    The web server would share it with another web server, and visitors would reach either site.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise CommandError(
            f"Can’t listen on {host}:{port}: {reason}. Choose another port, for example: PORT=8001 "
            "make run"
        ) from None


def refuse_silent_database() -> None:
    """Refuse a database that does not respond, and say why.

    This bypasses the pool, which would hide the reason behind a timeout.
    """
    database = cast(Any, connection).Database
    try:
        database.connect(**connection.get_connection_params()).close()
    except database.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(
            f"Can’t connect to the database: {reason}. Is it running, and is DATABASE_URL right?"
        ) from None
