"""Solve the programme of a joint plan with CP-SAT, in a process of its own.

Its library can't share a process with HiGHS's. Runs with .venv-bench
(requirements/bench.txt). It reads JSON: `objective` by variable; rows of variables `exactly` and
`at_most`, in which one is 1; pairs `implies`; `seconds`. It writes JSON: `proved`, `seconds`,
`value`, `bound`.
"""

import json
import sys
import time

from ortools.sat.python import cp_model


def main() -> None:
    question = json.load(sys.stdin)
    model = cp_model.CpModel()
    variables = [model.new_bool_var("") for _ in question["objective"]]
    for row in question["exactly"]:
        model.add_exactly_one(variables[v] for v in row)
    for row in question["at_most"]:
        model.add_at_most_one(variables[v] for v in row)
    for one, other in question["implies"]:
        model.add_implication(variables[one], variables[other])
    model.maximize(
        sum(
            worth * variable
            for worth, variable in zip(question["objective"], variables, strict=True)
        )
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = question["seconds"]
    solver.parameters.num_workers = 8
    began = time.perf_counter()
    status = solver.solve(model)
    has_solution = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    answer = {
        "proved": status == cp_model.OPTIMAL,
        "seconds": time.perf_counter() - began,
        "value": solver.objective_value if has_solution else None,
        "bound": solver.best_objective_bound,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
