"""Changing a database that has triggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper
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


@contextmanager
def triggers_off(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let rows be written as they are, with what triggers once derived.

    It must be inside a transaction. Nobody else may write meanwhile.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            before = [f"DROP TRIGGER {name}" for name, _sql in triggers]
            after = [sql for _name, sql in triggers]
        else:
            cursor.execute(
                "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
            )
            tables = [table for (table,) in cursor.fetchall()]
            before = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
            after = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables]
            # No table can be altered while checks of its rows wait.
            after.insert(0, "SET CONSTRAINTS ALL IMMEDIATE")
        for statement in before:
            cursor.execute(statement, None)
        yield
        for statement in after:
            cursor.execute(statement, None)
