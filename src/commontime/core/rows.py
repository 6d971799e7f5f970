"""Rows without the ORM's objects.

For statements of every request and for long lists. Measured, the ORM takes several times as long
for them. SQLite has neither times, UUIDs nor booleans, so this module converts the values of a
plain cursor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import GenericAlias
from typing import Any
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from commontime.core.shapes import Fields

type Values = tuple[Any, ...]  # a row's values, in the order of the columns


class Columns:
    """All columns of a model under an alias. `sql` selects them, `read` makes an instance."""

    def __init__(self, model: type[models.Model], alias: str) -> None:
        self.model = model
        self.fields = list(model._meta.concrete_fields)
        self.names = [field.attname for field in self.fields]
        self.sql = ", ".join(f"{alias}.{field.column}" for field in self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def read(self, row: Values) -> Any:
        """Return an instance made of a row's first values."""
        values = list(row[: len(self.fields)])
        for index, convert in self._converters:
            if values[index] is not None:
                values[index] = convert(values[index], None, connection)
        return self.model.from_db("default", self.names, values)

    @cached_property
    def _converters(self) -> list[tuple[int, Any]]:
        """Return (index, converter) of the columns whose values SQLite stores as another type."""
        if connection.vendor != "sqlite":
            return []
        return [
            (index, convert)
            for index, field in enumerate(self.fields)
            for convert in connection.ops.get_db_converters(field.cached_col)
        ]


def fetch_one(statement: str, parameters: Sequence[Any]) -> Values | None:
    """Return the first row of a frequent statement, or None."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        row: Values | None = cursor.fetchone()
        return row


def fetch_all(statement: str, parameters: Sequence[Any]) -> list[Values]:
    """Return all rows of a frequent statement."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def execute(statement: str, parameters: Sequence[Any]) -> int:
    """Execute a frequent statement; return how many rows it changed."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _prepared_cursor() -> Any:
    """Return a cursor for frequent statements. PostgreSQL plans them once per connection."""
    # The proxy `connection` would look this up again for each attribute.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return database.cursor()
    import psycopg

    database.ensure_connection()
    # Django's cursor writes the parameters into the text, so the server can't reuse a plan;
    # psycopg's own cursor sends them separately.
    own = psycopg.Cursor(database.connection)
    # Ids and times arrive as numbers; reading them as text takes twice as long.
    own.format = psycopg.pq.Format.BINARY
    return database._prepare_cursor(own)


class Listing:
    """A long list without the ORM's objects.

    They would cost three times the rest.

    columns: (expression, kind) of what is selected; a kind is id, time, flag or plain.
    keys: the columns of its ascending order, the last one unique.
    """

    def __init__(
        self, source: str, columns: Sequence[tuple[str, str]], keys: Sequence[str]
    ) -> None:
        self.source, self.columns, self.keys = source, columns, keys

    def where(self, *conditions: str, parameters: Sequence[Any]) -> "Query":
        return Query(self, conditions, parameters)

    @cached_property
    def select(self) -> str:
        if connection.vendor != "sqlite":
            return ", ".join(expression for expression, _ in self.columns)
        # The keys also as they are stored: a time as JSON is another text, and no row follows it.
        keys = (f"CAST({key} AS text)" for key in self.keys)
        columns = (_as_json(expression, kind) for expression, kind in self.columns)
        return ", ".join([*columns, *keys])

    @cached_property
    def key_indices(self) -> list[int]:
        """Return where a selected row holds its keys."""
        names = [expression for expression, _ in self.columns]
        if connection.vendor == "sqlite":
            return [len(names) + index for index in range(len(self.keys))]
        return [names.index(key) for key in self.keys]

    @cached_property
    def flag_indices(self) -> list[int]:
        return [index for index, (_, kind) in enumerate(self.columns) if kind == "flag"]


@dataclass(frozen=True, slots=True)
class Query:
    """A listing with its conditions."""

    listing: Listing
    conditions: Sequence[str]
    parameters: Sequence[Any]

    def fetch(
        self, after: Sequence[Any] | None, limit: int
    ) -> tuple[list[Values], Callable[[int], list[Any]]]:
        """Return the rows, and a function from row index to sort keys.

        after: the sort keys of the last row of the page before. Values are as JSON shows them.
        """
        listing = self.listing
        keys = ", ".join(listing.keys)
        conditions = [*self.conditions]
        if after:
            conditions.append(f"({keys}) > ({', '.join(['%s'] * len(after))})")
        statement = (
            f"SELECT {listing.select} FROM {listing.source} WHERE "  # noqa: S608 (no input in it)
            f"{' AND '.join(conditions)} ORDER BY {keys} LIMIT %s"
        )
        selected = fetch_all(statement, [*self.parameters, *(after or ()), limit])
        rows = selected
        if connection.vendor == "sqlite":
            width = len(listing.columns)
            rows = [_with_flags(row[:width], listing.flag_indices) for row in selected]
        return rows, lambda row: [selected[row][index] for index in listing.key_indices]


def _with_flags(row: Values, flags: Sequence[int]) -> Values:
    if not flags:
        return row
    values = list(row)
    for index in flags:
        values[index] = bool(values[index])
    return tuple(values)


def _as_json(expression: str, kind: str) -> str:
    """Return SQLite's expression of a value as in JSON. Flags stay 0 and 1."""
    if kind == "id":
        ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(
            f"substr({expression}, {start}, {length})" for start, length in ends
        )
    return f"replace({expression}, ' ', 'T') || 'Z'" if kind == "time" else expression


