"""docs/settings.md lists every variable the product reads, with its default and purpose, and
nothing else.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> list[str]:
    """The rows `commontime settings --markdown` prints where nothing is set."""
    environment = {
        "PATH": os.environ["PATH"],
        "COMMONTIME_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "PYTHONPATH": "src",
    }
    command = [sys.executable, "-m", "commontime.program.cli", "settings", "--markdown"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return rows_of(done.stdout)


def rows_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| `")]


def test_the_document_is_the_table_the_code_prints(described):
    written = rows_of((ROOT / "docs" / "settings.md").read_text())

    assert sorted(written) == sorted(described), (
        "Run: commontime settings --markdown, and put its table into docs/settings.md."
    )


def test_every_row_says_what_the_variable_is_for(described):
    assert len(described) > 20
    for row in described:
        name, default, purpose = (cell.strip() for cell in row.strip("|").split("|"))
        assert re.fullmatch(r"`(COMMONTIME_[A-Z_]+|DATABASE_URL(_FILE)?|PORT|PYTHONTZPATH)`", name)
        assert default == "none" or default.startswith("`")
        assert purpose.endswith("."), row


def test_no_variable_is_read_behind_the_readers():
    """Whoever asks os.environ elsewhere has a setting nobody can find.

    Handing all of it on to another program is no asking.
    """
    asking = re.compile(r"(?<!\*\*)os\.environ(?!\.setdefault)|getenv")

    found = [path.name for path in (ROOT / "src").rglob("*.py") if asking.search(path.read_text())]

    assert found == ["env.py"]
