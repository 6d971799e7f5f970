"""Measure how fast the engine finds common time.

It prints Markdown tables beside floors nobody can beat, and beside the ways of others. Everything
runs in one process, in turns, and the fastest of several rounds counts: trust the ratios, not the
times. `python -m bench.engine 100000` measures only sizes up to so many windows.
"""

import itertools
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from unittest import mock

import numpy as np
from lap import lapjvx

from bench import row
from commontime import engine
from commontime.engine import assign, rank, sweep

DURATION = 60
DAY = 24 * 60
EPOCH = 30_000_000
EDITS = 10  # in a row
MILLION = 1_000_000
WITHOUT_LEVELS = (rank.present, rank.attending, rank.preference)


class Group:
    """A random group, half of it required.

    Its windows of 30 to 240 minutes lie within 28 working days, and overlap freely.
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
        """Replace all times of ten people, and rank after each.

        Each of them gets the times of the person before.
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
    """A thousand people with 20 windows each in one week.

    One person's windows do not overlap, some touch, and all eleven preferences occur.
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
    """Return the exact answer without numpy.

    Merge each person's windows for each preference, sort the bounds, walk along them.
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
    starts, present, attending, total = [], 0, 0, 0
    for i, (tick, needed, comes, gain, _) in enumerate(events):
        present, attending, total = present + needed, attending + comes, total + gain
        if i + 1 == len(events) or events[i + 1][0] != tick:
            starts.append((-present, -attending, -total, tick))
    return sorted(starts)[:10]


