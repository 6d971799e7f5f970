"""What statements read of tables that grow with the installation, as the database tells it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

from tests.others import GROWING

MOST_ROWS = 500  # that one statement may read of one table; of others there are thousands
MOST_STEPS = 5_000  # of SQLite's machine, which takes several a row
TABLES = {model._meta.db_table for model in GROWING}
LOOKED_AT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
NAMED = re.compile(
    r'\b(?:FROM|JOIN|UPDATE|INTO|,)\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?', re.IGNORECASE
)


@dataclass
class Statement:
    """A statement that was carried out, and what speaks against it. steps: of SQLite's machine."""

    sql: str
    plan: str
    complaints: list[str]
    steps: int = 0


@contextmanager
def watched() -> Iterator[list[Statement]]:
    """Collect the statements carried out inside."""
    statements: list[Statement] = []
    explain = explain_postgresql if connection.vendor == "postgresql" else explain_sqlite
    is_explaining = False

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal is_explaining
        if is_explaining or not LOOKED_AT.match(sql):
            return execute(sql, parameters, many, context)
        is_explaining = True
        try:
            statement = explain(sql, parameters[0] if many else parameters)
        finally:
            is_explaining = False
        statements.append(statement)
        return execute(sql, parameters, many, context)

    def step() -> None:
        if statements and not is_explaining:
            statements[-1].steps += 100

    with connection.execute_wrapper(watch):
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            connection.connection.set_progress_handler(step, 100)
        try:
            yield statements
        finally:
            if connection.vendor == "sqlite":
                connection.connection.set_progress_handler(None, 0)
                for statement in statements:
                    if statement.steps > MOST_STEPS:
                        statement.complaints.append(f"takes {statement.steps:,} steps")


# SQLite -------------------------------------------------------------------------------------------


def explain_sqlite(sql: str, parameters: Any) -> Statement:
    raw = FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%") if parameters is not None else sql
    rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {raw}", parameters or ())
    details = [row[3] for row in rows]
    tables = {alias or table: table for table, alias in NAMED.findall(sql)}
    tables |= {table: table for table, _ in NAMED.findall(sql)}
    complaints = [
        detail
        for detail in details
        if (scan := re.match(r"SCAN (\w+)", detail)) and tables.get(scan[1], "") in TABLES
    ]
    return Statement(sql, "\n".join(details), complaints)


# PostgreSQL ---------------------------------------------------------------------------------------


def explain_postgresql(sql: str, parameters: Any) -> Statement:
    """Carry the statement out in a savepoint to count what it reads, and undo that."""
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", parameters)
        (answer,) = cursor.fetchone()
        transaction.set_rollback(True)
        plans = json.loads(answer) if isinstance(answer, str) else answer
        nodes = list(nodes_of(plans[0]["Plan"]))
        complaints = [complaint for node in nodes for complaint in against(node)]
        return Statement(sql, json.dumps(plans[0]["Plan"], indent=1), complaints)
    return Statement(sql, "", [])  # refused by a constraint, as its test wants


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


def against(node: dict[str, Any]) -> Iterator[str]:
    table = node.get("Relation Name")
    if table not in TABLES or node["Node Type"] == "ModifyTable":
        return
    removed = sum(node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
    rows = (node["Actual Rows"] + removed) * node["Actual Loops"]
    if node["Node Type"] == "Seq Scan" and rows:
        yield f"{table}: sequential scan"
    elif rows > MOST_ROWS:
        yield f"{table}: reads {rows:,.0f} rows"


def report(statements: list[Statement]) -> str:
    """Say what speaks against each different statement; empty if nothing does."""
    against_each = {
        statement.sql: f"{'; '.join(statement.complaints)}\n{statement.sql}\n{statement.plan}"
        for statement in statements
        if statement.complaints
    }
    return "\n\n".join(against_each.values())
