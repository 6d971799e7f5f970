"""How fast the engine places many meetings at once, and proves it, beside the least it takes and
beside CP-SAT. Prints a Markdown table.

A plan is compared with scipy's `linprog` of the same matrix, in the same process: no proof by
linear programming takes less than that one relaxation. CP-SAT gets the same columns and rows in a
process of its own. `.venv/bin/python -m bench.plans`
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
from commontime.engine import columns, joint, meetings, programme, solver

CPSAT = ROOT / ".venv-bench" / "bin" / "python"
DAY, QUARTER, DAYS, QUARTERS = 24 * 60, 15, 10, 32
PREFERENCES = (-1, 2, 5, 9)  # of the levels 0..3
LIMIT = 120.0  # seconds
SCORE = np.array(
    [50, 0, 2, 1, 3]
)  # of priority, optional, -if_need_be, -works (Value.key), and of each answer


@dataclass(frozen=True)
class Instance:
    """Random meetings of 2 to 5 required and up to 3 optional people within ten days of eight
    hours, on quarters of an hour.
    """

    count: int
    people: int
    seed: int

    @cached_property
    def posed(self) -> tuple[engine.Windows, list[engine.Meeting]]:
        rng = np.random.default_rng(self.seed)
        rows: list[tuple[int, int, int, int]] = []
        for person in range(self.people):
            for day in range(DAYS):
                at = 0
                while at < QUARTERS:
                    length, level = (
                        int(rng.integers(2, 9)),
                        int(rng.choice([0, 1, 2, 3], p=[0.35, 0.15, 0.25, 0.25])),
                    )
                    until = min(QUARTERS, at + length)
                    if level:
                        rows.append(
                            (
                                person,
                                day * DAY + at * QUARTER,
                                day * DAY + until * QUARTER,
                                PREFERENCES[level],
                            )
                        )
                    at += length
        asked = []
        for _ in range(self.count):
            needed, extra = (
                int(rng.choice([2, 3, 4, 5], p=[0.5, 0.25, 0.15, 0.1])),
                int(rng.integers(0, 4)),
            )
            who = rng.permutation(self.people)[: needed + extra].tolist()
            duration = int(rng.choice([2, 4, 6], p=[0.5, 0.4, 0.1]))
            earliest, latest_end = (
                int(rng.integers(0, DAYS // 3)),
                DAYS - int(rng.integers(0, DAYS // 3)),
            )
            buffer = int(rng.choice([0, 1], p=[0.7, 0.3]))
            asked.append(
                engine.Meeting(
                    duration=duration * QUARTER,
                    required=tuple(who[:needed]),
                    optional=tuple(who[needed:]),
                    earliest=earliest * DAY,
                    latest_end=latest_end * DAY,
                    buffer=buffer * QUARTER,
                )
            )
        return engine.windows(rows, self.people), asked

    @property
    def name(self) -> str:
        return f"{self.count} meetings, {self.people} people, seed {self.seed}"

    def plan(self, seconds: float = LIMIT) -> engine.Plan:
        free, asked = self.posed
        return engine.plan(free, asked, seconds=seconds)

    @cached_property
    def model(self) -> tuple[programme.Programme, Any]:
        """The whole programme, and its objective: all that can be placed must be, if that is
        possible.
        """
        whole, asked = self.programme()
        if self.plan().value.priority == len(asked):
            whole, _ = self.programme(placed=True)
        low, high = solver.count_ranges(whole)
        counts = solver.phases(low, high)[0]
        return whole, whole.gain[:, counts] @ solver.weights_of(
            [high[count] - low[count] + 1 for count in counts]
        )

    def programme(
        self, *, placed: bool = False
    ) -> tuple[programme.Programme, list[engine.Meeting]]:
        """The whole programme and the meetings in it. placed: all of them must be."""
        free, asked = self.posed
        options = columns.columns(free, asked, QUARTER, meetings.apart(asked))
        some = [number for number, option in enumerate(options) if len(option)]
        asked, options = [asked[number] for number in some], [options[number] for number in some]
        return programme.programme(
            asked, options, meetings.apart(asked), placed=[placed] * len(some)
        ), asked

    def score_gap(self, plan: engine.Plan) -> float:
        """How far the plan is from the linear bound in the sum the prototype maximised: 50 for each
        meeting, and 1 to 3 for each answer.

        That sum is another aim than the plan's, so the plan can be best and the gap not 0.
        """
        whole, asked = self.programme()
        required = np.array([len(meeting.required) for meeting in asked])
        answers = np.where(whole.seat < 0, required[whole.meeting], 1)
        bound = solver.relax(
            whole, SCORE @ np.vstack([whole.gain.T[:4], answers]), time.monotonic() + LIMIT
        ).limit
        score = SCORE @ [*plan.value.key[:4], sum(map(len, plan.attends))]
        return float(1 - score / bound)

    def relax(self) -> object:
        whole, objective = self.model
        return solver.relax(whole, objective, time.monotonic() + LIMIT)

    def for_cpsat(self, seconds: float) -> dict[str, Any]:
        whole, objective = self.model
        matrix = whole.matrix
        rows = [
            matrix.indices[a:b].tolist()
            for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
        ]
        signs = [
            matrix.data[a:b].tolist()
            for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
        ]
        kinds: dict[str, list[list[int]]] = {"exactly": [], "at_most": [], "implies": []}
        for row, sign, lower, upper in zip(
            rows, signs, whole.lower.tolist(), whole.upper.tolist(), strict=True
        ):
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
    """The fastest of so many rounds, each running all of them in turn: seconds, and the answer."""
    fastest: dict[str, tuple[float, Any]] = {}
    for _ in range(rounds):
        for name, run in runners.items():
            took, answer = clock(run)
            if name not in fastest or took < fastest[name][0]:
                fastest[name] = took, answer
    return fastest


def solve_with_cpsat(instance: Instance, seconds: float) -> dict[str, Any]:
    asked = json.dumps(instance.for_cpsat(seconds))
    done = subprocess.run(
        [CPSAT, ROOT / "bench" / "cpsat.py"],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def data() -> Path | None:
    """Published instances are read where they lie, and not kept here: `shared/data` beside the
    project.
    """
    return next(
        (place for parent in ROOT.parents if (place := parent / "shared" / "data").is_dir()), None
    )


def csplib(case: dict[str, Any]) -> tuple[engine.Windows, list[engine.Meeting], list[list[int]]]:
    """CSPLib prob046: meetings of one tick, agents who attend several, journeys between any two of
    them.
    """
    agents: dict[int, list[int]] = {}
    for agent, attended in enumerate(case["meet"]):
        for number in attended:
            agents.setdefault(number, []).append(agent)
    free = engine.windows(
        [(agent, 0, case["D"], 5) for agent in range(case["agents"])], case["agents"]
    )
    asked = [
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
    return free, asked, case["dist"]


def verdicts(place: Path) -> tuple[int, int, float]:
    """How many of the published verdicts the engine proves too, of how many, in how many seconds."""
    right, took = 0, 0.0
    cases = json.loads((place / "csplib-prob046" / "instances.json").read_text())
    for case in cases:
        free, asked, travel = csplib(case)
        everything = len(asked)

        def is_known(so_far: engine.Plan, everything: int = everything) -> bool:
            return so_far.value.priority == everything or so_far.bound.priority < everything

        began = time.perf_counter()
        with mock.patch.object(joint, "REPORT_EVERY", 0.02):
            plan = engine.plan(
                free, asked, align=1, seconds=30, travel=travel, on_progress=is_known
            )
        took += time.perf_counter() - began
        right += (
            plan.value.priority == everything
            if case["feasible"]
            else plan.bound.priority < everything
        )
    return right, len(cases), took


def row(*cells: object) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


PROVED = (
    ("B7", Instance(50, 25, 5), 20, 4),
    ("B7", Instance(50, 30, 109), 8, 4),
    ("B7", Instance(100, 60, 11), 7, 4),
    ("B8", Instance(200, 100, 11), 8, 2),
)
TIGHT = Instance(200, 60, 11)


def main(quick: bool = False) -> None:
    print(
        f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}\n"
    )
    Instance(5, 8, 1).plan()  # imports scipy
    row("id", "what", "measured", "target", "moonshot", "seconds")
    row("---", "---", "---:", "---:", "---:", "---:")
    ours: dict[Instance, float] = {}
    for name, instance, target, moonshot in PROVED[:3] if quick else PROVED:
        _ = instance.model
        best = race({"relaxed": instance.relax, "plan": instance.plan}, 1 if quick else 3)
        (relaxed, _), (ours[instance], plan) = best["relaxed"], best["plan"]
        said = f"{ours[instance] / relaxed:.1f} x" if plan.proved else "not proved"
        row(
            name,
            f"proof / `linprog`: {instance.name}",
            said,
            target,
            moonshot,
            f"{ours[instance]:.2f} of {relaxed:.2f}",
        )
    if not quick:
        took, plan = clock(lambda: TIGHT.plan(10))
        row(
            "B9",
            f"gap after 10 s in the first count that differs: {TIGHT.name}",
            f"{100 * plan.gap:.2f} %",
            "0.5 %",
            "0.1 %",
            f"{took:.2f}",
        )
        row("", f"its value is {tuple(plan.value)}, its bound {tuple(plan.bound)}", "", "", "", "")
        row(
            "",
            "the same in the sum that the target was measured in",
            f"{100 * TIGHT.score_gap(plan):.2f} %",
            "0.5 %",
            "0.1 %",
            "",
        )
    if CPSAT.exists():
        for instance in (Instance(50, 25, 5), Instance(100, 60, 11), Instance(200, 100, 11))[
            : 1 if quick else 3
        ]:
            answer = solve_with_cpsat(instance, LIMIT)
            said = f"{'' if answer['proved'] else '> '}{answer['seconds'] / ours[instance]:.1f} x"
            row(
                "B10",
                f"CP-SAT, 8 workers / ours: {instance.name}",
                said,
                2,
                10,
                f"{answer['seconds']:.2f}",
            )
    else:
        row(
            "B10",
            "CP-SAT is missing: `make bench` puts requirements/bench.txt into .venv-bench",
            "-",
            2,
            10,
            "-",
        )
    if place := data():
        right, cases, took = verdicts(place)
        row(
            "B11",
            "verdicts of CSPLib prob046, with journeys",
            f"{right} of {cases}",
            "in 5 s",
            "in 1 s",
            f"{took:.2f}",
        )
    else:
        row(
            "B11",
            "CSPLib prob046 is missing: shared/data beside the project",
            "-",
            "in 5 s",
            "in 1 s",
            "-",
        )
    big = Instance(200, 100, 11)
    _ = big.posed
    took = race({"first": lambda: big.plan(0)}, 5)["first"][0]
    row("B13", f"first answer, s: {big.name}", f"{took:.3f}", 0.2, 0.02, f"{took:.3f}")


if __name__ == "__main__":
    main("--quick" in sys.argv)
