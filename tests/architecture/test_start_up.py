"""What a process of the product loads before it does anything, and who may load what counts."""

import os
import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
START = (
    "import django; django.setup(); import commontime.config.wsgi, commontime.config.urls, "
    "commontime.jobs.tasks"
)
# Slow to import, or only for what is rare: loaded when first needed.
NOT_AT_START = {
    "scipy",
    "ortools",
    "pulp",
    "cvxpy",
    "sympy",
    "pandas",
    "networkx",
    "icalendar",
    "prometheus_client",
    "intervaltree",
    "pytest",
    "hypothesis",
}


def loaded_after(statements: str, folder: Path) -> set[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "src",
        "COMMONTIME_DATA_DIR": str(folder),
    }
    environment["DJANGO_SETTINGS_MODULE"] = "commontime.config.settings"
    command = [sys.executable, "-c", f"{statements}; import sys; print(*sys.modules)"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_process_starts_with_its_solvers_and_without_what_is_slow(tmp_path):
    loaded = loaded_after(START, tmp_path)

    # Who forks processes loads the solvers for all of them, so a first plan waits for nothing.
    assert {"django", "numpy", "highspy", "lap", "rest_framework"} <= loaded
    assert loaded & NOT_AT_START == set()


def test_a_backup_beside_the_running_product_loads_no_solvers(tmp_path):
    command = "import commontime.jobs.management.commands.backup"

    loaded = loaded_after(f"import django; django.setup(); {command}", tmp_path)

    assert "django" in loaded
    assert loaded & {"numpy", "highspy", "lap"} == set()


def test_the_measure_sees_what_a_start_loads_too_early(tmp_path):
    loaded = loaded_after(f"{START}; import icalendar", tmp_path)

    assert loaded & NOT_AT_START == {"icalendar"}


FIRST_PLAN = """
import sys
from unittest import mock
from commontime import engine
from commontime.engine.proof import Proof

free = engine.windows([(0, 0, 60, 9), (0, 60, 120, 2)], 1)
hour = engine.Meeting(duration=60, required=(0,), earliest=0, latest_end=120)
before = set(sys.modules)
with mock.patch.object(Proof, "run", autospec=True, side_effect=Proof.run) as proving:
    engine.plan(free, [hour, hour])
assert proving.called
print(*sorted(set(sys.modules) - before))
"""


def test_the_first_plan_of_a_process_loads_nothing():
    """It would take several times as long as the second."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PLAN], cwd="src", capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


def test_only_planning_and_the_engine_count_with_numpy_and_only_the_engine_solves():
    graph = grimp.build_graph("commontime", include_external_packages=True, cache_dir=None)

    counting = (
        graph.find_modules_that_directly_import("numpy") if "numpy" in graph.modules else set()
    )
    solving = {
        importer
        for name in ("scipy", "highspy", "lap", "ortools")
        if name in graph.modules
        for importer in graph.find_modules_that_directly_import(name)
    }

    outside = {
        ".".join(name.split(".")[:3])
        for name in counting
        if not name.startswith("commontime.engine.")
    }
    assert outside == {"commontime.calendars.planning"}
    assert {name for name in solving if not name.startswith("commontime.engine.")} == set()
