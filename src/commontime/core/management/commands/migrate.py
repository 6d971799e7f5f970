"""Django's `migrate`, which does and records each migration in one transaction."""

from typing import Any

from django.core.management.commands import migrate
from django.db import transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class Executor(MigrationExecutor):
    """Leaves a migration done and recorded, or neither.

    Django records one with deferred statements after its transaction. If it was killed in between,
    every later start failed, because it did the same migration again.
    """

    def apply_migration(
        self, state: ProjectState, migration: Migration, *args: Any, **kwargs: Any
    ) -> ProjectState:
        if not migration.atomic:
            return super().apply_migration(state, migration, *args, **kwargs)
        # SQLite can switch its checks off only before a transaction.
        with (
            self.connection.constraint_checks_disabled(),
            transaction.atomic(self.connection.alias),
        ):
            return super().apply_migration(state, migration, *args, **kwargs)


# The command has no other way in.
migrate.MigrationExecutor = Executor  # type: ignore[attr-defined]
Command = migrate.Command
