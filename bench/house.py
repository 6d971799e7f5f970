"""Measure how the code reads: the table at the top of house.md, today.

    .venv/bin/python -m bench.house                        the table
    .venv/bin/python -m bench.house --worst 10             and the ten worst places of each row
    .venv/bin/python -m bench.house --room src/commontime/web --worst 10

Migrations are left out. Functions are those in `src`, methods and inner functions included.
"""

import argparse
import ast
import re
import statistics
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import ROOT

COLUMNS = 100
TEMPLATE_COLUMNS = 120
FUNCTION_LINES = 40
COMPLEXITY = 10
WORDS = 18
WORD = "found"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Branch = (
    ast.If | ast.IfExp | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.match_case
)


@dataclass(frozen=True)
class Place:
    """A number measured at a place, such as a line's length."""

    value: int
    where: str
    what: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the table, and the places it was measured from."""

    what: str
    before: str
    today: str
    goal: str
    holds: bool | None
    places: list[Place]


class Source:
    """A Python file, read once."""

    def __init__(self, path: Path, root: Path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.text = path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def measure_functions(self, measure: Callable[[Function], int]) -> list[Place]:
        return [Place(measure(f), f"{self.name}:{f.lineno}", f.name) for f in self.functions]


# What is measured ---------------------------------------------------------------------------------


def nodes(function: Function) -> int:
    """Return the number of nodes in the function's syntax tree, inner functions included."""
    return sum(1 for _ in ast.walk(function))


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of the functions inside it."""
    stack: list[ast.AST] = [function]
    while stack:
        node = stack.pop()
        yield node
        stack += [n for n in ast.iter_child_nodes(node) if not isinstance(n, Function)]


def complexity(function: Function) -> int:
    """Return the number of ways through a function, as McCabe counts them.

    It is 1, and 1 more for each branch, loop, handler, case, comprehension and condition of a
    comprehension, `and` and `or`. Ruff's C901 counts neither comprehensions nor `and` and `or`.
    """
    ways = 1
    for node in own_nodes(function):
        match node:
            case ast.BoolOp(values=values):
                ways += len(values) - 1
            case ast.comprehension(ifs=conditions):
                ways += 1 + len(conditions)
            case _ if isinstance(node, Branch):
                ways += 1
    return ways


def length(function: Function) -> int:
    """Return the lines of a function, from its `def` on, without its docstring."""
    lines = line_count(function)
    if ast.get_docstring(function, clean=False) is not None:
        lines -= line_count(function.body[0])
    return lines


def line_count(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def first_sentences(source: Source) -> list[Place]:
    """Return the number of words in the first sentence of each docstring."""
    sentences = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            docstring = ast.get_docstring(node)
            if docstring:
                sentence = re.split(r"(?<=[.?!])\s", docstring.strip(), maxsplit=1)[0]
                where = f"{source.name}:{node.body[0].lineno}"
                sentences.append(Place(len(sentence.split()), where, " ".join(sentence.split())))
    return sentences


def uses(source: Source, word: str = WORD) -> list[Place]:
    """Return how often a file uses a word as a name, if at all."""
    with source.path.open("rb") as file:
        lines = [
            token.start[0]
            for token in tokenize.tokenize(file.readline)
            if token.type == tokenize.NAME and token.string == word
        ]
    if not lines:
        return []
    return [Place(len(lines), source.name, f"lines {', '.join(map(str, sorted(set(lines))))}")]


def line_lengths(name: str, text: str) -> list[Place]:
    return [
        Place(len(line), f"{name}:{number}", line.strip()[:60])
        for number, line in enumerate(text.splitlines(), 1)
    ]


# The tree -----------------------------------------------------------------------------------------


def sources(root: Path, folders: Iterable[str], rooms: tuple[str, ...] = ("",)) -> list[Source]:
    """Return the Python files under some folders, without migrations."""
    return [
        Source(path, root)
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        if "migrations" not in path.parts and path.relative_to(root).as_posix().startswith(rooms)
    ]


def document_lines(root: Path, rooms: tuple[str, ...] = ("",)) -> list[Place]:
    """Return the lengths of all Markdown lines outside tables."""
    lines = []
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        name = path.relative_to(root).as_posix()
        if name.startswith(rooms):
            lines += line_lengths(name, path.read_text())
    return [line for line in lines if not line.what.startswith("|")]


def template_lines(root: Path, rooms: tuple[str, ...] = ("",)) -> list[Place]:
    """Return the lengths of all lines of HTML templates that are not empty."""
    lines = []
    for path in sorted((root / "src").rglob("*.html")):
        name = path.relative_to(root).as_posix()
        if name.startswith(rooms):
            lines += line_lengths(name, path.read_text())
    return [line for line in lines if line.what]


# The table ----------------------------------------------------------------------------------------


def median_and_p90(places: list[Place]) -> tuple[float, int]:
    values = sorted(place.value for place in places)
    if not values:
        return 0, 0
    return statistics.median(values), values[min(len(values) - 1, int(0.9 * len(values)))]


def spread(
    what: str, before: str, places: list[Place], limits: tuple[int, int] | None = None
) -> Row:
    """Return a row of the median and the ninth decile."""
    median, p90 = median_and_p90(places)
    return Row(
        what,
        before,
        f"{median:g} / {p90}",
        f"≤ {limits[0]} / ≤ {limits[1]}" if limits else "",
        (median <= limits[0] and p90 <= limits[1]) if limits else None,
        places,
    )


def median_and_longest(what: str, before: str, places: list[Place]) -> Row:
    median, _ = median_and_p90(places)
    longest = max((place.value for place in places), default=0)
    return Row(what, before, f"{median:g} / {longest}", "", None, places)


def over(what: str, before: str, places: list[Place], limit: int, share: float | None = 0.0) -> Row:
    """Return a row of the number and share of places over a limit.

    `share` is the largest share that holds; None sets no goal.
    """
    large = [place for place in places if place.value > limit]
    of_all = len(large) / max(1, len(places))
    return Row(
        what,
        before,
        f"{len(large):,} ({of_all:.1%})",
        "" if share is None else f"≤ {share:.0%}" if share else "0",
        None if share is None else of_all <= share,
        large,
    )


def total(what: str, before: str, places: list[Place], below: int) -> Row:
    """Return a row of the sum, and of the number of files."""
    count = sum(place.value for place in places)
    return Row(
        what, before, f"{count:,} in {len(places)} files", f"< {below}", count < below, places
    )


def table(root: Path = ROOT, rooms: tuple[str, ...] = ("",)) -> list[Row]:
    """Measure a tree, or only some of its folders or files."""
    src = sources(root, ["src"], rooms)
    beside = sources(root, ["tests", "bench", "stage"], rooms)
    engine = [s for s in src if "commontime/engine/" in s.name]
    others = [s for s in src if s not in engine]
    templates = template_lines(root, rooms)

    def lines(files: list[Source]) -> list[Place]:
        return [place for s in files for place in line_lengths(s.name, s.text)]

    def functions(files: list[Source], measure: Callable[[Function], int]) -> list[Place]:
        return [place for s in files for place in s.measure_functions(measure)]

    sentences = [place for s in src for place in first_sentences(s)]
    return [
        over(f"Python lines over {COLUMNS}, src", "11.3 %", lines(src), COLUMNS),
        over(f"Python lines over {COLUMNS}, beside it", "", lines(beside), COLUMNS),
        over(f"document lines over {COLUMNS}", "", document_lines(root, rooms), COLUMNS),
        spread("nodes of a function, median / p90", "67 / 227", functions(src, nodes)),
        spread("  outside the engine", "63 / 195", functions(others, nodes), (60, 160)),
        spread("  in the engine", "118 / 368", functions(engine, nodes)),
        over(
            f"complexity over {COMPLEXITY}", "4.2 %", functions(src, complexity), COMPLEXITY, 0.02
        ),
        over(f"functions over {FUNCTION_LINES} lines", "", functions(src, length), FUNCTION_LINES),
        median_and_longest("template line, median / longest", "107 / 659", templates),
        over(f"  over {TEMPLATE_COLUMNS}", "", templates, TEMPLATE_COLUMNS),
        over("  over 200", "21 %", templates, 200),
        spread("words of a first sentence, median / p90", "14 / 22", sentences, (10, WORDS)),
        over(f"  over {WORDS}", "", sentences, WORDS),
        total(f"the name `{WORD}`, src", "455 in 46 files", [p for s in src for p in uses(s)], 100),
        total(
            f"the name `{WORD}`, everywhere", "", [p for s in src + beside for p in uses(s)], 100
        ),
    ]


def print_table(rows: list[Row]) -> None:
    print("| measured | 30 November | today | goal | holds |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        holds = {True: "yes", False: "**no**", None: ""}[row.holds]
        print(f"| {row.what} | {row.before} | {row.today} | {row.goal} | {holds} |")


def print_worst(rows: list[Row], limit: int) -> None:
    for row in rows:
        print(f"\n{row.what.strip()}: {row.today}")
        worst = sorted(row.places, key=lambda place: -place.value)[:limit]
        for place in worst:
            print(f"  {place.value:>5}  {place.where}  {place.what}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how the code reads.")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="the worst places too")
    parser.add_argument(
        "--room", nargs="+", default=[""], metavar="PATH", help="only files under these"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    options = parser.parse_args()

    rows = table(options.root.resolve(), tuple(options.room))
    print_table(rows)
    if options.worst:
        print_worst(rows, options.worst)


if __name__ == "__main__":
    main()