type Column = tuple[str, str]


class JsonRows:
    """Related rows as one JSON column.

    So they arrive in the same statement.

    source: the text after FROM, with its condition. order: the text after ORDER BY.
    columns: (expression, kind) by name; a kind is id, time, flag or plain.
    """

    def __init__(self, source: str, columns: Mapping[str, Column], order: str) -> None:
        self.source, self.columns, self.order = source, columns, order

    @cached_property
    def sql(self) -> str:
        columns = self.columns.values()
        if connection.vendor == "sqlite":
            values = ", ".join(_as_json(expression, kind) for expression, kind in columns)
            rows = (
                f"SELECT json_array({values}) AS value FROM {self.source} "  # noqa: S608 (no input)
                f"ORDER BY {self.order}"
            )
            return f"(SELECT json_group_array(json(value)) FROM ({rows}))"  # noqa: S608 (no input)
        values = ", ".join(expression for expression, _ in columns)
        array = f"json_build_array({values}) ORDER BY {self.order}"
        return f"(SELECT json_agg({array})::text FROM {self.source})"  # noqa: S608 (no input)

    def read(self, text: str | None) -> list[Values]:
        """Return the rows of a JSON text. Ids and times have their Python types."""
        return self._decoder.decode(text) if text else []

    def read_named(self, text: str | None) -> list[Fields]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.read(text)]

    @cached_property
    def _decoder(self) -> Any:
        types: Fields = {
            "id": UUID | None,
            "time": datetime | None,
            "flag": bool,
            "plain": Any,
        }
        row: Any = GenericAlias(tuple, tuple(types[kind] for _, kind in self.columns.values()))
        return msgspec.json.Decoder(list[row], strict=False)  # SQLite's flags are 0 and 1


def columns_of(model: type[models.Model], alias: str, *names: str) -> dict[str, Column]:
    """Return columns of a model under an alias, by name."""
    kinds = {models.UUIDField: "id", models.DateTimeField: "time", models.BooleanField: "flag"}
    fields = {
        field.attname: getattr(field, "target_field", field)
        for field in model._meta.concrete_fields
    }
    return {name: (f"{alias}.{name}", kinds.get(type(fields[name]), "plain")) for name in names}


def uuid(name: UUID) -> Any:
    return name.hex if connection.vendor == "sqlite" else name


def moment(time: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(time)


def read_moment(raw: Any) -> Any:
    """Return the time in a value of a plain cursor."""
    convert = getattr(connection.ops, "convert_datetimefield_value", None)
    return convert(raw, None, connection) if convert else raw
