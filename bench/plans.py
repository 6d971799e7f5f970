"""Measure how fast the engine plans many meetings, and proves the plan.

It prints a Markdown table. A plan is compared with the linear relaxation of the same matrix, in the
same process, because no proof by linear programming takes less than that relaxation. CP-SAT gets
the same columns and rows in a process of its own. `.venv/bin/python -m bench.plans [--quick]`
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench import ROOT
from commontime import engine
from commontime.engine import columns, joint, programme, solver
from commontime.engine.meetings import apart

CPSAT = ROOT / ".venv-bench" / "bin" / "python"
DAY, QUARTER, DAYS, QUARTERS = 24 * 60, 15, 10, 32
PREFERENCES = (-1, 2, 5, 9)  # of the levels 0..3
LIMIT = 120.0  # seconds
# The prototype's weights of priority, optional, -if_need_be, -works (Value.key), and answers.
SCORE = np.array([50, 0, 2, 1, 3])


@dataclass(frozen=True)
class Instance:
    """Random meetings within ten days of eight hours, on quarters of an hour.

    Each has 2 to 5 required and up to 3 optional people.
    """

    count: int
    people: int
    seed: int

    @cached_property
    def problem(self) -> tuple[engine.Windows, list[engine.Meeting]]:
        rng = np.random.default_rng(self.seed)
        rows = [row for person in range(self.people) for row in self._days(person, rng)]
        meetings = [self._meeting(rng) for _ in range(self.count)]
        return engine.windows(rows, self.people), meetings

    def _days(self, person: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
        """Return a person's windows, in alternating levels of 2 to 8 quarters."""
        rows = []
        for day in range(DAYS):
            at = 0
            while at < QUARTERS:
                length = int(rng.integers(2, 9))
                level = int(rng.choice([0, 1, 2, 3], p=[0.35, 0.15, 0.25, 0.25]))
                until = min(QUARTERS, at + length)
                if level:
                    start, end = (day * DAY + quarter * QUARTER for quarter in (at, until))
                    rows.append((person, start, end, PREFERENCES[level]))
                at += length
        return rows

    def _meeting(self, rng: np.random.Generator) -> engine.Meeting:
        needed = int(rng.choice([2, 3, 4, 5], p=[0.5, 0.25, 0.15, 0.1]))
        extra = int(rng.integers(0, 4))
        who = rng.permutation(self.people)[: needed + extra].tolist()
        duration = int(rng.choice([2, 4, 6], p=[0.5, 0.4, 0.1]))
        earliest = int(rng.integers(0, DAYS // 3))
        latest_end = DAYS - int(rng.integers(0, DAYS // 3))
        buffer = int(rng.choice([0, 1], p=[0.7, 0.3]))
        return engine.Meeting(
            duration=duration * QUARTER,
            required=tuple(who[:needed]),
            optional=tuple(who[needed:]),
            earliest=earliest * DAY,
            latest_end=latest_end * DAY,
            buffer=buffer * QUARTER,
        )

    @property
    def name(self) -> str:
        return f"{self.count} meetings, {self.people} people, seed {self.seed}"

    def plan(self, seconds: float = LIMIT) -> engine.Plan:
        free, meetings = self.problem
        return engine.plan(free, meetings, seconds=seconds)

    @cached_property
    def model(self) -> tuple[programme.Programme, Any]:
        """Return the whole programme and its objective.

        If all meetings can be placed, all must be.
        """
        whole, meetings = self.programme()
        if self.plan().value.priority == len(meetings):
            whole, _ = self.programme(placed=True)
        low, high = solver.count_ranges(whole)
        counts = solver.phases(low, high)[0]
        weights = solver.weights_of([high[count] - low[count] + 1 for count in counts])
        return whole, whole.gain[:, counts] @ weights

    def programme(
        self, *, placed: bool = False
    ) -> tuple[programme.Programme, list[engine.Meeting]]:
        """Return the whole programme, and the meetings in it. placed: all must have a place."""
        free, meetings = self.problem
        options = columns.columns(free, meetings, QUARTER, apart(meetings))
        possible = [number for number, option in enumerate(options) if len(option)]
        meetings = [meetings[number] for number in possible]
        options = [options[number] for number in possible]
        must = [placed] * len(possible)
        return programme.programme(meetings, options, apart(meetings), placed=must), meetings

    def score_gap(self, plan: engine.Plan) -> float:
        """Return the plan's distance from the linear bound, in the sum the prototype maximised.

        That sum is 50 for each meeting, and 1 to 3 for each answer. It is not what plans maximise,
        so the best plan may have a gap.
        """
        whole, meetings = self.programme()
        required = np.array([len(meeting.required) for meeting in meetings])
        answers = np.where(whole.seat < 0, required[whole.meeting], 1)
        objective = SCORE @ np.vstack([whole.gain.T[:4], answers])
        bound = solver.relax(whole, objective, time.monotonic() + LIMIT).limit
        score = SCORE @ [*plan.value.key[:4], sum(map(len, plan.attends))]
        return float(1 - score / bound)

    def relax(self) -> object:
        whole, objective = self.model
        return solver.relax(whole, objective, time.monotonic() + LIMIT)

    def for_cpsat(self, seconds: float) -> dict[str, Any]:
        whole, objective = self.model
        kinds: dict[str, list[list[int]]] = {"exactly": [], "at_most": [], "implies": []}
        bounds = zip(whole.lower.tolist(), whole.upper.tolist(), strict=True)
        for number, (lower, upper) in enumerate(bounds):
            entries = slice(*whole.matrix.start[number : number + 2].tolist())
            row = whole.matrix.index[entries].tolist()
            sign = whole.matrix.value[entries].tolist()
            if upper == 0:
                kinds["implies"].append([row[sign.index(1.0)], row[sign.index(-1.0)]])
            else:
                kinds["exactly" if lower == 1 else "at_most"].append(row)
        return {"objective": objective.tolist(), "seconds": seconds, **kinds}


def clock(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = run()
    return time.perf_counter() - began, answer


def race(runners: dict[str, Callable[[], Any]], rounds: int) -> dict[str, tuple[float, Any]]:
    """Return each runner's fastest seconds in so many rounds, and its answer.

    Each round runs all of them in turn.
    """
    fastest: dict[str, tuple[float, Any]] = {}
    for _ in range(rounds):
        for name, run in runners.items():
            took, answer = clock(run)
            if name not in fastest or took < fastest[name][0]:
                fastest[name] = took, answer
    return fastest


def solve_with_cpsat(instance: Instance, seconds: float) -> dict[str, Any]:
    question = json.dumps(instance.for_cpsat(seconds))
    command = [CPSAT, ROOT / "bench" / "cpsat.py"]
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def data() -> Path | None:
    """Return the folder of published instances: `shared/data` beside the project, if it is there.

    They are not kept in the project.
    """
    places = (parent / "shared" / "data" for parent in ROOT.parents)
    return next((place for place in places if place.is_dir()), None)


def csplib(case: dict[str, Any]) -> tuple[engine.Windows, list[engine.Meeting], list[list[int]]]:
    """Return an instance of CSPLib prob046.

    Meetings take one tick, agents attend several, and there are journeys between any two.
    """
    agents: dict[int, list[int]] = {}
    for agent, attended in enumerate(case["meet"]):
        for number in attended:
            agents.setdefault(number, []).append(agent)
    rows = [(agent, 0, case["D"], 5) for agent in range(case["agents"])]
    meetings = [
        engine.Meeting(
            duration=1,
            required=tuple(agents[number]),
            earliest=0,
            latest_end=case["D"],
            place=number,
        )
        for number in range(case["n"])
        if number in agents
    ]
    return engine.windows(rows, case["agents"]), meetings, case["dist"]


def verdicts(place: Path) -> tuple[int, int, float]:
    """Return how many published verdicts the engine proves too, of how many, and the seconds."""
    right, took = 0, 0.0
    cases = json.loads((place / "csplib-prob046" / "instances.json").read_text())
    for case in cases:
        free, meetings, travel = csplib(case)
        count = len(meetings)

        def is_decided(plan: engine.Plan, count: int = count) -> bool:
            return plan.value.priority == count or plan.bound.priority < count

        began = time.perf_counter()
        with mock.patch.object(joint, "REPORT_EVERY", 0.02):
            plan = engine.plan(
                free, meetings, align=1, seconds=30, travel=travel, on_progress=is_decided
            )
        took += time.perf_counter() - began
        is_feasible = plan.value.priority == count
        right += is_feasible if case["feasible"] else plan.bound.priority < count
    return right, len(cases), took


# The table ----------------------------------------------------------------------------------------

PROVED = (
    ("B7", Instance(50, 25, 5), 20, 4),
    ("B7", Instance(50, 30, 109), 8, 4),
    ("B7", Instance(100, 60, 11), 7, 4),
    ("B8", Instance(200, 100, 11), 8, 2),
)
TIGHT = Instance(200, 60, 11)
BIG = Instance(200, 100, 11)
FOR_CPSAT = (Instance(50, 25, 5), Instance(100, 60, 11), BIG)


def row(*cells: object) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def proofs(quick: bool) -> dict[Instance, float]:
    """Print B7 and B8, and return the seconds that each plan took."""
    seconds: dict[Instance, float] = {}
    for name, instance, target, moonshot in PROVED[:3] if quick else PROVED:
        _ = instance.model
        best = race({"relaxed": instance.relax, "plan": instance.plan}, 1 if quick else 3)
        (relaxed, _), (took, plan) = best["relaxed"], best["plan"]
        seconds[instance] = took
        ratio = f"{took / relaxed:.1f} x" if plan.proved else "not proved"
        what = f"proof / linear relaxation: {instance.name}"
        row(name, what, ratio, target, moonshot, f"{took:.2f} of {relaxed:.2f}")
    return seconds


def gap() -> None:
    """Print B9."""
    took, plan = clock(lambda: TIGHT.plan(10))
    what = f"gap after 10 s in the first count that differs: {TIGHT.name}"
    row("B9", what, f"{100 * plan.gap:.2f} %", "0.5 %", "0.1 %", f"{took:.2f}")
    row("", f"its value is {tuple(plan.value)}, its bound {tuple(plan.bound)}", "", "", "", "")
    what = "the same in the sum that the target was measured in"
    row("", what, f"{100 * TIGHT.score_gap(plan):.2f} %", "0.5 %", "0.1 %", "")


def against_cpsat(quick: bool, seconds: dict[Instance, float]) -> None:
    """Print B10."""
    if not CPSAT.exists():
        what = "CP-SAT is missing: `make bench` puts requirements/bench.txt into .venv-bench"
        row("B10", what, "-", 2, 10, "-")
        return
    for instance in FOR_CPSAT[: 1 if quick else 3]:
        answer = solve_with_cpsat(instance, LIMIT)
        at_least = "" if answer["proved"] else "> "
        ratio = f"{at_least}{answer['seconds'] / seconds[instance]:.1f} x"
        what = f"CP-SAT, 8 workers / ours: {instance.name}"
        row("B10", what, ratio, 2, 10, f"{answer['seconds']:.2f}")


def published() -> None:
    """Print B11."""
    if place := data():
        right, cases, took = verdicts(place)
        what = "verdicts of CSPLib prob046, with journeys"
        row("B11", what, f"{right} of {cases}", "in 5 s", "in 1 s", f"{took:.2f}")
    else:
        what = "CSPLib prob046 is missing: shared/data beside the project"
        row("B11", what, "-", "in 5 s", "in 1 s", "-")


def first_answer() -> None:
    """Print B13."""
    _ = BIG.problem
    took = race({"first": lambda: BIG.plan(0)}, 5)["first"][0]
    row("B13", f"first answer, s: {BIG.name}", f"{took:.3f}", 0.2, 0.02, f"{took:.3f}")


def main(quick: bool = False) -> None:
    load, python = os.getloadavg()[0], sys.version.split()[0]
    print(f"load {load:.2f}, {os.cpu_count()} CPUs, Python {python}\n")
    Instance(5, 8, 1).plan()  # the first takes longer
    row("id", "what", "measured", "target", "moonshot", "seconds")
    row("---", "---", "---:", "---:", "---:", "---:")
    seconds = proofs(quick)
    if not quick:
        gap()
    against_cpsat(quick, seconds)
    published()
    first_answer()


if __name__ == "__main__":
    main("--quick" in sys.argv)
