"""An insecure start is refused, and the sentence says what to set (case CR-13)."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from stage.servers import PATIENCE

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
    monkeypatch.setenv("COMMONTIME_WARNED", "")
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
def test_open_to_the_network_the_address_that_people_use_must_be_set(start, host):
    assert "so set COMMONTIME_BASE_URL too" in refusal(start, COMMONTIME_HOST=host)

    settings = start(COMMONTIME_HOST=host, COMMONTIME_BASE_URL="https://plan.example.org")

    assert settings["PUBLIC"]
    assert "plan.example.org" in settings["ALLOWED_HOSTS"]
    assert "*" not in settings["ALLOWED_HOSTS"]


@pytest.mark.parametrize("host", OPEN)
def test_a_container_had_to_be_given_a_secret(start, tmp_path, host):
    """It generates one, as on this machine alone. It differs from every other's."""
    there = {"COMMONTIME_HOST": host, "COMMONTIME_BASE_URL": "https://plan.example.org"}

    secret = start(**there)["SECRET_KEY"]

    assert len(secret) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert start(**there)["SECRET_KEY"] == secret
    (tmp_path / "secret_key").chmod(0o644)
    assert "chmod 600" in refusal(start, **there)


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
        ({"COMMONTIME_BASE_URL": "http://plan.example.org"}, "must start with https://"),
        ({"COMMONTIME_BASE_URL": "http://93.184.215.14:8000"}, "must start with https://"),
        ({"COMMONTIME_BASE_URL": "http://lan.example.org"}, "must start with https://"),
        ({"COMMONTIME_BASE_URL": "http://[2606:4700::1]"}, "must start with https://"),
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
def test_its_own_secret_that_others_can_read_or_write_is_refused(start, tmp_path, mode):
    path = tmp_path / "secret_key"
    path.write_text(SECRET)
    path.chmod(0o600)
    assert start()["SECRET_KEY"] == SECRET

    path.chmod(mode)

    assert f"chmod 600 {path}" in refusal(start)


@pytest.mark.parametrize("mode", [0o444, 0o644, 0o440])
def test_a_mounted_secret_was_refused_for_its_mode(start, tmp_path, mode, capsys):
    """Swarm and Kubernetes mount secrets that everybody in the container can read."""
    path = tmp_path / "mounted"
    path.write_text(f"{SECRET}\n")
    path.chmod(mode)

    assert start(COMMONTIME_SECRET_KEY_FILE=str(path))["SECRET_KEY"] == SECRET
    start(COMMONTIME_SECRET_KEY_FILE=str(path))

    assert capsys.readouterr().err == (
        f"Warning: COMMONTIME_SECRET_KEY_FILE is {path}, which other users of this machine can "
        "read.\n"
    )


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("DATABASE_URL", "postgresql://sam:p%40ss@db:5432/plan", "DATABASE_URL"),
        ("COMMONTIME_SMTP_URL", "smtps://sam:secret@mail.example.org", "SMTP_URL"),
    ],
)
def test_an_address_with_a_password_had_no_file(start, tmp_path, variable, value, setting):
    path = tmp_path / "mounted"
    path.write_text(f"{value}\n")
    path.chmod(0o600)

    assert start(**{f"{variable}_FILE": str(path)})[setting] == value
    assert (
        start(**{f"{variable}_FILE": str(path), variable: value.replace("sam", "x")})[setting]
        != value
    )
    path.unlink()
    assert str(path) in refusal(start, **{f"{variable}_FILE": str(path)})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "192.168.1.4"])
@pytest.mark.parametrize(
    "address",
    [
        "http://nas.lan:8000",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://192.168.1.4:8000",
        "http://10.3.2.1",
        "http://[fd00::7]:8000",
        "http://pi.local",
        "http://choir.home.arpa",
        "http://server",
    ],
)
def test_a_home_network_or_a_container_was_refused(start, host, address):
    settings = start(**{**SAFE, "COMMONTIME_HOST": host, "COMMONTIME_BASE_URL": address})

    assert settings["COMMONTIME_BASE_URL"] == address
    assert not settings["SESSION_COOKIE_SECURE"]


def test_plain_http_in_a_network_is_warned_of(start, capsys):
    start()
    start(COMMONTIME_HOST="0.0.0.0", COMMONTIME_BASE_URL="http://localhost:8000")
    assert capsys.readouterr().err == ""

    start(COMMONTIME_BASE_URL="http://nas.lan:8000")

    assert "others in this network can read what people send" in capsys.readouterr().err


def test_on_the_internet_plain_http_is_refused_behind_a_loopback_address_too(start):
    assert "must start with https://" in refusal(
        start, COMMONTIME_BASE_URL="http://plan.example.org"
    )


@pytest.mark.parametrize(
    "proxies", ["caddy", "nonsense", "127.0.0.1,", "172.18.0.0/99", "10.0.0.0/8,proxy", "0.0.0.0/0"]
)
def test_a_proxy_that_is_no_address_was_ignored(start, proxies):
    if proxies.endswith(","):
        assert start(COMMONTIME_TRUSTED_PROXIES=proxies)["TRUSTED_PROXIES"] == ["127.0.0.1/32"]
    else:
        assert "COMMONTIME_TRUSTED_PROXIES names" in refusal(
            start, COMMONTIME_TRUSTED_PROXIES=proxies
        )


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
    assert not there["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert not there["SECURE_HSTS_PRELOAD"]


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
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(
        "Commontime does not start: COMMONTIME_HOST=0.0.0.0 is open to the network, so set "
    )
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.sqlite3"))
