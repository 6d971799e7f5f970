"""The figures as Markdown."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench.http.measures import NOISY, Effort, Row

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def tables(measured: dict[str, list[Row]], effort: Effort) -> str:
    parts = [machine(), f"{effort.rounds} rounds, {effort.seconds:g} s of CPU a sample at most."]
    for database, rows in measured.items():
        loads = [row.load for row in rows if row.load]
        load = f"Load of the machine while it ran: {min(loads):.1f} to {max(loads):.1f}." if loads else ""
        parts += [f"### {NAMES[database]}", load, table(rows)]
    return "\n\n".join(part for part in parts if part)


def table(rows: list[Row]) -> str:
    lines = [
        "| id | what | measured | must | holds | CPU, ms | bare, ms | best round | bytes |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        value = f"{row.value:.2f} {row.unit}".strip() if row.unit else f"{row.value:.0f}"
        noisy = f" (noisy: the anchor's spread was {row.spread:.0%})" if row.spread > NOISY else ""
        note = f" ({row.note})" if row.note else ""
        holds = {None: "", True: "yes", False: "**no**"}[row.holds]
        measured = (
            [f"{row.product_ms:.2f}", f"{row.anchor_ms:.3f}", f"{row.best:.2f}", f"{row.body_bytes:,}"] if row.product_ms else [""] * 4
        )
        most = "" if row.most is None else f"{row.most:g}"
        lines.append("| " + " | ".join([row.id, row.what + note + noisy, value, most, holds, *measured]) + " |")
    return "\n".join(lines)


def machine() -> str:
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?"
    )
    when = datetime.now(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({model}), Python {platform.python_version()}."
