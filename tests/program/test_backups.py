"""A backup of a running Commontime, and putting it back."""

import fcntl
import json
import stat
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from stage.servers import ROOT, Site, open_site

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site that runs without a mail server, so that mails become files."""
    with open_site(COMMONTIME_SMTP_URL="") as site:
        yield site


@pytest.fixture(scope="module")
def saved(site, tmp_path_factory) -> Path:
    """A backup of Mina with a calendar."""
    site.person("mina").post("/calendars/", {"name": "Choir"})
    path = tmp_path_factory.mktemp("backups") / "first.tar.gz"
    done = site.commontime("backup", str(path))
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def other() -> Iterator[Site]:
    """A new site that is not started."""
    with open_site(start=False, COMMONTIME_SMTP_URL="") as other:
        yield other


def names(site: Site) -> set[str]:
    return {name for (name,) in site.sql("SELECT name FROM calendars_calendar")}


# Backup -------------------------------------------------------------------------------------------


def test_every_write_acknowledged_before_the_backup_is_in_it(site, other, tmp_path):
    """While others go on writing."""
    people = [site.person() for _ in range(3)]
    acknowledged: list[str] = []
    is_over = threading.Event()

    def write(number: int) -> None:
        for count in range(10_000):
            if is_over.is_set():
                return
            name = f"{number}-{count}"
            if people[number].post("/calendars/", {"name": name}).status_code == 201:
                acknowledged.append(name)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        while len(acknowledged) < 30:
            is_over.wait(0.01)
        before = set(acknowledged)
        done = site.commontime("backup", str(tmp_path / "busy.tar.gz"))
        after = set(acknowledged)
    finally:
        is_over.set()
        for writer in writers:
            writer.join()

    assert done.returncode == 0, done.stderr
    assert len(after) > len(before), "Nobody wrote meanwhile."
    restored = other.commontime("restore", str(tmp_path / "busy.tar.gz"))
    assert restored.returncode == 0, restored.stderr
    assert before <= names(other)


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.iterdir()] == ["first.tar.gz"]


def test_a_backup_never_replaces_a_file(site, tmp_path):
    (tmp_path / "mine.tar.gz").write_text("mine")

    done = site.commontime("backup", str(tmp_path / "mine.tar.gz"))

    assert (done.returncode, done.stdout) == (1, "")
    assert "exists already" in done.stderr
    assert (tmp_path / "mine.tar.gz").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("file", "sentence"), [("", "is a folder"), ("nowhere/x.tar.gz", "There is no folder")]
)
def test_a_backup_says_where_it_can_not_be_written(site, tmp_path, file, sentence):
    done = site.commontime("backup", f"{tmp_path}/{file}")

    assert done.returncode == 1
    assert sentence in done.stderr


@pytest.mark.postgresql
def test_a_missing_pg_dump_is_named(site, tmp_path):
    done = site.commontime("backup", str(tmp_path / "x.tar.gz"), PATH=str(tmp_path))

    assert done.returncode == 1
    assert "The program pg_dump is missing." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(site, tmp_path):
    limited = ["sh", "-c", 'ulimit -f 64; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *site.program, "backup", str(tmp_path / "x.tar.gz")],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_older_database_is_saved_and_brought_up_to_date(other, tmp_path):
    """So one can back up after installing a new version, and before its start."""
    other.manage("migrate", "accounts", "0003")

    done = other.commontime("backup", str(tmp_path / "old.tar.gz"))
    assert done.returncode == 0, done.stderr
    done = other.commontime("restore", str(tmp_path / "old.tar.gz"))

    assert done.returncode == 0, done.stderr
    assert "[ ]" not in other.manage("showmigrations")


# Restore ------------------------------------------------------------------------------------------


def test_a_restored_commontime_goes_on_with_sign_ins_and_mails(site, saved, other):
    mina = site.caller()
    mina.name = "mina"
    mina.sign_in()
    (site.folder / "mail").mkdir(exist_ok=True)
    letter = site.folder / "mail" / f"{'a' * 64}.eml"
    letter.write_text("Subject: x\n\nx")
    again = saved.with_name("again.tar.gz")
    assert site.commontime("backup", str(again)).returncode == 0

    done = other.commontime("restore", str(again))
    other.start("web")

    assert done.returncode == 0, done.stderr
    mina.client = other.wire
    assert [calendar["name"] for calendar in mina.get("/calendars/").data] == ["Choir"]
    assert (other.folder / "mail" / letter.name).read_text() == letter.read_text()
    assert mina.post("/calendars/", {"name": "Written after"}).status_code == 201


def test_nothing_is_restored_while_commontime_runs(site, saved):
    before = names(site)

    done = site.commontime("restore", "--replace", str(saved))

    assert done.returncode == 1
    assert "Commontime is running. Stop it first" in done.stderr
    assert names(site) == before


@pytest.mark.postgresql
def test_nothing_is_restored_while_another_machine_is_connected(saved, other):
    with psycopg.connect(other.database_url):
        done = other.commontime("restore", str(saved))

    assert done.returncode == 1
    assert "Stop Commontime first, on every machine" in done.stderr
    assert other.count("auth_user") == 0


def test_accounts_are_replaced_only_when_asked_to(saved, other):
    other.start("web")
    other.person("sam").post("/calendars/", {"name": "Of Sam"})
    other.stop()

    refused = other.commontime("restore", str(saved))
    assert refused.returncode == 1
    assert "Add --replace" in refused.stderr
    assert names(other) == {"Of Sam"}

    done = other.commontime("restore", "--replace", str(saved))
    assert done.returncode == 0, done.stderr
    assert "Choir" in names(other)
    assert "Of Sam" not in names(other)


def test_a_damaged_backup_changes_nothing(saved, other, tmp_path):
    (tmp_path / "half.tar.gz").write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    (tmp_path / "else.tar.gz").write_text("no backup")

    for name in ("half.tar.gz", "else.tar.gz", "absent.tar.gz"):
        done = other.commontime("restore", str(tmp_path / name))
        assert done.returncode == 1
        assert "can’t be read" in done.stderr

    assert not [path for path in other.folder.iterdir() if path.name.startswith(".restore")]
    assert other.count("auth_user") == 0


def changed(saved: Path, target: Path, **changes: object) -> Path:
    """Write the backup anew with another story about itself."""
    with tarfile.open(saved) as source, tarfile.open(target, "w:gz") as tar:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            if member.name == "commontime.json":
                story = target.with_suffix(".json")
                story.write_text(json.dumps({**json.load(content), **changes}))
                tar.add(story, member.name)
            else:
                tar.addfile(member, content)
    return target


def test_a_backup_of_a_newer_version_is_refused(saved, other, tmp_path):
    newer = changed(
        saved, tmp_path / "newer.tar.gz", version="9.1", migrations=[["accounts", "9001_later"]]
    )

    done = other.commontime("restore", str(newer))

    assert done.returncode == 1
    assert "The backup was made by Commontime 9.1, which is newer than this one" in done.stderr
    assert other.count("auth_user") == 0


def test_a_backup_of_the_other_kind_of_database_is_refused(saved, other, tmp_path):
    kind = "sqlite" if other.is_postgresql else "postgresql"

    done = other.commontime("restore", str(changed(saved, tmp_path / "x.tar.gz", database=kind)))

    assert done.returncode == 1
    assert "commontime move-to" in done.stderr


def test_another_secret_key_is_told(saved, other):
    done = other.commontime("restore", str(saved), COMMONTIME_SECRET_KEY="x" * 40)

    assert done.returncode == 0, done.stderr
    assert "everybody must sign in again" in done.stdout


def test_commontime_does_not_start_during_a_restore(other):
    held = other.folder / "running.lock"
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = other.commontime("web")

    assert done.returncode == 1
    assert "`commontime restore` or `move-to` is at work" in done.stderr
