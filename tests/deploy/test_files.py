"""The Dockerfile, the unit and what they install, as far as a look at the files can tell."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stage.container import instructions
from stage.servers import ROOT
from tests.deploy.needs import need

DEPLOY = ROOT / "deploy"
UV = ROOT / ".tools/bin/uv"
# 0.0 is closed, 10.0 is open. What is left: the network, and the machine's own file system.
EXPOSURE = 1.2


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).parent / "hadolint"

    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_every_package_of_the_image_is_checked_by_its_hash():
    runs = [
        rest for word, rest in instructions((DEPLOY / "Dockerfile").read_text()) if word == "RUN"
    ]

    for install in re.findall(r"pip install [^&]+", " && ".join(runs)):
        assert "--require-hashes" in install or install.split()[-2:] == [
            "--no-deps",
            "/opt/commontime/*.whl",
        ]


def test_the_image_gets_no_more_than_it_copies():
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    copies = [
        rest.split()[:-1]
        for word, rest in instructions((DEPLOY / "Dockerfile").read_text())
        if word == "COPY" and not rest.startswith("--from")
    ]

    assert "*" in ignore
    assert {source.split("/")[0] for sources in copies for source in sources} == allowed


def test_what_builds_the_wheel_is_what_the_project_asks_for():
    project = (ROOT / "pyproject.toml").read_text()
    written = (ROOT / "requirements/build.in").read_text().splitlines()

    asked = re.search(r'^requires = \["(.+)"\]$', project, re.MULTILINE)
    assert asked is not None
    assert [line for line in written if not line.startswith("#")] == asked[1].split('", "')


@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
@pytest.mark.parametrize("name", ["base.txt", "build.txt"])
def test_every_package_has_a_wheel(tmp_path, platform, name):
    """So a Raspberry Pi installs what a server does, and needs no compiler."""
    command = [UV, "pip", "install", "--dry-run", "--target", tmp_path, "--no-deps"]
    command += ["--python", sys.executable, "--python-platform", platform]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", ROOT / "requirements" / name]
    locked = re.findall(r"^(\S+)==\S+ (?!;)", (ROOT / "requirements" / name).read_text(), re.M)

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert len(locked) > 4
    for package in locked:
        assert f" + {package}==" in done.stderr


def test_systemd_understands_the_unit(tmp_path):
    verify = need("systemd-analyze", "systemd")
    unit = tmp_path / "commontime.service"
    written = (DEPLOY / "commontime.service").read_text()
    unit.write_text(written.replace("/opt/commontime/bin/commontime", sys.executable))

    done = subprocess.run([verify, "verify", unit], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_closed_as_far_as_it_can_be():
    analyze = need("systemd-analyze", "systemd")
    command = [analyze, "security", "--offline=true", "--no-pager", DEPLOY / "commontime.service"]

    done = subprocess.run(command, capture_output=True, text=True)

    found = re.search(r"Overall exposure level for commontime.service: (\S+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= EXPOSURE, done.stdout
