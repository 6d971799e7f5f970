"""An insecure start is refused, and the sentence says what to set (case CR-13)."""

import os
import runpy
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parents[2]
SECRET = "k3q9-" * 10
SAFE = {
    "COMMONTIME_HOST": "0.0.0.0",
    "COMMONTIME_SECRET_KEY": SECRET,
    "COMMONTIME_BASE_URL": "https://plan.example.org",
    "COMMONTIME_ALLOWED_HOSTS": "plan.example.org",
}
OPEN = ["0.0.0.0", "::", "192.0.2.7", "plan.example.org", "127.0.0.1.example.org"]
HERE = ["", "127.0.0.1", "localhost", "::1", "127.8.9.1"]


@pytest.fixture
def start(monkeypatch, tmp_path) -> Any:
    """Read the settings as a process that starts does, in an environment with these variables."""
    for name in [
        name
        for name in os.environ
        if name.startswith("COMMONTIME_") or name in ("DATABASE_URL", "PORT")
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMMONTIME_DATA_DIR", str(tmp_path))

    def read(**environment: str) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return runpy.run_path(str(ROOT / "src/commontime/config/settings.py"))

    return read


def refusal(start: Any, **environment: str) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        start(**environment)
    return str(refused.value)


@pytest.mark.parametrize("host", OPEN)
def test_open_to_the_network_each_missing_variable_is_named(start, host):
    """Every combination of what can be missing."""
    names = ["COMMONTIME_SECRET_KEY", "COMMONTIME_BASE_URL", "COMMONTIME_ALLOWED_HOSTS"]
    for given in product([True, False], repeat=3):
        environment = {"COMMONTIME_HOST": host} | {
            name: SAFE[name] for name, is_given in zip(names, given, strict=True) if is_given
        }
        if all(given):
            assert start(**environment)["PUBLIC"]
            continue
        sentence = refusal(start, **environment)
        assert [name for name in names if name in sentence] == [
            name for name, is_given in zip(names, given, strict=True) if not is_given
        ]


@pytest.mark.parametrize("host", HERE)
def test_on_this_machine_alone_nothing_needs_to_be_set(start, host, tmp_path):
    settings = start(COMMONTIME_HOST=host)

    assert not settings["PUBLIC"]
    assert not settings["DEBUG"]
    assert len(settings["SECRET_KEY"]) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert start()["SECRET_KEY"] == settings["SECRET_KEY"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"COMMONTIME_SECRET_KEY": "short"}, "COMMONTIME_SECRET_KEY"),
        ({"COMMONTIME_SECRET_KEY": " " * 40}, "COMMONTIME_SECRET_KEY"),
        (
            {"COMMONTIME_BASE_URL": "http://plan.example.org"},
            "COMMONTIME_BASE_URL must start with https://",
        ),
        ({"COMMONTIME_BASE_URL": "https://127.0.0.1"}, "COMMONTIME_BASE_URL"),
        ({"COMMONTIME_BASE_URL": "https://localhost:8000"}, "COMMONTIME_BASE_URL"),
        ({"COMMONTIME_BASE_URL": "https://"}, "COMMONTIME_BASE_URL"),
        ({"COMMONTIME_BASE_URL": "ftp://plan.example.org"}, "COMMONTIME_BASE_URL"),
        ({"COMMONTIME_BASE_URL": "https://plan.example.org/path"}, "COMMONTIME_BASE_URL"),
        ({"COMMONTIME_ALLOWED_HOSTS": "*"}, "COMMONTIME_ALLOWED_HOSTS"),
        ({"COMMONTIME_ALLOWED_HOSTS": "plan.example.org,*"}, "COMMONTIME_ALLOWED_HOSTS"),
        ({"COMMONTIME_ALLOWED_HOSTS": " , "}, "COMMONTIME_ALLOWED_HOSTS"),
        ({"COMMONTIME_DEBUG": "yes"}, "COMMONTIME_DEBUG"),
        ({"COMMONTIME_DEBUG": "perhaps"}, "COMMONTIME_DEBUG"),
    ],
)
def test_open_to_the_network_each_weakness_is_refused_by_name(start, change, named):
    assert start(**SAFE)["PUBLIC"]

    assert named in refusal(start, **{**SAFE, **change})


@pytest.mark.parametrize("change", [{"COMMONTIME_DEBUG": "yes"}, {"COMMONTIME_ALLOWED_HOSTS": "*"}])
def test_behind_a_proxy_on_this_machine_others_come_too(start, change):
    [name] = change
    assert start(**change)["DEBUG"] is (name == "COMMONTIME_DEBUG")

    assert name in refusal(start, COMMONTIME_BASE_URL="https://plan.example.org", **change)


def test_a_short_secret_is_refused_on_this_machine_too(start):
    assert "COMMONTIME_SECRET_KEY must have at least 32 characters" in refusal(
        start, COMMONTIME_SECRET_KEY="short"
    )


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o606])
@pytest.mark.parametrize("place", ["COMMONTIME_SECRET_KEY_FILE", "the data folder"])
def test_a_secret_that_others_can_read_or_write_is_refused(start, tmp_path, place, mode):
    path = tmp_path / "secret_key"
    path.write_text(SECRET)
    environment = {} if place == "the data folder" else {"COMMONTIME_SECRET_KEY_FILE": str(path)}
    path.chmod(0o600)
    assert start(**environment)["SECRET_KEY"] == SECRET

    path.chmod(mode)

    assert f"chmod 600 {path}" in refusal(start, **environment)


@pytest.mark.parametrize("content", ["", "short", None])
def test_a_secret_file_without_a_secret_is_refused(start, tmp_path, content):
    path = tmp_path / "mounted"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)

    assert str(path) in refusal(start, COMMONTIME_SECRET_KEY_FILE=str(path))


def test_behind_https_the_cookies_and_the_header_that_keeps_it_are_set(start):
    here, there = start(), start(**SAFE)

    assert (
        here["SESSION_COOKIE_NAME"],
        here["SESSION_COOKIE_SECURE"],
        here["SECURE_HSTS_SECONDS"],
    ) == ("session", False, 0)
    assert there["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert there["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert there["SESSION_COOKIE_SECURE"]
    assert there["CSRF_COOKIE_SECURE"]
    assert there["SECURE_HSTS_SECONDS"] >= 31_536_000


@pytest.mark.processes
def test_a_command_says_it_in_one_sentence_and_starts_nothing(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "COMMONTIME_DATA_DIR": str(tmp_path),
        "COMMONTIME_HOST": "0.0.0.0",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(
        "Commontime does not start: COMMONTIME_HOST=0.0.0.0 is open to the network, so set "
    )
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.sqlite3"))
