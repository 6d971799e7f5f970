"""README as a stranger follows it: what git would give them, started by `make run`, and the tour
pasted into bash.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from stage.ports import free_port
from stage.servers import PATIENCE, ROOT, fresh_database, wait_until

pytestmark = pytest.mark.processes


@dataclass
class Product:
    """A copy of the tracked files in which `make run` runs."""

    folder: Path
    environment: dict[str, str]
    make: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        with (self.folder / "said.log").open("wb") as log:
            self.make = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def said(self) -> str:
        return (self.folder / "said.log").read_text()

    def answers(self) -> bool:
        assert self.make.poll() is None, self.said
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        return False


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("clone")
    copy_tracked_files(folder)
    with fresh_database(folder, os.environ.get("DATABASE_URL", "")) as url:
        environment = clean_environment(
            DATABASE_URL=url, PORT=str(free_port()), COMMONTIME_DATA_DIR=str(folder / "var")
        )
        product = Product(folder, environment)
        try:
            product.start()
            yield product
        finally:
            for pid in processes_in(folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def copy_tracked_files(folder: Path) -> None:
    """Copy what git knows, with the packages that are installed already: what somebody forgot to
    add is missing there too.
    """
    tracked = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
        .stdout.decode()
        .split("\0")
    )
    for name in filter(None, tracked):
        if (ROOT / name).exists():  # not one that is being deleted
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    borrow_environment(folder)


def borrow_environment(folder: Path) -> None:
    """Let the copy use the packages that are installed, with nothing in it that make would make
    anew: it would do so to the original.
    """
    installed = Path(sys.prefix)
    for own, original in ((folder / ".venv", installed), (folder / ".tools", ROOT / ".tools")):
        own.mkdir()
        for entry in original.iterdir():
            if entry.name in (".stamp", ".made", ".base", ".dev"):
                (own / entry.name).touch()
            else:
                (own / entry.name).symlink_to(entry)
    assert (folder / ".venv" / ".dev").exists(), (
        "Run the tests with `make test`: they need the environment it makes."
    )
    for name in (
        ".python-version",
        "requirements/uv.txt",
        "requirements/base.txt",
        "requirements/dev.txt",
    ):
        os.utime(folder / name, (0, 0))
    for name in (".tools/.stamp", ".venv/.made", ".venv/.base", ".venv/.dev"):
        (folder / name).touch()
    pending = subprocess.run(
        ["make", "--dry-run", "ready"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "uv" not in pending.stdout, pending.stdout


def clean_environment(**changes: str) -> dict[str, str]:
    ours = ("COMMONTIME_", "DJANGO_", "PYTHON", "MAKE", "MFLAGS", "PORT", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        k: v for k, v in changes.items() if v
    }


def processes_in(folder: Path) -> list[int]:
    found = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if cwd.readlink() == folder:
                found.append(int(cwd.parent.name))
    return found


# The tour -----------------------------------------------------------------------------------------


def steps_of(readme: str) -> list[tuple[str, str]]:
    """Return the tour's steps: a block of shell, and the block of text below it that says what one
    should see (if there is one).
    """
    tour = readme.partition("## A five-minute tour")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```(bash|text)\n(.*?)^```$", tour, re.MULTILINE | re.DOTALL)
    steps: list[tuple[str, str]] = []
    for kind, text in blocks:
        if kind == "bash":
            steps.append((text, ""))
        else:
            steps[-1] = (steps[-1][0], text)
    return steps


def pattern_of(shown: str) -> str:
    """Return the pattern of a shown text: `…` is anything on its line, and alone on a line any
    lines.
    """
    lines = [
        ".*" if line == "…" else re.escape(line).replace("…", r"[^\n]*?")
        for line in shown.strip().splitlines()
    ]
    return "\n".join(lines)


def test_the_tour_shows_what_readme_says(product):
    steps = steps_of((product.folder / "README.md").read_text())
    assert len(steps) == 8
    script = "set -eu\n" + "".join(
        f"{shell}\necho '=== end of step {number}'\n" for number, (shell, _) in enumerate(steps)
    )

    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=product.folder,
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    seen = re.split(r"^=== end of step \d+\n", done.stdout, flags=re.MULTILINE)
    for (shell, shown), text in zip(steps, seen, strict=False):
        text = "\n".join(line for line in text.splitlines() if line)
        assert re.fullmatch(pattern_of(shown), text.strip(), re.DOTALL), (
            f"{shell}\nshould show\n{shown}\nbut shows\n{text}"
        )


def test_links_in_mails_lead_to_the_running_product(product):
    mail = next((product.folder / "var" / "mail").glob("*.eml")).read_text().replace("=\n", "")

    assert set(re.findall(r"http://127\.0\.0\.1:\d+", mail)) == {product.url}


def test_a_second_start_on_the_same_port_is_refused(product):
    second = subprocess.run(
        ["make", "run"],
        cwd=product.folder,
        env=product.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode != 0
    assert "Address already in use. Choose another port" in second.stderr
    assert product.answers()


def test_ctrl_c_ends_everything_without_complaint(product):
    assert len(processes_in(product.folder)) == 5  # make, commontime, web, worker, planner

    os.killpg(product.make.pid, signal.SIGINT)  # what a terminal does

    product.make.wait(PATIENCE)
    wait_until(lambda: not processes_in(product.folder))
    complaints = [
        line
        for line in product.said.splitlines()
        if re.search("Traceback|ERROR|Error|Killed", line)
    ]
    assert [line for line in complaints if not line.startswith("make: ***")] == [], product.said


def test_ending_make_ends_everything(product):
    product.start()

    product.make.terminate()  # what a supervisor does: it tells make alone

    product.make.wait(PATIENCE)
    wait_until(lambda: not processes_in(product.folder))


# The documents ------------------------------------------------------------------------------------

DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
SOURCES = [
    str(path)
    for room in ("src", "tests", "bench", "chaos", "stage")
    for path in (ROOT / room).rglob("*.*")
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_file_a_document_names_exists(document):
    text = document.read_text()
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = {
        path.stem for path in (ROOT / "src/commontime/jobs/management/commands").glob("*.py")
    } | {"ox_health"}

    assert set(re.findall(r"(?:`|\$ |= |bin/)make ([a-z]+)", text)) <= targets
    assert set(re.findall(r"manage\.py (\w+)", text)) <= commands
    files = set(re.findall(r"`([\w./-]+\.(?:py|js|css|csv|sql))`", text))
    assert {
        file for file in files if not any(path.endswith(f"/{file}") for path in SOURCES)
    } == set()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(((?!http)[^)]+)\)", text)]
    assert [link for link in links if link and not (document.parent / link).exists()] == []