def grid(group: Group) -> list[tuple[int, int]]:
    """Return the answer as polls and grids compute it.

    For each quarter of an hour, look into everybody's set of free quarters; only whole cells count.
    """
    free: list[set[int]] = [set() for _ in range(group.people)]
    for who, start, end, _ in group.rows:
        free[who].update(range(-(-start // 15), end // 15))
    starts = []
    for cell in range(int(group.start.min()) // 15, int(group.end.max()) // 15):
        wanted = range(cell, cell + DURATION // 15)
        starts.append((-sum(all(slot in mine for slot in wanted) for mine in free), cell))
    return sorted(starts)[:10]


def tree(group: Group) -> list[tuple[int, int]]:
    """Return the answer of an interval tree.

    Ask at every bound who is free. One person's windows must not overlap.
    """
    from intervaltree import IntervalTree

    rows = IntervalTree.from_tuples((start, end, who) for who, start, end, _ in group.rows)
    bounds = {bound for _, start, end, _ in group.rows for bound in (start, end - DURATION)}
    starts = [
        (-len({row.data for row in rows.at(tick) if row.end >= tick + DURATION}), tick)
        for tick in sorted(bounds)
    ]
    return sorted(starts)[:10]


def race(runners: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return each runner's fastest time in so many rounds, in milliseconds.

    Each round runs all of them in turn.
    """
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


def pairs_by_bare_solver(people: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return how many times as long as a bare lapjvx pair_up takes.

    The matrix is included. The first figure is at once, the second in stages.
    """
    wish = rng.choice(
        np.array([-1] * 13 + [2, 5, 5, 6, 8, 9, 10], np.int8), (people, people * 13 // 10)
    )
    ((table, factor),) = assign._stages(*wish.shape)
    worth = assign._worth(wish.astype(np.intp) + 1, table, factor)

    def staged() -> None:
        with mock.patch.object(assign, "EXACT", 2**30):
            engine.pair_up(wish)

    runners = {
        "bare": lambda: lapjvx(-worth, extend_cost=True),
        "whole": lambda: engine.pair_up(wish),
        "staged": staged,
    }
    ms = race(runners, 20)
    return ms["whole"] / ms["bare"], ms["staged"] / ms["bare"]


# The tables ---------------------------------------------------------------------------------------


def print_machine() -> None:
    features = np._core._multiarray_umath.__cpu_features__
    names = ("AVX2", "X86_V3", "X86_V4", "AVX512_ICL")
    print(
        f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, "
        f"numpy {np.__version__},"
    )
    print("numpy dispatch:", " ".join(n for n in names if features.get(n)) or "baseline")
    print("disabled:", os.environ.get("NPY_DISABLE_CPU_FEATURES") or "nothing", "\n")


def print_sizes(groups: dict[int, Group]) -> dict[int, dict[str, float]]:
    """Print what each size takes; return the milliseconds of each size."""
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
    times = {}
    for size, group in groups.items():
        times[size] = ms = time_group(
            group, 200 if size <= 10_000 else 30 if size <= 100_000 else 15
        )
        row(f"{size:,}", f"{group.people:,}", *(f"{value:.3g}" for value in ms.values()))
    return times


def time_group(group: Group, rounds: int) -> dict[str, float]:
    free = group.windows()
    group.open()
    runners = {
        "whole": group.best,
        "profile": lambda: engine.profile(free, DURATION, **group.bounds),
        "edit": group.edit,
        "packed": group.best_packed,
        "near": group.near_misses,
        "sort": group.sort,
        "bincount": group.count,
    }
    ms = race(runners, rounds)
    ms["edit"] /= EDITS
    return ms


def print_targets(groups: dict[int, Group], times: dict[int, dict[str, float]]) -> None:
    """Print the targets; those about a million windows only if that was measured."""
    row("id", "what", "measured", "target", "moonshot")
    row("---", "---", "---:", "---:", "---:")
    ms = times.get(MILLION)
    if ms:
        ratio = f"{ms['whole'] / ms['sort']:.2f}"
        row("B1", "top 10 of 10⁶ windows / np.sort(2n) as shipped", ratio, 0.5, 0.25)
        row("B1'", "the same / np.bincount(2n)", f"{ms['whole'] / ms['bincount']:.1f}", 25, 8)
    for size in (100_000, MILLION):
        if size in times:
            ratio = f"{times[size]['packed'] / times[size]['sort']:.2f}"
            row("B2", f"packed, {size:,} / np.sort(2n)", ratio, 2.2, 1.2)
    if ms:
        what = "whole call / edit of all times of one person, 10⁶"
        row("B3", what, f"{ms['whole'] / ms['edit']:.0f}", 40, 150)
        row("B4", "near misses, 10⁶ / whole call", f"{ms['near'] / ms['whole']:.2f}", 1.5, 1.0)
    row("B5", "whole call, 10³, ms", f"{times[1_000]['whole']:.3f}", 0.5, 0.15)
    whole, staged = pairs_by_bare_solver(200, np.random.default_rng(7))
    row("B6", "one-on-ones of 200 people / lapjvx", f"{whole:.2f}", 4, 1.5)
    row("", "the same in stages", f"{staged:.1f}", "-", "-")
    if ms:
        per_window = f"{memory_per_window(groups[MILLION]):.0f}"
        row("B12", "memory at 10⁶, bytes per window", per_window, 100, 40)


def print_product() -> None:
    """Print what a calendar of the product's largest size takes."""
    what = "product: 1,000 people, 20 windows each, one week"
    row(what, "whole call, ms", "near misses", "everybody by name at every segment", "segments")
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


def print_peers(groups: dict[int, Group]) -> None:
    """Print how many times as long others' ways take. The exact one must agree with the engine."""
    what = "times as long as the engine"
    row(what, "pure Python, exact, without levels", "Python, 15-minute cells", "intervaltree")
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
        ratios = {peer: f"{took / ms['engine']:.1f} x" for peer, took in ms.items()}
        row(f"{size:,} windows", *(ratios.get(peer, "-") for peer in ("sweep", "grid", "tree")))


def main(largest: int) -> None:
    print_machine()
    rng = np.random.default_rng(7)
    sizes = ((100, 10), (1_000, 20), (10_000, 50), (100_000, 100), (MILLION, 100))
    groups = {size: Group(size, rng, each) for size, each in sizes if size <= largest}
    times = print_sizes(groups)
    print()
    print_targets(groups, times)
    print()
    print_product()
    print()
    print_peers(groups)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
