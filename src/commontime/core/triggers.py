"""Migrations of a database that has triggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class MigrationKeepingTriggers(migrations.Migration):
    """Changes the shape of tables and keeps all triggers.

    On SQLite, Django changes a table by making it anew. That loses the triggers on it, and fails
    while another table's trigger names it. Write no rows in such a migration: no trigger sees them.
    """

    def apply(
        self,
        project_state: ProjectState,
        schema_editor: BaseDatabaseSchemaEditor,
        collect_sql: bool = False,
    ) -> ProjectState:
        with _triggers_aside(schema_editor):
            return super().apply(project_state, schema_editor, collect_sql)

    def unapply(
        self,
        project_state: ProjectState,
        schema_editor: BaseDatabaseSchemaEditor,
        collect_sql: bool = False,
    ) -> ProjectState:
        with _triggers_aside(schema_editor):
            return super().unapply(project_state, schema_editor, collect_sql)


@contextmanager
def _triggers_aside(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    triggers: list[tuple[Any, ...]] = []
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
    for name, _sql in triggers:
        schema_editor.execute(f"DROP TRIGGER {name}")
    yield
    for _name, sql in triggers:
        schema_editor.execute(sql, params=None)
