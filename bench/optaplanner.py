"""Solve OptaPlanner's meeting scheduling, on its own files, by its own score.

    python -m bench.optaplanner [--data FOLDER] [--seconds N] [--seeds N] [MEETINGS …]

Meetings get a time and a room. Rooms are outside Commontime's model, so this is a solver of its own
and not the engine: a greedy pass, then simulated annealing (Kirkpatrick, Gelatt, Vecchi: Science
220, 1983). Its moves exchange the contents of two windows of time; at last it anneals the best plan
again, cool. Meetings always stay inside a room and a day, so of the hard rules only people's
conflicts are left to solve. The cost of a meeting depends only on those within three grains of it,
so a move takes about a microsecond, compiled by numba. The tests run it uncompiled.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench.optaplanner_score import Instance, Meeting, Score, read, score

try:
    from numba import njit

    COMPILED = True
except ImportError:  # The tests run the same code on small instances without it.
    COMPILED = False

    def njit(function):
        return function


DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "optaplanner-meetingscheduling"
FREE = -1
# Grains to either side in which a meeting can matter: touching, or a change of rooms within two
# grains.
NEAR = 3
TOUCHING = 100
OVERLAPPING = 10
NEVER = 1 << 50
EXCHANGES = 0.4  # of all moves
# The weights of a grain of conflict in the search, and its temperatures. It starts so hot that even
# hard conflicts are free to move.
HARD, MEDIUM, HOT, COLD = 50_000, 2_000, 15_000.0, 2.0
# After this share of the time the best plan is polished, too cool to make harder conflicts.
POLISHED, WARM = 0.6, 400.0
CHUNK = 10_000  # moves at one temperature

Array = np.ndarray[Any, Any]


class Peer(NamedTuple):
    """The best figures known before, and our own budget. seconds: the wall time they took."""

    score: Score
    seconds: str
    budget: float  # CPU seconds


PEERS = {
    50: Peer(Score(0, -174, -8_824), "0.8 to 6", 6),
    100: Peer(Score(0, -82, -23_921), "14", 5),
    200: Peer(Score(0, -161, -74_069), "13", 5),
    400: Peer(Score(0, -117, -231_445), "21", 8),
    800: Peer(Score(0, -191, -735_390), "27", 10),
}


class Facts(NamedTuple):
    """The constants of an instance.

    M meetings, T grains; rooms are numbered by capacity, the largest first.
    """

    duration: Array  # (M,) grains
    fits: Array  # (M,) the meeting may be in the rooms 0 .. fits - 1
    day_end: Array  # (T,) one after the last grain of the grain's day
    smaller: Array  # (R,) soft cost of using this room rather than larger ones
    conflict: Array  # (M, M) cost of each grain in which both take place
    shared: Array  # (M, M) people in both: soft cost if they must change rooms at once


class Plan(NamedTuple):
    """A placement.

    `grid` (R, T + 2 NEAR) holds the meeting in each room and grain, or FREE; a margin of NEAR saves
    checks at its ends.
    """

    start: Array
    room: Array
    grid: Array
    moved: Array  # (3, M) scratch: meeting, start, room


def facts(instance: Instance, *, hard: int, medium: int) -> Facts:
    """Return the constants for the search, with weights for conflicts."""
    required = np.zeros((len(instance.meetings), instance.people), np.int32)
    preferred = required.copy()
    for number, meeting in enumerate(instance.meetings):
        required[number, meeting.required] = 1
        preferred[number, meeting.preferred] = 1
    both_required, shared = required @ required.T, (required + preferred) @ (required + preferred).T
    rooms = np.sort(instance.rooms)[::-1]
    day = np.array(instance.days)
    return Facts(
        duration=np.array([meeting.duration for meeting in instance.meetings]),
        fits=np.array(
            [np.count_nonzero(rooms >= meeting.capacity) for meeting in instance.meetings]
        ),
        day_end=np.searchsorted(day, day, side="right"),
        smaller=np.array([np.maximum(rooms - capacity, 0).sum() for capacity in rooms]),
        conflict=(hard * both_required + medium * (shared - both_required) + OVERLAPPING).astype(
            np.int32
        ),
        shared=shared.astype(np.int16),
    )


@njit
def cost(facts, plan, i, start, room):
    """Return the cost that meeting i adds there. It is not in the grid."""
    end = start + facts.duration[i]
    total = end - 1 + facts.smaller[room]
    for other_room in range(len(plan.grid)):
        grain = start - NEAR
        while grain < end + NEAR:
            j = plan.grid[other_room, grain + NEAR]
            if j == FREE:
                grain += 1
                continue
            other_start = plan.start[j]
            grain = other_start + facts.duration[j]
            together = min(end, grain) - max(start, other_start)
            if together > 0:
                total += together * facts.conflict[i, j]
            elif together == 0:
                total += TOUCHING
            if other_room != room and other_start != start:
                total += facts.shared[i, j]
    return total


@njit
def fill(facts, plan, i, start, room, value):
    for cell in range(start + NEAR, start + NEAR + facts.duration[i]):
        plan.grid[room, cell] = value


@njit
def is_free(facts, plan, i, start, room):
    for cell in range(start + NEAR, start + NEAR + facts.duration[i]):
        if plan.grid[room, cell] != FREE:
            return False
    return True


@njit
def fits(facts, i, start, room):
    return (
        0 <= start < len(facts.day_end)
        and start + facts.duration[i] <= facts.day_end[start]
        and room < facts.fits[i]
    )


@njit
def place(facts, plan, i, start, room):
    fill(facts, plan, i, start, room, i)
    plan.start[i], plan.room[i] = start, room


@njit
def gather(facts, plan, count, room, begin, end, shift, to_room):
    """Add the meetings in a room's window [begin, end) to `moved`, shifted.

    Return the new count, or -1 if it cannot move as a whole.
    """
    grain = begin
    while grain < end:
        i = plan.grid[room, grain + NEAR]
        if i == FREE:
            grain += 1
            continue
        start = plan.start[i]
        grain = start + facts.duration[i]
        if start < begin or grain > end or not fits(facts, i, start + shift, to_room):
            return -1
        plan.moved[0, count], plan.moved[1, count], plan.moved[2, count] = i, start + shift, to_room
        count += 1
    return count


@njit
def move(facts, plan, count, limit):
    """Move the first `count` of `moved`, if that is possible.

    The cost may grow by `limit`. Return the growth, or NEVER.
    """
    growth = 0
    for k in range(count):
        i = plan.moved[0, k]
        fill(facts, plan, i, plan.start[i], plan.room[i], FREE)
        growth -= cost(facts, plan, i, plan.start[i], plan.room[i])
    placed = 0
    while placed < count and growth <= limit:  # From here on it only grows.
        i, start, room = plan.moved[0, placed], plan.moved[1, placed], plan.moved[2, placed]
        if not is_free(facts, plan, i, start, room):
            break
        growth += cost(facts, plan, i, start, room)
        plan.moved[1, placed], plan.moved[2, placed] = plan.start[i], plan.room[i]
        place(facts, plan, i, start, room)
        placed += 1
    if placed == count and growth <= limit:
        return growth
    for k in range(placed):
        i = plan.moved[0, k]
        fill(facts, plan, i, plan.start[i], plan.room[i], FREE)
        plan.start[i], plan.room[i] = plan.moved[1, k], plan.moved[2, k]
    for k in range(count):
        i = plan.moved[0, k]
        place(facts, plan, i, plan.start[i], plan.room[i])
    return NEVER


@njit
def relocate(facts, plan, horizon):
    """Choose a meeting that exchanges its place with others. Return how many would move."""
    i = np.random.randint(len(plan.start))
    start, room, kind = plan.start[i], plan.room[i], np.random.random()
    to_room = room if np.random.random() < 0.4 else np.random.randint(facts.fits[i])
    if kind < 0.4:
        to = start + np.random.randint(-6, 7)
    elif kind < 0.6:
        to = plan.start[np.random.randint(len(plan.start))]
    elif kind < 0.7:
        to = start
    else:
        to = np.random.randint(horizon)
    if (to == start and to_room == room) or not fits(facts, i, to, to_room):
        return 0
    plan.moved[0, 0], plan.moved[1, 0], plan.moved[2, 0] = i, to, to_room
    if to_room == room and abs(to - start) < facts.duration[i]:
        return 1
    return gather(facts, plan, 1, to_room, to, to + facts.duration[i], start - to, room)


@njit
def exchange(facts, plan):
    """Choose two windows of time that exchange their meetings.

    They are equally long or side by side. Return how many would move.
    """
    i, j = np.random.randint(len(plan.start)), np.random.randint(len(plan.start))
    a = plan.start[i]
    if np.random.random() < 0.5:
        length = facts.duration[i] + (1 if np.random.random() < 0.5 else np.random.randint(20))
        a, b = min(a, plan.start[j]), max(a, plan.start[j])
        a_end, b_end = a + length, b + length
    else:
        b = a_end = a + np.random.randint(1, 24)
        b_end = b + (1 if np.random.random() < 0.5 else np.random.randint(1, 20))
    if a_end > b or b_end > len(facts.day_end):
        return 0
    count = 0
    for room in range(len(plan.grid)):
        if count >= 0:
            count = gather(facts, plan, count, room, a, a_end, b_end - a_end, room)
        if count >= 0:
            count = gather(facts, plan, count, room, b, b_end, a - b, room)
    return count


@njit
def anneal(facts, plan, moves, temperature, horizon):
    """Try so many moves. Return how much the cost grew."""
    total = 0
    for _ in range(moves):
        count = (
            exchange(facts, plan)
            if np.random.random() < EXCHANGES
            else relocate(facts, plan, horizon)
        )
        if count > 0:
            growth = move(facts, plan, count, -temperature * np.log(np.random.random()))
            if growth < NEVER:
                total += growth
    return total


@njit
def worth(facts, plan):
    """Return the cost of the plan. It is the sum of what each meeting adds to those before it."""
    total = 0
    for i in range(len(plan.start)):
        fill(facts, plan, i, plan.start[i], plan.room[i], FREE)
        total += cost(facts, plan, i, plan.start[i], plan.room[i])
    for i in range(len(plan.start)):
        fill(facts, plan, i, plan.start[i], plan.room[i], i)
    return total


@njit
def restore(facts, plan, start, room):
    """Restore an earlier plan."""
    for i in range(len(start)):
        fill(facts, plan, i, plan.start[i], plan.room[i], FREE)
    for i in range(len(start)):
        place(facts, plan, i, start[i], room[i])


@njit
def sow(seed):
    np.random.seed(seed)  # numba keeps a state of its own


def greedy(facts: Facts, seed: int) -> Plan:
    """Place each meeting where it costs least.

    Those with the fewest rooms come first, and of these the longest.
    """
    meetings, rooms, grains = len(facts.duration), len(facts.smaller), len(facts.day_end)
    start, room = np.zeros((2, meetings), np.int64)
    plan = Plan(
        start,
        room,
        np.full((rooms, grains + 2 * NEAR), FREE, np.int16),
        np.zeros((3, meetings), np.int64),
    )
    if not insert(
        facts,
        plan,
        np.lexsort((np.random.default_rng(seed).random(meetings), -facts.duration, facts.fits)),
    ):
        raise ValueError("The greedy pass found no room for a meeting.")
    return plan


@njit
def insert(facts, plan, order):
    for i in order:
        least = NEVER
        for start in range(len(facts.day_end)):
            if start > least:
                break
            for room in range(facts.fits[i]):
                if fits(facts, i, start, room) and is_free(facts, plan, i, start, room):
                    price = cost(facts, plan, i, start, room)
                    if price < least:
                        least, best_start, best_room = price, start, room
        if least == NEVER:
            return False
        place(facts, plan, i, best_start, best_room)
    return True


class Result(NamedTuple):
    score: Score  # by the slow scorer
    reached: float | None  # CPU seconds until all parts were as good as the best known
    cpu: float
    wall: float
    moves: int


def solve(instance: Instance, seed: int, seconds: float, known: Score | None = None) -> Result:
    """Anneal for so many CPU seconds.

    The clock says when to cool, so the same seed need not give the same plan again.
    """
    wall, began = time.perf_counter(), time.thread_time()
    search, soft, medium, hard = (
        facts(instance, hard=h, medium=m) for h, m in ((HARD, MEDIUM), (0, 0), (0, 1), (1, 0))
    )
    largest_first = np.argsort(-np.array(instance.rooms), kind="stable")
    best, reached, moves = None, None, 0
    sow(seed)
    plan = greedy(search, seed)
    progress, is_polished = 0.0, False
    while progress < 1:
        if progress < POLISHED:
            temperature = HOT * (COLD / HOT) ** (progress / POLISHED)
        else:
            if not is_polished:
                is_polished = True
                restore(search, plan, best[1], best[2])
            temperature = WARM * (COLD / WARM) ** ((progress - POLISHED) / (1 - POLISHED))
        anneal(search, plan, CHUNK, temperature, (plan.start + search.duration).max())
        moves += CHUNK
        base = worth(soft, plan)
        now = Score(base - worth(hard, plan), base - worth(medium, plan), -base)
        if best is None or now > best[0]:
            best = now, plan.start.copy(), plan.room.copy()
        if (
            known
            and reached is None
            and all(part >= before for part, before in zip(now, known, strict=True))
        ):
            reached = time.thread_time() - began
        progress = (time.thread_time() - began) / seconds
    assert best is not None
    checked = score(instance, best[1].tolist(), largest_first[best[2]].tolist())
    if checked != best[0]:
        raise AssertionError(f"the search believes in {best[0]}, and its plan is worth {checked}")
    return Result(checked, reached, time.thread_time() - began, time.perf_counter() - wall, moves)


def compile_all() -> float:
    """Run everything once on three meetings; return the seconds it took."""
    began = time.perf_counter()
    meetings = tuple(Meeting(length, (0,), (1,), 2) for length in (1, 2, 3))
    solve(Instance((0,) * 20, (4, 2), 2, meetings), seed=0, seconds=0.1)
    return time.perf_counter() - began


def table(data: Path, sizes: list[int], seconds: float | None, seeds: int) -> str:
    """Solve each file with several seeds; return Markdown."""
    lines = [
        f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, "
        f"numpy {np.__version__};",
        f"{seeds} seeds, one thread; compiling took {compile_all():.1f} s, once, and is not "
        "counted.",
        "",
        "| meetings | best seed known before, in s | best seed | median seed | worst seed | as "
        "good after, CPU s | CPU s | wall | moves |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in sizes:
        peer = PEERS[size]
        instance = read(next(data.glob(f"{size}meetings-*.json")))
        runs = [solve(instance, seed, seconds or peer.budget, peer.score) for seed in range(seeds)]
        ranked = sorted((run.score for run in runs), reverse=True)
        reached = [run.reached for run in runs if run.reached is not None]
        time_to = f"{median(reached):.1f} (slowest {max(reached):.1f})" if reached else "never"
        time_to += "" if len(reached) == seeds else f", {len(reached)} of {seeds} seeds"
        row = (
            f"{size} | {peer.score}, {peer.seconds} | {ranked[0]} | {ranked[seeds // 2]} | "
            f"{ranked[-1]} | {time_to}"
        )
        figures = (
            f"{median(run.cpu for run in runs):.1f} | {median(run.wall for run in runs):.1f} "
            f"| {median(run.moves for run in runs):,.0f}"
        )
        lines.append(f"| {row} | {figures} |")
        print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", f"Load when done: {os.getloadavg()[0]:.2f}."]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.optaplanner", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "sizes",
        type=int,
        nargs="*",
        metavar="MEETINGS",
        help="which of the files: 50, 100, 200, 400, 800",
    )
    parser.add_argument(
        "--data", type=Path, default=DATA, help="the folder with the five JSON files"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="CPU seconds for each file and seed, instead of each file's own budget",
    )
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    sizes = [size for size in PEERS if size in options.sizes or not options.sizes]
    missing = [size for size in sizes if not list(options.data.glob(f"{size}meetings-*.json"))]
    if missing:
        print(
            f"OptaPlanner's files are not there. Expected in {options.data} (--data names another "
            "folder):",
            file=sys.stderr,
        )
        print(*(f"  {size}meetings-*.json" for size in missing), sep="\n", file=sys.stderr)
        return 1
    if not COMPILED:
        print(
            "This needs numba: `make bench` installs requirements/bench.txt into .venv-bench.",
            file=sys.stderr,
        )
        return 1
    print(table(options.data, sizes, options.seconds, options.seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
