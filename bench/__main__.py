"""Run every benchmark: `python -m bench`.

It prints Markdown. `--write` puts the figures into docs/benchmarks.md; `--quick` is rough.
"""

import contextlib
import io
import re
import subprocess
import sys
from collections.abc import Callable

from bench import ROOT, engine, plans
from bench.http.__main__ import main as service

PAGE = ROOT / "docs" / "benchmarks.md"


def engine_figures(quick: bool) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        engine.main(10_000 if quick else 1_000_000)
        print("\n### Many meetings at once\n")
        plans.main(quick)
    return printed.getvalue().strip()


def size_figures() -> str:
    """Measure in processes of their own: what they shared with this one would not be counted."""
    figures = ""
    for name, title in (("small", ""), ("day", "\n### A day in 256 MB\n\n")):
        command = [sys.executable, "-m", f"bench.{name}"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        figures += f"{title}{done.stdout}"
        if done.returncode:
            figures += "\nIt failed; the reason is above.\n"
    return figures.strip()


def write(name: str, figures: str) -> None:
    """Write the figures between their marks in the page."""
    marks = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, count = marks.subn(lambda match: f"{match[1]}\n{figures}\n\n{match[2]}", PAGE.read_text())
    if not count:
        raise RuntimeError(f"{PAGE.name} has no place for the figures of the {name}")
    PAGE.write_text(page)


def main(arguments: list[str]) -> None:
    rest = [argument for argument in arguments if argument != "--write"]
    measures: dict[str, Callable[[], str]] = {
        "service": lambda: service(rest),
        "engine": lambda: engine_figures("--quick" in rest),
        "size": size_figures,
    }
    for name, measure in measures.items():
        figures = measure()
        print(f"## The {name}\n\n{figures}\n", flush=True)
        if "--write" in arguments:
            write(name, figures)


if __name__ == "__main__":
    main(sys.argv[1:])
