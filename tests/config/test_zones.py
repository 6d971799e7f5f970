"""Whose word counts for when clocks change."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

LOOK = """
import zoneinfo
if {by_default}: zoneinfo.reset_tzpath([{folder!r}])  # as on a machine whose files are wrong
from commontime.config import settings
print(zoneinfo.ZoneInfo("Europe/Berlin").utcoffset(__import__("datetime").datetime(2031, 1, 6)))
"""


def offset(folder: Path, *, by_default: bool) -> str:
    environment = {"PYTHONPATH": str(Path("src").resolve()), "COMMONTIME_DATA_DIR": str(folder)} | (
        {} if by_default else {"PYTHONTZPATH": str(folder)}
    )
    code = LOOK.format(folder=str(folder), by_default=by_default)
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_pinned_rules_count_and_not_what_the_machine_has_unless_it_is_named(tmp_path):
    (tmp_path / "Europe").mkdir()
    kathmandu = resources.files("tzdata").joinpath("zoneinfo/Asia/Kathmandu")
    (tmp_path / "Europe" / "Berlin").write_bytes(kathmandu.read_bytes())

    assert offset(tmp_path, by_default=True) == "1:00:00"
    assert offset(tmp_path, by_default=False) == "5:45:00"
