"""Run chaos: `python -m chaos [kind …] [--cycles N] [--database …] [--seed N] [--write]`.

Without a kind it runs all. It prints a table; `--write` puts its rows into docs/reliability.md. The
exit code is 1 if a promise did not hold.
"""

import argparse
import contextlib
import os
import re
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import chaos.ending
import chaos.fuzz
import chaos.kill
import chaos.mail
import chaos.outages
import chaos.races
import chaos.soak
import chaos.upgrades  # noqa: F401 (each registers its kinds)
from chaos.kinds import BOTH, KINDS, Found, Kind, Options
from stage import postgres

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
HEAD = (
    "| kind | database | tried | went wrong | measured | seconds | date, machine | command |\n"
    "|---|---|---|---|---|---:|---|---|"
)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(KINDS))
    parser.add_argument("--cycles", type=int, help="how often; each kind has its usual number")
    parser.add_argument("--database", choices=BOTH, help="only one of the two")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the rows into the document")
    options = parser.parse_args(arguments)
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    print(HEAD)
    all_hold = True
    for name in options.kinds or KINDS:
        for database in BOTH:
            if database in KINDS[name].databases and options.database in (None, database):
                row, holds = _row(KINDS[name], database, options.cycles, options.seed)
                all_hold &= holds
                print(row, flush=True)
                if options.write:
                    PAGE.write_text(with_row(PAGE.read_text(), row))
    return 0 if all_hold else 1


def _row(one: Kind, database: str, cycles: int | None, seed: int) -> tuple[str, bool]:
    """Run a kind on a database, and return its line of the table and whether it holds."""
    cycles = cycles or one.cycles
    began, product = time.monotonic(), state_of(ROOT / "src")
    try:
        with contextlib.ExitStack() as stack:
            durable = postgres.server(durable=True)
            server = stack.enter_context(durable) if database == "postgresql" else None
            found = one.run(Options(cycles, seed, server))
    except Exception as error:
        traceback.print_exc()
        found = Found(faults=[f"{type(error).__name__}: {error}"])
    if state_of(ROOT / "src") != product:
        found.faults.append("the product’s files were changed during the run")
    for fault in found.faults + found.late:
        print(fault, file=sys.stderr)
    command = f"`python -m chaos {one.name} --database {database} --cycles {cycles} --seed {seed}`"
    cells = [
        one.name,
        NAMES[database],
        ", ".join(f"{count:,} {what}" for what, count in found.tried.items()) or "nothing",
        "nothing" if found.holds else f"**{wrong(found)}**",
        found.measured,
        f"{time.monotonic() - began:.0f}",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}",
        command,
    ]
    return f"| {' | '.join(cells)} |", found.holds


def state_of(folder: Path) -> dict[Path, int]:
    """Return when each file was changed. What a run loads late must be what it began with."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path: path.stat().st_mtime_ns for path in files}


def wrong(found: Found) -> str:
    """Return what went wrong, in one cell."""
    faults = found.faults + found.late or ["not everything was tried"]
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return re.sub(r"[|\s]+", " ", "; ".join(faults[:3]))[:300] + more


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB"


def with_row(page: str, row: str) -> str:
    """Put a row into the table of the page, in place of an older one of the same kind."""
    before, rest = page.split("<!-- rows -->\n")
    table, after = rest.split("<!-- end -->")
    rows = {key(line): line for line in table.splitlines() if line.startswith("| ")}
    rows.pop(key(HEAD), None)
    rows[key(row)] = row
    lines = [rows[name] for name in sorted(rows)]
    return "\n".join([f"{before}<!-- rows -->", HEAD, *lines, f"<!-- end -->{after}"])


def key(row: str) -> tuple[str, str]:
    """Return the kind and the database of a row."""
    cells = [cell.strip() for cell in row.split("|")]
    return cells[1], cells[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
