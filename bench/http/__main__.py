"""Measure the service, and print Markdown.

`python -m bench.http [--database sqlite|postgresql] [--quick] [R1 R2 …]`
"""

import argparse
import signal
import sys

from bench.http.measures import PARTS, SAME_AS, Effort, Row, count_queries
from bench.http.page import tables
from bench.http.pages import results_page
from bench.http.scene import DATABASES, open_scene


def main(arguments: list[str] | None = None) -> str:
    parser = argparse.ArgumentParser(prog="python -m bench.http")
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter samples; the figures are rough"
    )
    parser.add_argument("targets", nargs="*", metavar="R1 …", help="only these")
    options = parser.parse_args(arguments)
    parts = {**PARTS, "R15": results_page}
    wanted = {SAME_AS.get(name.upper(), name.upper()) for name in options.targets} or set(parts)
    effort = (
        Effort(rounds=3, seconds=0.2, storms=2, starts=2, patience=0.5)
        if options.quick
        else Effort()
    )
    # Whoever stops the benchmark stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    measured: dict[str, list[Row]] = {}
    for database in options.database or DATABASES:
        with open_scene(database) as scene:
            measured[database] = [
                row for name, part in parts.items() if name in wanted for row in part(scene, effort)
            ]
            count_queries(scene, measured[database])
    return tables(measured, effort)


if __name__ == "__main__":
    print(main())
