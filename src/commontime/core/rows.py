"""Rows read without the ORM's objects, for the few statements that every request or every row of a
long list pays for.

SQLite knows neither times, UUIDs nor booleans; what a plain cursor gives is turned into them here.
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
        """What turns a plain cursor's values into what the fields hold; most need nothing, on
        PostgreSQL all.
        """
        if connection.vendor != "sqlite":
            return []
        found = (
            (place, connection.ops.get_db_converters(field.cached_col))
            for place, field in enumerate(self.fields)
        )
        return [(place, convert) for place, converters in found for convert in converters]


def fetch_one(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the first row of a statement that is asked again and again."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def fetch_all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement that is asked again and again."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def execute(statement: str, parameters: Sequence[Any]) -> int:
    """Carry out a statement that comes again and again. Returns how many rows it changed."""
    with _prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _prepared_cursor() -> Any:
    """Give a cursor for statements that are asked again and again: PostgreSQL plans them once a
    connection, not each time.
    """
    database: Any = connections[
        DEFAULT_DB_ALIAS
    ]  # what `connection` looks up for each of its attributes
    if database.vendor != "postgresql":
        return database.cursor()
    import psycopg

    database.ensure_connection()
    # Django's cursor writes the parameters into the text, so the server can't know the statement
    # again; psycopg's own sends them apart.
    own = psycopg.Cursor(database.connection)
    # Ids and times come as numbers: to read them as text takes twice as long.
    own.format = psycopg.pq.Format.BINARY
    return database._prepare_cursor(own)


class Listing:
    """A long list of what is stored, by hand: without the ORM's objects and compiling, which cost
    three times the rest.

    columns: what is selected, as (expression, kind); kind is id, time, flag or plain.
    keys: those of the columns that make its ascending order, the last one unique.
    """

    def __init__(
        self, source: str, columns: Sequence[tuple[str, str]], keys: Sequence[str]
    ) -> None:
        self.source, self.columns, self.keys = source, columns, keys

    def where(self, *conditions: str, parameters: Sequence[Any]) -> "Listed":
        return Listed(self, conditions, parameters)

    @cached_property
    def select(self) -> str:
        if connection.vendor != "sqlite":
            return ", ".join(expression for expression, _ in self.columns)
        # The keys as they are stored, or times would come back as other texts, which no row is
        # behind.
        keys = (f"CAST({key} AS text)" for key in self.keys)
        return ", ".join(
            [*(_as_json(expression, kind) for expression, kind in self.columns), *keys]
        )

    @cached_property
    def key_places(self) -> list[int]:
        """Where a row that was selected holds its keys."""
        names = [expression for expression, _ in self.columns]
        return [
            len(names) + place if connection.vendor == "sqlite" else names.index(key)
            for place, key in enumerate(self.keys)
        ]

    @cached_property
    def flags(self) -> list[int]:
        return [place for place, (_, kind) in enumerate(self.columns) if kind == "flag"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing with its conditions."""

    listing: Listing
    conditions: Sequence[str]
    parameters: Sequence[Any]

    def fetch(
        self, after: Sequence[Any] | None, limit: int
    ) -> tuple[list[tuple[Any, ...]], Callable[[int], list[Any]]]:
        """Return the rows behind the keys of another row, values as JSON shows them; and what gives
        the keys of a row by its place.
        """
        listing = self.listing
        keys = ", ".join(listing.keys)
        conditions = [
            *self.conditions,
            *([f"({keys}) > ({', '.join(['%s'] * len(after))})"] if after else []),
        ]
        statement = (
            f"SELECT {listing.select} FROM {listing.source} WHERE "  # noqa: S608
            f"{' AND '.join(conditions)} ORDER BY {keys} LIMIT %s"
        )
        found = fetch_all(statement, [*self.parameters, *(after or ()), limit])
        shown = found
        if connection.vendor == "sqlite":
            wide = len(listing.columns)
            shown = [_with_flags(row[:wide], listing.flags) for row in found]
        return shown, lambda row: [found[row][place] for place in listing.key_places]


def _with_flags(row: tuple[Any, ...], flags: Sequence[int]) -> tuple[Any, ...]:
    if not flags:
        return row
    values = list(row)
    for place in flags:
        values[place] = bool(values[place])
    return tuple(values)


def _as_json(expression: str, kind: str) -> str:
    """Return the SQLite expression that writes an id or a time as JSON shows it; flags stay 0 and
    1.
    """
    if kind == "id":
        ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(
            f"substr({expression}, {start}, {length})" for start, length in ends
        )
    return f"replace({expression}, ' ', 'T') || 'Z'" if kind == "time" else expression


type Column = tuple[str, str]


class Nested:
    """Rows of other tables as one JSON text, which is a column (`sql`) of a statement: what belongs
    to a row comes with it.

    source: what follows FROM, with its condition. columns: by name, as (expression, kind); kind is
    id, time, flag or plain. order: what follows ORDER BY.
    """

    def __init__(self, source: str, columns: Mapping[str, Column], order: str) -> None:
        self.source, self.columns, self.order = source, columns, order

    @cached_property
    def sql(self) -> str:
        columns = self.columns.values()
        if connection.vendor == "sqlite":
            values = ", ".join(_as_json(expression, kind) for expression, kind in columns)
            each = f"SELECT json_array({values}) AS one FROM {self.source} ORDER BY {self.order}"  # noqa: S608 (no input in it)
            return f"(SELECT json_group_array(json(one)) FROM ({each}))"  # noqa: S608
        values = ", ".join(expression for expression, _ in columns)
        return (
            f"(SELECT json_agg(json_build_array({values}) ORDER BY {self.order})::text FROM "  # noqa: S608
            f"{self.source})"
        )

    def read(self, text: str | None) -> list[tuple[Any, ...]]:
        """Return the rows in the text, ids and times as what they are."""
        return self._decoder.decode(text) if text else []

    def read_named(self, text: str | None) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.read(text)]

    @cached_property
    def _decoder(self) -> Any:
        types: dict[str, Any] = {
            "id": UUID | None,
            "time": datetime | None,
            "flag": bool,
            "plain": Any,
        }
        row: Any = GenericAlias(tuple, tuple(types[kind] for _, kind in self.columns.values()))
        return msgspec.json.Decoder(list[row], strict=False)  # SQLite's flags are 0 and 1


def columns_of(model: type[models.Model], alias: str, *names: str) -> dict[str, Column]:
    """Return these columns of the model under an alias, by their names."""
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
    """Return the time a plain cursor gave."""
    convert = getattr(connection.ops, "convert_datetimefield_value", None)
    return convert(raw, None, connection) if convert else raw
