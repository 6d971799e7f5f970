"""Rows read without the ORM's objects, for the few statements that every request or every row of a long list pays for.

SQLite knows neither times, UUIDs nor booleans; what a plain cursor gives is turned into them here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models


class Columns:
    """All columns of a model under an alias, to select (`sql`) and to read back."""

    def __init__(self, model: type[models.Model], alias: str) -> None:
        self.model = model
        self.fields = list(model._meta.concrete_fields)
        self.names = [field.attname for field in self.fields]
        self.sql = ", ".join(f"{alias}.{field.column}" for field in self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def read(self, row: tuple[Any, ...]) -> Any:
        """Return an instance of the first values of the row."""
        values = list(row[: len(self.fields)])
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place], None, connection)
        return self.model.from_db("default", self.names, values)

    @cached_property
    def _converters(self) -> list[tuple[int, Any]]:
        """What turns a plain cursor's values into what the fields hold; most need nothing, on PostgreSQL all."""
        if connection.vendor != "sqlite":
            return []
        found = ((place, connection.ops.get_db_converters(field.cached_col)) for place, field in enumerate(self.fields))
        return [(place, convert) for place, converters in found for convert in converters]


def fetch_one(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the first row of a statement that is asked again and again: PostgreSQL plans it once a connection, not each time."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


@contextmanager
def _prepared_cursor() -> Iterator[Any]:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    import psycopg

    connection.ensure_connection()
    # Django's cursor writes the parameters into the text, so the server can't know the statement again; psycopg's own sends them apart.
    with connection._prepare_cursor(psycopg.Cursor(connection.connection)) as cursor:  # type: ignore[attr-defined]
        yield cursor


def plain(rows: models.QuerySet[Any], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return columns of a queryset's rows as values that JSON can be made of: on SQLite ids and times are their text already."""
    rows = rows.values_list(*columns)
    try:
        statement, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    if connection.vendor != "sqlite":
        return found
    turns = [_TEXTS.get(_kind(rows, name)) for name in columns]
    return [tuple([turn(value) if turn and value is not None else value for turn, value in zip(turns, row, strict=True)]) for row in found]


def _kind(rows: models.QuerySet[Any], name: str) -> str:
    if name in rows.query.annotations:
        return str(rows.query.annotations[name].output_field.get_internal_type())
    *path, last = name.split("__")
    model: Any = rows.model
    for step in path:
        model = model._meta.get_field(step).related_model
    field = model._meta.get_field(last)
    return str((field.target_field if field.is_relation else field).get_internal_type())


_TEXTS: dict[str, Any] = {
    "UUIDField": lambda text: f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}",
    "DateTimeField": lambda text: f"{text[:10]}T{text[11:]}Z",
    "BooleanField": bool,
}


def uuid(name: UUID) -> Any:
    return name.hex if connection.vendor == "sqlite" else name


def moment(time: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(time)


def read_moment(raw: Any) -> Any:
    """Return the time a plain cursor gave."""
    return connection.ops.convert_datetimefield_value(raw, None, connection) if connection.vendor == "sqlite" else raw
