"""How fast the engine finds common time, beside floors nobody can beat and the ways others take.
Prints a Markdown table.

Everything runs in one process, interleaved, and counts the fastest of several rounds: trust the
ratios, not the times. `python -m bench.engine`, or with a number: only sizes up to so many windows.
"""

import itertools
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from unittest import mock

import numpy as np

from commontime import engine
from commontime.engine import assign, rank, sweep

DURATION = 60
DAY = 24 * 60
EPOCH = 30_000_000
EDITS = 10  # in a row
WITHOUT_LEVELS = (rank.present, rank.attending, rank.preference)


class Group:
    """A random group: windows of 30 to 240 minutes within 28 working days, overlapping freely, half
    of the people required.
    """

    def __init__(
        self,
        size: int,
        rng: np.random.Generator,
        windows_each: int,
        preferences: tuple[int, ...] = (2, 5, 9),
    ):
        self.people = max(4, size // windows_each)
        count = self.people * (size // self.people)
        who = np.repeat(np.arange(self.people, dtype=np.int32), size // self.people)
        start = EPOCH + rng.integers(0, 28, count) * DAY + rng.integers(8 * 60, 17 * 60, count)
        self.take(
            who,
            start,
            start + rng.integers(30, 240, count),
            np.array(preferences, np.int8)[rng.integers(0, len(preferences), count)],
        )
        self.required = rng.random(self.people) < 0.5
        self.bounds = {
            "required": self.required,
            "earliest": int(self.start.min()),
            "latest_end": int(self.end.max()),
        }
        self.points = np.concatenate((self.start, self.end))
        rng.shuffle(self.points)

    def take(self, who, start, end, preference):
        order = np.lexsort((start, who))
        self.who, self.start, self.end, self.preference = (
            who[order],
            start[order],
            end[order],
            preference[order],
        )

    @property
    def rows(self) -> list[tuple[int, int, int, int]]:
        return list(
            zip(
                self.who.tolist(),
                self.start.tolist(),
                self.end.tolist(),
                self.preference.tolist(),
                strict=True,
            )
        )

    def windows(self) -> engine.Windows:
        return engine.from_arrays(
            self.who, self.start, self.end, self.preference, people=self.people
        )

    def profile(self) -> engine.Profile:
        return engine.profile(self.windows(), DURATION, **self.bounds)

    def best(self) -> list[engine.Slot]:
        return engine.best(self.profile())

    def best_packed(self) -> list[engine.Slot]:
        with mock.patch.object(sweep, "is_dense", return_value=False):
            return self.best()

    def open(self) -> None:
        self.ledger = engine.ledger(self.windows(), DURATION, **self.bounds)
        self.times = np.stack((self.start, self.end, self.preference), axis=1).reshape(
            self.people, -1, 3
        )
        self.turns = itertools.cycle(range(self.people))

    def edit(self) -> list[engine.Slot]:
        """One after the other, people give all the times of the person before them in place of
        their own; the best starts after each.
        """
        ledger = self.ledger
        for who in itertools.islice(self.turns, EDITS):
            ledger = ledger.replace(who, self.times[who - 1])
            slots = engine.best(ledger.profile())
        return slots

    def near_misses(self) -> list[engine.NearMiss]:
        return engine.near_misses(self.windows(), DURATION, **self.bounds)

    def sort(self):
        return np.sort(self.points)

    def count(self):
        return np.bincount(self.points - EPOCH)


class Week(Group):
    """A thousand people paint 20 windows each into one week: disjoint, some touching, all eleven
    preferences.
    """

    def __init__(self, step: int, rng: np.random.Generator):
        self.people, each = 1_000, 20
        cuts = [
            np.sort(rng.choice(7 * DAY // step, 2 * each, replace=False))
            for _ in range(self.people)
        ]
        # Every third window is moved down to touch the one before, as if someone had painted it in
        # another colour.
        bounds = EPOCH + step * np.array(cuts).reshape(self.people, each, 2)
        bounds[:, 1::3, 0] = bounds[:, 0:-1:3, 1]
        who = np.repeat(np.arange(self.people, dtype=np.int32), each)
        self.take(
            who,
            bounds[..., 0].ravel(),
            bounds[..., 1].ravel(),
            rng.integers(0, 11, len(who)).astype(np.int8),
        )
        self.required = rng.random(self.people) < 0.5
        self.bounds = {"required": self.required, "earliest": EPOCH, "latest_end": EPOCH + 7 * DAY}
        self.points = np.concatenate((self.start, self.end))
        rng.shuffle(self.points)


def python_sweep(group: Group) -> list[tuple[int, ...]]:
    """The exact answer without numpy: merge each person's windows per preference, sort the bounds,
    walk along them.
    """
    events: list[tuple[int, int, int, int, int]] = []
    by_person: list[list[tuple[int, int, int]]] = [[] for _ in range(group.people)]
    for who, start, end, preference in group.rows:
        by_person[who].append((start, end, preference))
    for who, mine in enumerate(by_person):
        needed, below = int(group.required[who]), -1
        for threshold in sorted({preference for _, _, preference in mine}):
            first = None
            reach = 0
            for start, end, preference in [*mine, (1 << 60, 1 << 60, 99)]:
                if preference < threshold:
                    continue
                if first is not None and start <= reach:
                    reach = max(reach, end)
                    continue
                if first is not None and reach - first >= DURATION:
                    gain = threshold - max(below, 0)
                    events.append((first, needed * (below < 0), int(below < 0), gain, 0))
                    events.append(
                        (reach - DURATION + 1, -needed * (below < 0), -int(below < 0), -gain, 0)
                    )
                first, reach = start, end
            below = threshold
    events.sort()
    found, present, attending, total = [], 0, 0, 0
    for i, (tick, needed, comes, gain, _) in enumerate(events):
        present, attending, total = present + needed, attending + comes, total + gain
        if i + 1 == len(events) or events[i + 1][0] != tick:
            found.append((-present, -attending, -total, tick))
    return sorted(found)[:10]


def grid(group: Group) -> list[tuple[int, int]]:
    """As polls and grids do it: for each quarter of an hour, everybody's set of free quarters;
    whole cells only.
    """
    free: list[set[int]] = [set() for _ in range(group.people)]
    for who, start, end, _ in group.rows:
        free[who].update(range(-(-start // 15), end // 15))
    found = []
    for cell in range(int(group.start.min()) // 15, int(group.end.max()) // 15):
        wanted = range(cell, cell + DURATION // 15)
        found.append((-sum(all(slot in mine for slot in wanted) for mine in free), cell))
    return sorted(found)[:10]


def tree(group: Group) -> list[tuple[int, int]]:
    """With an interval tree: ask at every bound who is free; needs the disjoint windows of each
    person.
    """
    from intervaltree import IntervalTree

    rows = IntervalTree.from_tuples((start, end, who) for who, start, end, _ in group.rows)
    asked = sorted({bound for _, start, end, _ in group.rows for bound in (start, end - DURATION)})
    found = [
        (-len({row.data for row in rows.at(tick) if row.end >= tick + DURATION}), tick)
        for tick in asked
    ]
    return sorted(found)[:10]


def race(runners: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The fastest of so many rounds, in milliseconds, each round running all of them in turn."""
    fastest = dict.fromkeys(runners, float("inf"))
    for _ in range(rounds):
        for name, run in runners.items():
            began = time.perf_counter()
            run()
            fastest[name] = min(fastest[name], 1_000 * (time.perf_counter() - began))
    return fastest


def memory_per_window(group: Group) -> float:
    free = group.windows()
    tracemalloc.start()
    engine.best(engine.profile(free, DURATION, **group.bounds))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(free)


def pairs_by_bare_scipy(people: int, rng: np.random.Generator) -> tuple[float, float]:
    """How many times a bare linear_sum_assignment pair_up takes, matrix included: at once, and in
    stages.
    """
    from scipy.optimize import linear_sum_assignment

    wish = rng.choice(
        np.array([-1] * 13 + [2, 5, 5, 6, 8, 9, 10], np.int8), (people, people * 13 // 10)
    )
    ((table, factor),) = assign._stages(*wish.shape)
    worth = assign._worth(wish.astype(np.intp) + 1, table, factor)

    def staged() -> None:
        with mock.patch.object(assign, "EXACT", 2**30):
            engine.pair_up(wish)

    runners = {
        "bare": lambda: linear_sum_assignment(worth, maximize=True),
        "whole": lambda: engine.pair_up(wish),
        "staged": staged,
    }
    ms = race(runners, 20)
    return ms["whole"] / ms["bare"], ms["staged"] / ms["bare"]


def row(*cells: object) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|")


def main(largest: int) -> None:
    features = np._core._multiarray_umath.__cpu_features__
    print(
        f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, "
        f"numpy {np.__version__},"
    )
    print(
        "numpy dispatch:",
        " ".join(name for name in ("AVX2", "X86_V3", "X86_V4", "AVX512_ICL") if features.get(name))
        or "baseline",
    )
    print("disabled:", os.environ.get("NPY_DISABLE_CPU_FEATURES") or "nothing", "\n")
    rng = np.random.default_rng(7)
    groups = {
        size: Group(size, rng, each)
        for size, each in ((100, 10), (1_000, 20), (10_000, 50), (100_000, 100), (1_000_000, 100))
    }
    groups = {size: group for size, group in groups.items() if size <= largest}

    row(
        "windows",
        "people",
        "whole call, ms",
        "of which profile",
        "edit",
        "packed",
        "near misses",
        "np.sort(2n)",
        "np.bincount(2n)",
    )
    row(*["---:"] * 9)
    for size, group in groups.items():
        free = group.windows()
        group.open()
        runners = {
            "whole": group.best,
            "profile": lambda group=group, free=free: engine.profile(
                free, DURATION, **group.bounds
            ),
            "edit": group.edit,
            "packed": group.best_packed,
            "near": group.near_misses,
            "sort": group.sort,
            "bincount": group.count,
        }
        ms = race(runners, 200 if size <= 10_000 else 30 if size <= 100_000 else 15)
        ms["edit"] /= EDITS
        row(f"{size:,}", f"{group.people:,}", *(f"{value:.3g}" for value in ms.values()))
        group.ms = ms

    print()
    row("id", "what", "measured", "target", "moonshot")
    row("---", "---", "---:", "---:", "---:")
    if 1_000_000 in groups:
        ms = groups[1_000_000].ms
        row(
            "B1",
            "top 10 of 10⁶ windows / np.sort(2n) as shipped",
            f"{ms['whole'] / ms['sort']:.2f}",
            0.5,
            0.25,
        )
        row("B1'", "the same / np.bincount(2n)", f"{ms['whole'] / ms['bincount']:.1f}", 25, 8)
    for size in (100_000, 1_000_000):
        if size in groups:
            row(
                "B2",
                f"packed, {size:,} / np.sort(2n)",
                f"{groups[size].ms['packed'] / groups[size].ms['sort']:.2f}",
                2.2,
                1.2,
            )
    if 1_000_000 in groups:
        row(
            "B3",
            "whole call / edit of all times of one person, 10⁶",
            f"{ms['whole'] / ms['edit']:.0f}",
            40,
            150,
        )
        row("B4", "near misses, 10⁶ / whole call", f"{ms['near'] / ms['whole']:.2f}", 1.5, 1.0)
    row("B5", "whole call, 10³, ms", f"{groups[1_000].ms['whole']:.3f}", 0.5, 0.15)
    whole, staged = pairs_by_bare_scipy(200, np.random.default_rng(7))
    row("B6", "one-on-ones of 200 people / linear_sum_assignment", f"{whole:.2f}", 4, 1.5)
    row("", "the same in stages", f"{staged:.1f}", "-", "-")
    if 1_000_000 in groups:
        row(
            "B12",
            "memory at 10⁶, bytes per window",
            f"{memory_per_window(groups[1_000_000]):.0f}",
            100,
            40,
        )

    print()
    row(
        "product: 1,000 people, 20 windows each, one week",
        "whole call, ms",
        "near misses",
        "everybody by name at every segment",
        "segments",
    )
    row("---", *["---:"] * 4)
    for name, step in (("on quarters of an hour", 15), ("on any minute", 1)):
        week = Week(step, np.random.default_rng(7))
        free, first = week.windows(), week.profile().first
        runners = {
            "whole": week.best,
            "near": week.near_misses,
            "names": lambda free=free, first=first: engine.preferences(free, first, DURATION),
        }
        row(name, *(f"{value:.3g}" for value in race(runners, 30).values()), f"{len(first):,}")

    print()
    row(
        "times as long as the engine",
        "pure Python, exact, without levels",
        "Python, 15-minute cells",
        "intervaltree",
    )
    row("---", *["---:"] * 3)
    for size in (100, 1_000, 10_000):
        group = groups[size]
        exact = engine.best(group.profile(), rule=WITHOUT_LEVELS, apart=0)
        assert [slot.start for slot in exact] == [tick for *_, tick in python_sweep(group)]
        peers = {
            "engine": group.best,
            "sweep": lambda group=group: python_sweep(group),
            "grid": lambda group=group: grid(group),
        }
        if size <= 1_000:
            peers["tree"] = lambda group=group: tree(group)
        ms = race(peers, 5)
        row(
            f"{size:,} windows",
            *(
                f"{ms[peer] / ms['engine']:.1f} x" if peer in ms else "-"
                for peer in ("sweep", "grid", "tree")
            ),
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
