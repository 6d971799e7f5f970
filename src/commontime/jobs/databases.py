"""What commands must know of a database before they touch it."""

import pkgutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection as default_connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from commontime.core import running

PATIENCE = 2.0  # seconds
_OTHERS = """
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""


def refuse_silent_database(connection: BaseDatabaseWrapper | None = None) -> None:
    """Refuse a database that does not respond, and say why.

    This bypasses the pool, which would hide the reason behind a timeout.
    """
    connection = connection or default_connection
    database = cast(Any, connection).Database
    try:
        database.connect(**connection.get_connection_params()).close()
    except database.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(
            f"Can’t connect to the database: {reason}. Is it running, and is DATABASE_URL right?"
        ) from None


def known_migrations() -> set[tuple[str, str]]:
    """Return the names of all migrations that this version has, without loading them."""
    return {
        (app.label, module.name)
        for app in apps.get_app_configs()
        if (Path(app.path) / "migrations" / "__init__.py").exists()
        for module in pkgutil.iter_modules([str(Path(app.path) / "migrations")])
        if not module.name.startswith("_")
    }


def done_migrations(connection: BaseDatabaseWrapper | None = None) -> set[tuple[str, str]]:
    recorder = MigrationRecorder(connection or default_connection)
    return set(recorder.applied_migrations())


def is_migrated(connection: BaseDatabaseWrapper | None = None) -> bool:
    """Return whether every migration is done."""
    return known_migrations() <= done_migrations(connection)


def refuse_unprepared_database() -> None:
    refuse_silent_database()
    if not is_migrated():
        raise CommandError(
            "The database isn’t ready for this version of Commontime. Run: commontime prepare"
        )


def has_accounts(connection: BaseDatabaseWrapper) -> bool:
    tables = connection.introspection.table_names()
    return "auth_user" in tables and User.objects.using(connection.alias).exists()


@contextmanager
def commontime_stopped() -> Iterator[None]:
    """Refuse while Commontime runs on this data folder or database, and keep it from starting."""
    with running.kept_from_starting() as is_stopped:
        if not is_stopped:
            raise CommandError(
                "Commontime is running. Stop it first; what it writes would be lost."
            )
        if default_connection.vendor == "postgresql" and (others := _other_connections()):
            raise CommandError(
                f"Others are connected to the database ({others}). Stop Commontime first, on every "
                "machine, and close other programs that use the database."
            )
        yield


def _other_connections() -> int:
    """Return how many others are connected to PostgreSQL.

    A program that has just ended leaves its own for a moment, and so does our pool.
    """
    connection = cast(Any, default_connection)
    connection.close()
    connection.close_pool()
    end = time.monotonic() + PATIENCE
    with closing(connection.Database.connect(**connection.get_connection_params())) as own:
        while (count := own.execute(_OTHERS).fetchone()[0]) and time.monotonic() < end:
            time.sleep(0.1)
            own.rollback()  # or it would see the same forever
    return int(count)
