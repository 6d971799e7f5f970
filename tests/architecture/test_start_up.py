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
    "highspy",
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


def test_a_process_starts_without_scipy_and_solvers(tmp_path):
    loaded = loaded_after(START, tmp_path)

    assert {
        "django",
        "numpy",
        "rest_framework",
    } <= loaded  # planning needs numpy; and the measure sees what is there
    assert loaded & NOT_AT_START == set()


def test_the_measure_sees_what_a_start_loads_too_early(tmp_path):
    loaded = loaded_after(f"{START}; import icalendar", tmp_path)

    assert loaded & NOT_AT_START == {"icalendar"}


def test_only_planning_and_the_engine_count_with_numpy_and_only_the_engine_solves():
    graph = grimp.build_graph("commontime", include_external_packages=True, cache_dir=None)

    counting = (
        graph.find_modules_that_directly_import("numpy") if "numpy" in graph.modules else set()
    )
    solving = {
        importer
        for name in ("scipy", "highspy", "ortools")
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
