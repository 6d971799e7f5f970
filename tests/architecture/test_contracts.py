"""Import contracts: they hold, and each fails when it is broken on purpose."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent

ROOMS = "Rooms import only the rooms below them"
MIDDLE = "Inside a middle room, each kind of file imports only those before it"
PURE = "The back rooms know no Django"
NO_HTTP = "The middle, mail and core know no REST framework"
ENGINE = "The engine is reached only through calendars.planning"
ICAL = "iCalendar is reached only through exchange modules"
SIX = {ROOMS, MIDDLE, PURE, NO_HTTP, ENGINE, ICAL}


def verdicts(source: Path) -> dict[str, str]:
    """Return what lint-imports says of each contract for the package in `source`, by our own
    configuration.
    """
    command = [
        PROGRAMS / "lint-imports",
        "--no-logo",
        "--no-cache",
        "--config",
        ROOT / "pyproject.toml",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(source)},
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [
        line.rsplit(" ", 1)
        for line in done.stdout.splitlines()
        if line.endswith((" KEPT", " BROKEN"))
    ]
    assert lines, done.stdout + done.stderr
    assert done.returncode == any(verdict == "BROKEN" for _, verdict in lines)
    return dict(lines)


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """The package, copied to where it can be spoiled."""
    source = tmp_path_factory.mktemp("copied") / "src"
    shutil.copytree(
        ROOT / "src" / "commontime",
        source / "commontime",
        ignore=shutil.ignore_patterns("__pycache__", "static", "templates"),
    )
    return source


@pytest.fixture
def spoil(copied) -> Callable[[str, str], Path]:
    """Append a line to a file of the copy, or make it; as it was afterwards."""
    touched: list[tuple[Path, str | None]] = []

    def append(name: str, line: str) -> Path:
        path = copied / "commontime" / name
        touched.append((path, path.read_text() if path.exists() else None))
        path.parent.mkdir(exist_ok=True)
        path.write_text((touched[-1][1] or "") + f"\n{line}\n")
        return copied

    yield append
    for path, text in reversed(touched):
        if text is not None:
            path.write_text(text)
        elif path.name == "__init__.py":
            shutil.rmtree(path.parent)
        else:
            path.unlink()


def test_the_six_contracts_hold():
    assert verdicts(ROOT / "src") == dict.fromkeys(SIX, "KEPT")


@pytest.mark.parametrize(
    ("broken", "name", "line"),
    [
        pytest.param(
            [ROOMS], "core/text.py", "import commontime.accounts.models", id="core knows accounts"
        ),
        pytest.param(
            [ROOMS],
            "accounts/tasks.py",
            "from commontime.contacts import models",
            id="accounts know contacts",
        ),
        pytest.param(
            [ROOMS],
            "calendars/tasks/plans.py",
            "from commontime.config import env",
            id="calendars read the environment",
        ),
        pytest.param(
            [ROOMS], "web/home.py", "from commontime.api import view", id="one door uses another"
        ),
        pytest.param(
            [ROOMS],
            "jobs/tasks.py",
            "def late():\n    from commontime.web import base",
            id="hidden in a function",
        ),
        pytest.param([ROOMS], "cellar/__init__.py", "", id="a room nobody planned"),
        pytest.param(
            [MIDDLE],
            "accounts/rules.py",
            "from commontime.accounts import queries",
            id="a rule asks a query",
        ),
        pytest.param(
            [MIDDLE],
            "calendars/tasks/notices.py",
            "from commontime.calendars.actions import meetings",
            id="a task calls an action",
        ),
        pytest.param(
            [MIDDLE],
            "calendars/planning/groups.py",
            "from commontime.calendars import exchange",
            id="planning knows exchange",
        ),
        pytest.param([MIDDLE], "contacts/helpers.py", "", id="a kind of file nobody planned"),
        pytest.param(
            [PURE],
            "engine/ticks.py",
            "from django.utils import timezone",
            id="the engine knows Django",
        ),
        pytest.param(
            [PURE],
            "layout/lines.py",
            "from django.utils.translation import gettext",
            id="the list form knows a language",
        ),
        # Whoever uses iCalendar would know it then, too.
        pytest.param(
            [PURE, NO_HTTP],
            "ical/lines.py",
            "import rest_framework.fields",
            id="iCalendar knows the REST framework",
        ),
        pytest.param(
            [NO_HTTP],
            "calendars/queries/meetings.py",
            "from rest_framework import exceptions",
            id="calendars know HTTP",
        ),
        pytest.param(
            [NO_HTTP],
            "accounts/actions/names.py",
            "import jwt",
            id="accounts know tokens",
        ),
        pytest.param(
            [ENGINE],
            "api/meetings.py",
            "from commontime import engine",
            id="a door asks the engine",
        ),
        pytest.param(
            [ENGINE],
            "calendars/queries/meetings.py",
            "from commontime.engine.rank import best",
            id="a query asks the engine",
        ),
        pytest.param([ICAL], "mail/mime.py", "import commontime.ical", id="mail writes iCalendar"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(spoil, broken, name, line):
    source = spoil(name, line)

    verdict_of = verdicts(source)

    assert {contract for contract, verdict in verdict_of.items() if verdict == "BROKEN"} == set(
        broken
    )


# What ruff keeps ----------------------------------------------------------------------------------


def complaints(name: str, line: str) -> str:
    """Return what ruff says of a file with this line, by our own configuration."""
    command = [
        PROGRAMS / "ruff",
        "check",
        "--select",
        "TID251",
        "--output-format",
        "concise",
        "--stdin-filename",
        ROOT / name,
        "-",
    ]
    return subprocess.run(
        command, cwd=ROOT, input=f"{line}\n", capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize(
    "room", ["accounts", "contacts", "calendars", "mail", "core", "engine", "ical", "jobs"]
)
def test_http_stays_in_the_doors(room):
    banned = (
        "from django.http import HttpResponse\nfrom django.shortcuts import redirect\nimport "
        "django.forms"
    )

    assert complaints(f"src/commontime/{room}/helpers.py", banned).count("TID251") == 3


@pytest.mark.parametrize("room", ["api", "web"])
def test_the_doors_may_use_http(room):
    assert "TID251" not in complaints(
        f"src/commontime/{room}/meetings.py", "from django.http import HttpResponse"
    )


def test_nobody_silences_the_ban():
    silenced = [str(path) for path in (ROOT / "src").rglob("*.py") if "TID251" in path.read_text()]

    assert silenced == []
