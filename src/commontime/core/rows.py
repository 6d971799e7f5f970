"""Model instances from statements written by hand, for the few that every request asks. SQLite knows neither times, UUIDs nor booleans."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

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
        values = row[: len(self.fields)]
        if connection.vendor == "sqlite":
            values = tuple(value(field, raw) for field, raw in zip(self.fields, values, strict=True))
        return self.model.from_db(connection.alias, self.names, values)


def value(field: Any, raw: Any) -> Any:
    """Return what the field holds for what a plain cursor gave."""
    if raw is not None and connection.vendor == "sqlite":
        for converter in _converters(field):
            raw = converter(raw, None, connection)
    return raw


@cache
def _converters(field: Any) -> list[Any]:
    return connection.ops.get_db_converters(field.cached_col)


def uuid(name: UUID) -> Any:
    return name.hex if connection.vendor == "sqlite" else name


def moment(time: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(time)
