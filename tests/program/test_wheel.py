"""The wheel, installed alone: everything is in it, and people can use it.

It is built from the files that git knows, as a release is.
"""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commontime import __version__
from stage.ports import free_port
from stage.servers import PATIENCE, ROOT, Site, fresh_database, wait_until
from stage.sink import Sink
from tests.test_tour import clean_environment, copy_tracked_files

pytestmark = pytest.mark.processes
NOT_CODE = {".html", ".txt", ".css", ".js", ".svg", ".mo", ".sql"}
DOCKER = {"Dockerfile", "compose.yml", "compose.caddy.yml", "compose.postgresql.yml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    copy_tracked_files(folder)
    command = [sys.executable, "-m", "hatchling", "build"]
    subprocess.run(command, cwd=folder, env=clean_environment(), check=True, capture_output=True)
    dist = folder / "dist"
    assert {path.suffix for path in dist.iterdir()} == {".whl", ".gz"}
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory) -> Path:
    """The program `commontime` in an environment of its own.

    It borrows the packages that the tests run with, but none of the sources.
    """
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    site_packages = next(home.glob("lib/python*/site-packages"))
    borrowed = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    (site_packages / "borrowed.pth").write_text(f"{borrowed}\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    script = home / "bin" / "commontime"
    script.write_text(f"#!{home}/bin/python\nfrom commontime.program.cli import main\nmain()\n")
    script.chmod(0o755)
    return script


def test_the_wheel_holds_everything_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "src/commontime"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name.removeprefix("src/") for name in tracked} <= names
    assert {Path(name).suffix for name in names} >= NOT_CODE
    others = {name for name in names if not name.startswith("commontime/")}
    shared = {name.rpartition("/")[2] for name in others if ".data/data/share/" in name}
    assert shared == {path.name for path in (ROOT / "deploy").iterdir() if path.name not in DOCKER}
    assert all(".dist-info/" in name or ".data/data/share/" in name for name in others)
    assert any(name.endswith("licenses/LICENSE") for name in others)


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"commontime-{__version__}.dist-info/METADATA").decode()

    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    # Without a bound uv took 3.15 on a machine without Python, and found no wheel of highspy.
    tested = (ROOT / ".python-version").read_text().strip()
    assert f"\nRequires-Python: <3.{int(tested[2:]) + 1},>={tested}\n" in metadata
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert metadata.count("\nRequires-Dist: ") == len(wanted)


class Installed(Site):
    """A site whose processes are those of the installed program, far from the sources."""

    def __init__(self, program: Path, *args: Any) -> None:
        super().__init__(*args)
        self.program = [str(program)]
        self.home = self.folder
        del self.environment["PYTHONPATH"]
        self.environment["XDG_DATA_HOME"] = self.environment.pop("COMMONTIME_DATA_DIR")

    def command(self, name: str) -> list[str]:
        return [name]


@pytest.fixture
def site(program, tmp_path) -> Iterator[Installed]:
    sink = Sink()
    sink.start()
    with fresh_database(tmp_path, os.environ.get("DATABASE_URL", "")) as url:
        running = Installed(program, tmp_path, url, sink, {})
        try:
            running.start("run")
            yield running
        finally:
            running.close()
            sink.stop()


def test_people_plan_a_meeting_with_the_installed_program(site, tmp_path):
    mina, sam = site.person("mina"), site.person("sam")
    calendar = mina.post("/calendars/", {"name": "Choir"}).data["id"]
    path = f"/calendars/{calendar}/"
    assert mina.post(f"{path}participants/", {"user": sam.id}).status_code == 201
    window = {"start_time": "2031-05-06T09:00:00Z", "end_time": "2031-05-06T11:00:00Z"}
    for person in (mina, sam):
        assert person.post(f"{path}nonbusytimes/", window).status_code == 201
    made = mina.post(f"{path}meetings/", {"deadline": "2031-05-01T09:00:00Z"})

    fixed = mina.put(f"{path}meetings/{made.data['id']}/", {"final_time": window["start_time"]})

    assert fixed.status_code == 200
    wait_until(lambda: {"mina@example.org", "sam@example.org"} <= set(site.sink.recipients))
    page = site.caller(accept_language="de").get("/app/sign-in/")
    assert "Anmelden" in page.text
    for style in re.findall(r'href="(/static/[^"]+)"', page.text):
        assert site.caller().get(style).status_code == 200
    if not site.is_postgresql:
        assert (tmp_path / "commontime" / "commontime.sqlite3").exists()


def test_uvx_serves_the_first_page(wheel, tmp_path):
    """With the locked packages, so that a new release of one can't fail this."""
    port = free_port()
    command = [ROOT / ".tools/bin/uvx", "--python", sys.executable, "--from", wheel]
    command += ["--constraints", ROOT / "requirements/base.txt", "commontime", "run"]
    environment = clean_environment(
        PORT=str(port), XDG_DATA_HOME=str(tmp_path), PYTHONDONTWRITEBYTECODE="yes"
    )

    def first_page() -> str:
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text
        except httpx.TransportError:
            return ""

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        assert "<title>Commontime</title>" in wait_until(first_page)
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert (tmp_path / "commontime" / "commontime.sqlite3").exists()
