"""Copying everything into another database, of either kind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from itertools import batched
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, ForeignKey, Model

from commontime.calendars.models import CalendarParticipant, NonBusyTime
from commontime.core.triggers import triggers_off
from commontime.jobs.databases import has_accounts, refuse_silent_database

SOURCE, TARGET = "default", "target"
AT_ONCE = 2000  # rows
Progress = Callable[[str, int], None]


@contextmanager
def target(url: str) -> Iterator[BaseDatabaseWrapper]:
    """Open the other database, bring its tables up to date, and refuse one that is in use."""
    try:
        ours = settings.READ_DATABASE_URL(url)
    except ImproperlyConfigured as refusal:
        raise CommandError(str(refusal)) from None
    if ours["NAME"] == ":memory:":
        raise CommandError("Name a file, for example sqlite:////srv/commontime.sqlite3.")
    configured = connections.configure_settings({SOURCE: ours, TARGET: ours})
    connections.settings[TARGET] = configured[TARGET]
    try:
        other = connections[TARGET]
        refuse_silent_database(other)
        if has_accounts(other):
            raise CommandError("The other database has accounts already. It must be empty.")
        _migrate()
        yield other
    finally:
        connections[TARGET].close()
        del connections[TARGET], connections.settings[TARGET]


def _migrate() -> None:
    try:
        call_command("migrate", database=TARGET, verbosity=0)
    except DatabaseError as error:
        raise CommandError(f"The other database can’t get its tables: {_reason(error)}.") from error


def copy_everything(other: BaseDatabaseWrapper, *, progress: Progress) -> int:
    """Copy all rows in one transaction, and return how many there are.

    What triggers derive is copied too. So it is the same, the calendars' versions included.
    """
    source = connections[SOURCE]
    models = _models()
    try:
        with _snapshot(source), transaction.atomic(using=TARGET), triggers_off(other):
            for model in reversed(models):  # migrations make rows of Django's own
                model._base_manager.using(TARGET).all().delete()
            counts = {model: _copy(model, other) for model in _told(models, progress)}
            _refuse_difference(counts)
            for model in models:
                _keep_numbering(model, source, other)
    except DatabaseError as error:
        raise CommandError(f"The copy failed, and nothing was stored: {_reason(error)}.") from error
    return sum(counts.values())


def _reason(error: DatabaseError) -> str:
    return str(error).strip().partition("\n")[0]


def _models() -> list[type[Model]]:
    """Return what has a table. Rows come after those that they refer to."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    before: dict[type[Model], set[type[Model]]] = {
        model: {
            field.related_model
            for field in model._meta.concrete_fields
            if isinstance(field, ForeignKey) and field.related_model is not model
        }
        for model in models
    }
    before[NonBusyTime].add(CalendarParticipant)  # a key of the guards, which Django doesn't know
    return list(TopologicalSorter(before).static_order())


@contextmanager
def _snapshot(source: BaseDatabaseWrapper) -> Iterator[None]:
    """See one state of the source. On SQLite, nobody can write meanwhile."""
    with transaction.atomic(using=SOURCE):
        if source.vendor == "postgresql":
            with source.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _told(models: Iterable[type[Model]], progress: Progress) -> Iterator[type[Model]]:
    for model in models:
        yield model
        progress(str(model._meta.verbose_name_plural), _count(model, TARGET))


def _count(model: type[Model], alias: str) -> int:
    return model._base_manager.using(alias).count()


def _copy(model: type[Model], other: BaseDatabaseWrapper) -> int:
    """Copy a table. Returns the number of rows read."""
    fields: list[Field[Any, Any]] = list(model._meta.local_concrete_fields)
    quote = other.ops.quote_name
    names = ", ".join(quote(field.column or "") for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    # Not bulk_create: it would write the time of now into creation times.
    insert = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608
    rows = model._base_manager.using(SOURCE).order_by("pk").iterator(chunk_size=AT_ONCE)
    copied = 0
    with other.cursor() as cursor:
        for batch in batched(rows, AT_ONCE, strict=False):
            values = [
                [field.get_db_prep_save(getattr(row, field.attname), other) for field in fields]
                for row in batch
            ]
            cursor.executemany(insert, values)
            copied += len(batch)
    return copied


def _refuse_difference(counts: dict[type[Model], int]) -> None:
    for model, copied in counts.items():
        if not copied == _count(model, SOURCE) == _count(model, TARGET):
            raise CommandError(
                f"Not all {model._meta.verbose_name_plural} arrived. Nothing was stored."
            )


def _keep_numbering(
    model: type[Model], source: BaseDatabaseWrapper, other: BaseDatabaseWrapper
) -> None:
    """Go on numbering where the source stopped: nobody gets a deleted account's number."""
    key = model._meta.pk
    if isinstance(key, AutoField) and (last := _last_number(model, source)):
        table, column = model._meta.db_table, key.column
        with other.cursor() as cursor:
            if other.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, column, last]
                )
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence VALUES (%s, %s)", [table, last])


def _last_number(model: type[Model], source: BaseDatabaseWrapper) -> int:
    table, key = model._meta.db_table, model._meta.pk
    with source.cursor() as cursor:
        if source.vendor == "postgresql":
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, key.column])
            sequence = cursor.fetchone()[0]
            last = "CASE WHEN is_called THEN last_value ELSE 0 END"
            cursor.execute(f"SELECT {last} FROM {sequence}")  # noqa: S608
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
