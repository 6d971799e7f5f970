"""Solve a programme of a joint plan with CP-SAT, in a process of its own: its library can't share
one with scipy's HiGHS.

Runs with .venv-bench (requirements/bench.txt). Reads JSON: `objective` by variable, rows of
variables `exactly` and `at_most` one of which is 1, pairs `implies`, `seconds`. Writes JSON:
`proved`, `seconds`, `value`, `bound`.
"""

import json
import sys
import time

from ortools.sat.python import cp_model


def main() -> None:
    asked = json.load(sys.stdin)
    model = cp_model.CpModel()
    variables = [model.new_bool_var("") for _ in asked["objective"]]
    for row in asked["exactly"]:
        model.add_exactly_one(variables[v] for v in row)
    for row in asked["at_most"]:
        model.add_at_most_one(variables[v] for v in row)
    for one, other in asked["implies"]:
        model.add_implication(variables[one], variables[other])
    model.maximize(
        sum(worth * variable for worth, variable in zip(asked["objective"], variables, strict=True))
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = asked["seconds"]
    solver.parameters.num_workers = 8
    began = time.perf_counter()
    status = solver.solve(model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    answer = {
        "proved": status == cp_model.OPTIMAL,
        "seconds": time.perf_counter() - began,
        "value": solver.objective_value if found else None,
        "bound": solver.best_objective_bound,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
