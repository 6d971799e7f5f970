"""A setting that can't work is refused before anything starts, with a sentence."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commontime.mail.addresses import address_in

ROOT = Path(__file__).parents[2]


def start(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "COMMONTIME_DATA_DIR": str(folder), **environment}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ("help", "migrate"))],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variable", "value", "way_out"),
    [
        ("PORT", "eight", "set it to a whole number, for example 8000"),
        ("PORT", "0", "set it to 1 or more"),
        ("PORT", "65536", "set it to 65535 or less"),
        ("COMMONTIME_LOG_LEVEL", "loud", "set it to DEBUG, INFO, WARNING or ERROR"),
        ("COMMONTIME_LOG_FORMAT", "xml", "set it to text or json"),
        ("COMMONTIME_METRICS_TOKEN", "too short", "must have at least 16 characters"),
        ("COMMONTIME_DATA_DIR", "/dev/null/here", "set it to a folder Commontime can write to"),
        ("DATABASE_URL", "mysql://db/commontime", "must start with postgresql:// or sqlite:///"),
        ("COMMONTIME_BASE_URL", "commontime.example.org", "must look like https://"),
        ("COMMONTIME_BASE_URL", "https://‑ü.example", "must look like https://"),
        ("COMMONTIME_SIGN_UP", "half", "set it to open, invited or closed"),
        ("COMMONTIME_SIGN_UP_DOMAINS", "*.example.org", "for example example.org"),
        ("COMMONTIME_SIGN_UP_DOMAINS", "example.org ü.example", "write domains separated"),
        ("COMMONTIME_SMTP_URL", "mail.example.org", "must look like smtp://"),
        ("COMMONTIME_MAIL_FROM", "Commontime", "set it to one email address"),
    ],
)
def test_it_is_refused_with_the_way_out(tmp_path, variable, value, way_out):
    done = start(tmp_path, **{variable: value})

    assert done.returncode == 1
    assert done.stderr.startswith(f"Commontime does not start: {variable}")
    assert way_out in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_with_an_ipv6_host_no_meeting_could_be_mailed(tmp_path):
    """The default sender was no address, and every calendar invitation names it."""
    done = start(tmp_path, "settings", "--markdown", COMMONTIME_BASE_URL="http://[::1]:8000")

    (row,) = [line for line in done.stdout.splitlines() if "COMMONTIME_MAIL_FROM" in line]
    assert address_in(row.split("`")[3]) == "commontime@localhost"


def test_the_data_folder_it_makes_is_closed_to_others(tmp_path):
    done = start(tmp_path / "new" / "data")

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_an_address_with_umlauts_left_mails_in_the_queue(tmp_path):
    """Their Message-ID could not be written."""
    shown = "from django.conf import settings; print(settings.COMMONTIME_BASE_URL)"

    done = start(tmp_path, "shell", "-c", shown, COMMONTIME_BASE_URL="https://Müller.example:8443")

    assert done.stdout.splitlines()[-1] == "https://xn--mller-kva.example:8443", done.stderr
