"""Measure R1 to R8, R10 and R13, each against an anchor in the same run."""

import itertools
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.http import data
from bench.http.load import Connection, request, run, storm
from bench.http.scene import Scene, load, wait_for_calm
from bench.http.servers import PRODUCT, serve

CONNECTIONS = 8
NOISY = 0.25
RALLLY_BARE_MS = (
    0.26  # the bare view of the run in which Rallly was measured, with about the same bytes
)


@dataclass
class Effort:
    """How long to measure.

    seconds: the CPU of a sample; the anchor's takes half. patience: how long to wait for a calm
    moment before each.
    """

    rounds: int = 7
    seconds: float = 0.4
    storms: int = 5
    starts: int = 7
    patience: float = 1.0


@dataclass
class Row:
    """A line of the tables. The target is about `value`."""

    id: str
    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    product_ms: float = 0.0
    anchor_ms: float = 0.0
    best: float = 0.0
    body_bytes: int = 0
    spread: float = 0.0
    load: float = 0.0
    note: str = ""
    request: bytes = b""
    again: bool = False
    queries: int | None = None

    @property
    def holds(self) -> bool | None:
        """Return whether the target is met; None without a target."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )


Sample = Callable[[int], None]


@dataclass
class Subject:
    """A request to measure, and its anchor.

    `product(n)` and `anchor(n)` send n requests. `before()` runs ahead of each sample of the
    product, uncounted. `request` is an example, whose statements are counted; `again`: of the
    second such request, which finds its answer in memory.
    """

    product: Sample
    anchor: Sample
    body_bytes: int
    request: bytes
    again: bool = True
    before: Callable[[], None] = lambda: None
    most_requests: int = 20_000


def measure(
    scene: Scene, effort: Effort, id: str, what: str, subject: Subject, most: float | None = None
) -> Row:
    """Return the product's CPU per request as a ratio to the anchor's.

    It is the median of several rounds, in alternating order. If the anchor's own samples differ by
    more than 25 %, the run is repeated once; if it is noisy then, it is marked.
    """
    for _ in range(2):
        row = _measure(scene, effort, id, what, subject, most)
        if row.spread <= NOISY:
            break
    print(
        f"{scene.database:10} {id:4} {what:60} {row.value:7.2f} x  {row.product_ms:7.2f} ms",
        file=sys.stderr,
        flush=True,
    )
    return row


def _measure(
    scene: Scene, effort: Effort, id: str, what: str, subject: Subject, most: float | None
) -> Row:
    subject.before()
    product_count = _enough(scene.cpu, subject.product, effort.seconds, subject.most_requests)
    anchor_count = _enough(scene.anchor.cpu, subject.anchor, effort.seconds / 2, 20_000)
    products, anchors = [], []
    for turn in range(effort.rounds):
        wait_for_calm(effort.patience)
        for side in ("product", "anchor") if turn % 2 else ("anchor", "product"):
            if side == "product":
                subject.before()
                products.append(_cpu_each(scene.cpu, subject.product, product_count))
            else:
                anchors.append(_cpu_each(scene.anchor.cpu, subject.anchor, anchor_count))
    ratios = [product / anchor for product, anchor in zip(products, anchors, strict=True)]
    middle = statistics.median(anchors)
    return Row(
        id,
        what,
        statistics.median(ratios),
        "x bare",
        most,
        product_ms=1000 * statistics.median(products),
        anchor_ms=1000 * middle,
        best=min(ratios),
        body_bytes=subject.body_bytes,
        spread=(max(anchors) - min(anchors)) / middle,
        load=load(),
        request=subject.request,
        again=subject.again,
    )


def _enough(cpu: Callable[[], float], sample: Sample, seconds: float, most: int) -> int:
    """Return how many requests make a sample. A short sample tells, and also warms up."""
    tried = min(40, most)
    each = _cpu_each(cpu, sample, tried)
    return max(tried, min(most, int(seconds / each)))


def _cpu_each(cpu: Callable[[], float], sample: Sample, count: int) -> float:
    before = cpu()
    sample(count)
    return (cpu() - before) / count


# Subjects -----------------------------------------------------------------------------------------


def repeat(scene: Scene, data: bytes) -> Subject:
    """Send the same request over and over, over 8 connections."""
    anchor, size = scene.anchored(data)
    return Subject(
        lambda n: _send(scene.product.address, itertools.repeat(data, n)),
        lambda n: _send(scene.anchor.address, itertools.repeat(anchor, n)),
        size,
        data,
    )


def vary(scene: Scene, data: bytes, others: Iterator[bytes]) -> Subject:
    """Send different requests like this one, over 8 connections."""
    anchor, size = scene.anchored(data)
    return Subject(
        lambda n: _send(scene.product.address, itertools.islice(others, n)),
        lambda n: _send(scene.anchor.address, itertools.repeat(anchor, n)),
        size,
        data,
        again=False,
    )


def repeat_after_changes(scene: Scene, data: bytes, calendar: str) -> Subject:
    """Send the same request after a change each time, over one connection.

    Somebody's window changes past the product, uncounted.
    """
    anchor, size = scene.anchored(data)
    calendar = scene.direct.id(calendar)
    window = scene.direct.do(
        "SELECT id FROM calendars_nonbusytime WHERE calendar_id = %s ORDER BY start_time LIMIT 1",
        calendar,
    ).fetchone()[0]
    change = (
        "UPDATE calendars_nonbusytime SET preference_level = 14 - preference_level WHERE id = %s"
    )
    scene.direct.do("UPDATE calendars_nonbusytime SET preference_level = 9 WHERE id = %s", window)
    return Subject(
        lambda n: _one_by_one(
            scene.product.address, data, n, lambda: scene.direct.do(change, window)
        ),
        lambda n: _one_by_one(scene.anchor.address, anchor, n, lambda: None),
        size,
        data,
        again=False,
    )


def _send(address: tuple[str, int], requests: Iterable[bytes]) -> None:
    run(address, requests, connections=CONNECTIONS).require(200, 201, 304)


def _one_by_one(
    address: tuple[str, int], data: bytes, count: int, change: Callable[[], object]
) -> None:
    connection = Connection(address)
    for _ in range(count):
        change()
        if (status := connection.ask(data)) != 200:
            raise RuntimeError(f"{status}: {connection.body[:300]!r}")
    connection.close()


# Measurements -------------------------------------------------------------------------------------


def reading_availability(scene: Scene, effort: Effort) -> list[Row]:
    rows, ratios = [], {}
    for size in data.SIZES:
        get = scene.get(scene.calendar(size, "availability/"))
        for id, what, most, subject in (
            ("R1", "availability, nothing changed", 10, repeat(scene, get)),
            (
                "R2",
                "availability, right after a change",
                25,
                repeat_after_changes(scene, get, scene.made["calendars"][str(size)]),
            ),
        ):
            row = measure(
                scene,
                effort,
                id,
                f"{what}, N = {size:,}",
                subject,
                most if size == max(data.SIZES) else None,
            )
            ratios[id, size] = row
            rows.append(row)
    small, large = min(data.SIZES), max(data.SIZES)
    for id, what, most in (("R1", "unchanged", 1.3), ("R2", "recomputed", 5)):
        grown = ratios[id, large].value / ratios[id, small].value
        rows.append(
            Row(
                "R3",
                f"N = {large:,} against N = {small}, {what}: ratio of the ratios",
                grown,
                "x",
                most,
            )
        )
        cpu = ratios[id, large].product_ms / ratios[id, small].product_ms
        rows.append(Row("R3", f"the same, of the CPU per request itself, {what}", cpu, "x"))
    rows += _against_rallly(scene, effort, ratios["R1", large])
    return rows


def _against_rallly(scene: Scene, effort: Effort, answer: Row) -> list[Row]:
    """Compare reading availability and single answers with Rallly.

    Everybody's windows by name are 20 pages of 1,000 rows; Rallly's page gets its participants in
    one answer of 1.05 MB.
    """
    first = scene.get(scene.calendar(max(data.SIZES), "nonbusytimes/"))
    page = measure(
        scene,
        effort,
        "R5",
        "1,000 of the 20,000 windows (a page of the list), N = 1,000",
        repeat(scene, first),
    )
    pages = max(data.SIZES) * data.WINDOWS / 1000
    rallly_results, rallly_list = 20.6 / RALLLY_BARE_MS, 230 / RALLLY_BARE_MS
    return [
        Row(
            "R4",
            "times less CPU than Rallly's aggregated results, N = 1,000",
            rallly_results / answer.value,
            "x less",
            least=6,
        ),
        page,
        Row(
            "R5",
            "times less CPU than Rallly's participants.list, for all 20 pages",
            rallly_list / (page.value * pages),
            "x less",
            least=40,
        ),
        Row(
            "R5",
            "times fewer bytes than Rallly's 1.05 MB, for all 20 pages",
            1_050_000 / (page.body_bytes * pages),
            "x less",
            least=8,
        ),
    ]


def lists(scene: Scene, effort: Effort) -> list[Row]:
    paths = {
        "100 windows (N = 1,000)": scene.calendar(1000, "nonbusytimes/?page_size=100"),
        "100 contacts": "/contacts/",
        "100 participants": scene.calendar(100, "participants/"),
    }
    return [
        measure(scene, effort, "R6", f"list of {what}", repeat(scene, scene.get(path)), 10)
        for what, path in paths.items()
    ]


def profile(scene: Scene, effort: Effort) -> list[Row]:
    return [measure(scene, effort, "R7", "GET /profile/", repeat(scene, scene.get("/profile/")), 5)]


def adding_windows(scene: Scene, effort: Effort) -> list[Row]:
    path = scene.calendar("storm", "nonbusytimes/")
    people = scene.made["stormers"]
    tokens = [scene.token(name) for name in people]

    def window(quarter: int, length: int = 2) -> dict[str, object]:
        return {
            "start_time": scene.moment(quarter),
            "end_time": scene.moment(quarter + length),
            "preference_level": 5,
        }

    def singles() -> Iterable[bytes]:
        for quarter in range(0, 3 * data.WINDOWS, 3):
            for token in tokens:
                yield request("POST", path, token, window(quarter))

    def answer(token: str, shift: int = 0) -> bytes:
        windows = [window(quarter + shift) for quarter in range(0, 33 * data.WINDOWS, 33)]
        return request(
            "PUT",
            path,
            token,
            {"from": scene.moment(0), "to": scene.moment(7 * 96), "windows": windows},
        )

    turns = itertools.cycle((0, 1))

    def again() -> list[bytes]:
        shift = next(turns)
        return [answer(token, shift) for token in tokens]

    ready = {"single": list(singles()), "first": [answer(token) for token in tokens]}
    scene.clear_storm()
    subjects = {}
    for name in ready:
        anchor, size = scene.anchored(ready[name][0])
        scene.clear_storm()
        subjects[name] = Subject(
            lambda n, name=name: _send(scene.product.address, ready[name][:n]),
            lambda n, anchor=anchor: _send(scene.anchor.address, itertools.repeat(anchor, n)),
            size,
            # Not the first person's, who is asked for the statements of a single window.
            ready[name][0 if name == "single" else 1],
            again=False,
            before=scene.clear_storm,
            most_requests=len(ready[name]),
        )
    single = measure(scene, effort, "R8", "add one window", subjects["single"], 20)
    first = measure(
        scene, effort, "R8", "20 windows in one PUT, the first answer", subjects["first"]
    )
    subject = subjects["first"]
    subject.product = lambda n: _send(scene.product.address, again()[:n])
    subject.before, subject.request, subject.again = lambda: None, ready["first"][2], True
    replaced = measure(scene, effort, "R8", "20 windows in one PUT, in place of 20 others", subject)
    return [
        single,
        first,
        replaced,
        Row(
            "R8",
            "20 windows in one PUT, the first answer, against one window",
            first.product_ms / single.product_ms,
            "x",
            2.5,
        ),
        Row("R8", "the same, in place of 20 others", replaced.product_ms / single.product_ms, "x"),
        Row(
            "R8",
            "times less CPU than Rallly's 25.3 ms for 20 answers",
            25.3 / 0.20 / first.value,
            "x less",
            least=4,
        ),
    ]


def storms(scene: Scene, effort: Effort) -> list[Row]:
    """Measure a storm: 120 people come within a second.

    Each sends 20 windows and then reads the availability.
    """
    path, read = scene.calendar("storm", "nonbusytimes/"), scene.calendar("storm", "availability/")
    scripts = []
    for place, name in enumerate(scene.made["stormers"]):
        starts = range(place % 7, place % 7 + 33 * data.WINDOWS, 33)
        windows = [
            {"start_time": scene.moment(q), "end_time": scene.moment(q + 8), "preference_level": 5}
            for q in starts
        ]
        put = request(
            "PUT",
            path,
            scene.token(name),
            {"from": scene.moment(0), "to": scene.moment(8 * 96), "windows": windows},
        )
        scripts.append([put, request("GET", read, scene.token(name))])
    walls, cpus, failed, slowest = [], [], 0, 0.0
    for _ in range(effort.storms):
        scene.clear_storm()
        wait_for_calm(5 * effort.patience)
        before = scene.cpu()
        answers = storm(scene.product.address, scripts, within=1.0)
        cpus.append(scene.cpu() - before)
        walls.append(answers.wall)
        slowest = max(slowest, answers.wall)
        failed += sum(count for status, count in answers.statuses.items() if status != 200)
    wall = statistics.median(walls)
    note = f"slowest of {effort.storms}: {slowest:.2f} s; CPU {statistics.median(cpus):.2f} s"
    print(
        f"{scene.database:10} R10  storm {wall:.2f} s, {failed} failed, {note}",
        file=sys.stderr,
        flush=True,
    )
    people = len(scripts)
    return [
        Row(
            "R10",
            f"{people} people come within 1 s, each PUTs 20 windows and reads: until the last "
            "answer",
            wall,
            "s",
            2,
            note=note,
        ),
        Row("R10", f"requests of {2 * people * effort.storms:,} that failed", failed, "", 0),
    ]


def starts(scene: Scene, effort: Effort) -> list[Row]:
    sides: dict[str, list[tuple[float, float]]] = {
        PRODUCT: [],
        "bench.http.bare_drf:application": [],
    }
    for turn in range(effort.starts + 1):
        wait_for_calm(effort.patience)
        for application, times in list(sides.items())[:: 1 if turn % 2 else -1]:
            with serve(application, scene.settings) as server:
                times.append((server.started_in, server.cpu()))
    # The first start of each writes the byte code.
    product, bare = (times[1:] for times in sides.values())
    ratio, cpu = (
        statistics.median(a[kind] / b[kind] for a, b in zip(product, bare, strict=True))
        for kind in (0, 1)
    )
    note = (
        f"{statistics.median(a for a, _ in product):.2f} s against "
        f"{statistics.median(b for b, _ in bare):.2f} s; in CPU {cpu:.2f} x"
    )
    print(f"{scene.database:10} R13  start {ratio:.2f} x, {note}", file=sys.stderr, flush=True)
    return [
        Row(
            "R13",
            "cold start, exec to the first 200, against bare Django + DRF",
            ratio,
            "x",
            1.3,
            note=note,
            load=load(),
        )
    ]


PARTS: dict[str, Callable[[Scene, Effort], list[Row]]] = {
    "R1": reading_availability,
    "R6": lists,
    "R7": profile,
    "R8": adding_windows,
    "R10": storms,
    "R13": starts,
}
SAME_AS = {"R2": "R1", "R3": "R1", "R4": "R1", "R5": "R1", "R16": "R15"}


def count_queries(scene: Scene, rows: list[Row]) -> None:
    """Count the SQL statements of each measured request."""
    measured = [row for row in rows if row.request]
    scene.clear_storm()
    for row, counts in zip(measured, scene.queries([row.request for row in measured]), strict=True):
        row.queries = counts[row.again]
