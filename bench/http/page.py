"""Print the figures as Markdown."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.http.measures import NOISY, Effort, Row

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
COLUMNS = (
    "id",
    "what",
    "measured",
    "must",
    "holds",
    "CPU, ms",
    "bare, ms",
    "best round",
    "queries",
    "bytes",
)
HOLDS = {None: "", True: "yes", False: "**no**"}


def tables(measured: dict[str, list[Row]], effort: Effort) -> str:
    parts = [
        machine(),
        f"{effort.rounds} rounds; a sample is {effort.seconds:g} s of CPU, or as many requests as "
        "there are.",
    ]
    for database, rows in measured.items():
        loads = [row.load for row in rows if row.load]
        load = f"Load average while it ran: {min(loads):.1f} to {max(loads):.1f}." if loads else ""
        parts += [f"### {NAMES[database]}", load, table(rows)]
    return "\n\n".join(part for part in parts if part)


def table(rows: list[Row]) -> str:
    lines = [line(COLUMNS), line("---:" if name not in COLUMNS[:2] else "---" for name in COLUMNS)]
    return "\n".join([*lines, *(line(cells(row)) for row in rows)])


def cells(row: Row) -> list[str]:
    noisy = f"noisy: the anchor's spread was {row.spread:.0%}" if row.spread > NOISY else ""
    remarks = "; ".join(remark for remark in (row.note, noisy) if remark)
    value = f"{row.value:.2f} {row.unit}" if row.unit else f"{row.value:.0f}"
    target = (
        f"≤ {row.most:g}"
        if row.most is not None
        else f"≥ {row.least:g}"
        if row.least is not None
        else ""
    )
    compared = [
        f"{row.product_ms:.2f}",
        f"{row.anchor_ms:.3f}",
        f"{row.best:.2f}",
        f"{row.queries}",
        f"{row.body_bytes:,}",
    ]
    about = f"{row.what} ({remarks})" if remarks else row.what
    return [
        row.id,
        about,
        value,
        target,
        HOLDS[row.holds],
        *(compared if row.product_ms else [""] * len(compared)),
    ]


def line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (text.partition(":")[2].strip() for text in lines if text.startswith("model name")),
        "an unknown CPU",
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model}), Python "
        f"{platform.python_version()}."
    )
