"""Model instances from statements written by hand, for the few that every request asks. SQLite knows neither times, UUIDs nor booleans."""

from datetime import datetime
from functools import cached_property
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
        return [(place, convert) for place, field in enumerate(self.fields) for convert in connection.ops.get_db_converters(field.cached_col)]


def uuid(name: UUID) -> Any:
    return name.hex if connection.vendor == "sqlite" else name


def moment(time: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(time)


def read_moment(raw: Any) -> Any:
    """Return the time a plain cursor gave."""
    return connection.ops.convert_datetimefield_value(raw, None, connection) if connection.vendor == "sqlite" else raw
