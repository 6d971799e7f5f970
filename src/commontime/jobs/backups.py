"""One file with everything: the database, the secret key and the mails kept as files.

It is a tar.gz file. `commontime.json` comes first and says what the rest is.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from commontime import __version__
from commontime.core import clock
from commontime.jobs.databases import done_migrations, has_accounts, known_migrations

FORMAT = 1
ABOUT, DATABASE, SECRET, MAILS = "commontime.json", "database", "secret_key", "mail"
_MAIL = re.compile(r"mail/([0-9a-f]{64}\.eml)")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# All that the product has made, and nothing of an extension: it belongs to the server.
_DROP_ALL = """
DO $$ DECLARE thing record; BEGIN
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP TABLE %s CASCADE', thing.name); END LOOP;
    FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP FUNCTION %s CASCADE', thing.name); END LOOP;
END $$;
"""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself."""

    version: str
    database: str
    made_at: str
    migrations: frozenset[tuple[str, str]]


# Making one ---------------------------------------------------------------------------------------


def make(path: Path) -> int:
    """Write a backup while Commontime may run, and return its size.

    It holds every change that was acknowledged before. The file is there whole or not at all, and
    only its owner can read it.
    """
    if not done_migrations():
        raise CommandError("There is nothing to back up: the database is empty.")
    _refuse_target(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        copy, draft = Path(folder) / DATABASE, Path(folder) / "draft"
        _copy_database(copy)
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                _fill(tar, copy)
            file.flush()
            os.fsync(file.fileno())
        _refuse_target(path)
        draft.rename(path)
    return path.stat().st_size


def _refuse_target(path: Path) -> None:
    if path.is_dir():
        raise CommandError(
            f"{path} is a folder. Name a file in it, for example {path}/backup.tar.gz"
        )
    if path.exists():
        raise CommandError(f"{path} exists already. Choose another name, or remove it first.")
    if not path.parent.is_dir():
        raise CommandError(f"There is no folder {path.parent}.")


def _copy_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        # A reader's snapshot: nobody waits for it.
        try:
            with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as source:
                source.execute("VACUUM INTO ?", [str(copy)])
        except sqlite3.Error as error:
            raise CommandError(f"The database can’t be copied: {error}.") from None
    else:
        options = ["--format=custom", "--no-owner", "--no-acl", "--no-comments", f"--file={copy}"]
        _run("pg_dump", options)


def _fill(tar: tarfile.TarFile, database: Path) -> None:
    about = {
        "format": FORMAT,
        "version": __version__,
        "database": connection.vendor,
        "made_at": clock.now().isoformat(timespec="seconds"),
        "migrations": sorted(done_migrations()),
    }
    _add(tar, ABOUT, json.dumps(about, indent=1).encode())
    tar.add(database, DATABASE, filter=_private)
    _add(tar, SECRET, settings.SECRET_KEY.encode())
    # After the database: so the file of each mail that it calls sent is there.
    for mail in sorted((settings.DATA_DIR / MAILS).glob("*.eml")):
        try:
            tar.add(mail, f"{MAILS}/{mail.name}", filter=_private)
        except FileNotFoundError:
            continue  # cleaned up meanwhile


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(_private(member), file)


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    member.mtime = int(clock.now().timestamp())
    return member


# Putting it back ----------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Unpack a backup into a folder beside the data, or refuse a file that is none."""
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=".restore.") as name:
        folder = Path(name)
        (folder / MAILS).mkdir()
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    _unpack(tar, member, folder)
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is damaged, or no backup"
            raise CommandError(f"{path} can’t be read: {reason}.") from None
        if not all((folder / part).exists() for part in (ABOUT, DATABASE, SECRET)):
            raise CommandError(f"{path} is no backup of Commontime.")
        yield folder


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one member, by a name of ours."""
    content = tar.extractfile(member)
    if content and (member.name in (ABOUT, DATABASE, SECRET) or _MAIL.fullmatch(member.name)):
        with (folder / member.name).open("xb") as file:
            shutil.copyfileobj(content, file)


def about(folder: Path) -> About:
    """Return what the backup says of itself."""
    said = json.loads((folder / ABOUT).read_text())
    migrations = frozenset((app, name) for app, name in said["migrations"])
    return About(said["version"], said["database"], said["made_at"], migrations)


def refuse_unfit(backup: About, *, replace: bool) -> None:
    """Refuse a backup that can't be put into this database."""
    if backup.database != connection.vendor:
        raise CommandError(
            f"The backup is of {NAMES[backup.database]}, and this database is "
            f"{NAMES[connection.vendor]}. Restore it into {NAMES[backup.database]}, then run: "
            "commontime move-to"
        )
    if backup.migrations - known_migrations():
        raise CommandError(
            f"The backup was made by Commontime {backup.version}, which is newer than this one "
            f"({__version__}). Install that version first."
        )
    if has_accounts(connection) and not replace:
        raise CommandError(
            "The database has accounts already. Add --replace to lose all of it, or set another "
            "DATABASE_URL or COMMONTIME_DATA_DIR."
        )


def put_back(folder: Path) -> None:
    """Replace the database in one step, then the mails kept as files and the secret key."""
    if connection.vendor == "sqlite":
        connection.close()
        _put_sqlite_back(folder / DATABASE)
    else:
        _put_postgresql_back(folder)
    kept = settings.DATA_DIR / MAILS
    if kept.exists():
        kept.rename(folder / "replaced")
    (folder / MAILS).rename(kept)
    if not _secret_is_set():
        (folder / SECRET).replace(settings.DATA_DIR / SECRET)


def loses_secret(folder: Path) -> bool:
    """Return whether Commontime goes on with another secret key than the backup's."""
    return _secret_is_set() and (folder / SECRET).read_text() != settings.SECRET_KEY


def _secret_is_set() -> bool:
    names = ("COMMONTIME_SECRET_KEY", "COMMONTIME_SECRET_KEY_FILE")
    return any(settings.ENVIRONMENT[name].is_set for name in names)


def _put_sqlite_back(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as source:
        if source.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise CommandError("The database in the backup is damaged.")
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as target:
            source.backup(target)  # one transaction


def _put_postgresql_back(folder: Path) -> None:
    script = folder / "script.sql"
    options = ["--no-owner", "--no-acl", "--no-comments", f"--file={script}"]
    _do(["pg_restore", *options, str(folder / DATABASE)], {})
    with script.open("rb") as file:
        _run(
            "psql",
            ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-c", _DROP_ALL, "-f", "-"],
            stdin=file,
        )


def _run(program: str, options: Sequence[str], *, stdin: IO[bytes] | None = None) -> None:
    """Run a program of PostgreSQL on the database."""
    client: Any = connection.client
    arguments, environment = client.settings_to_cmd_args_env(connection.settings_dict, options)
    _do([program, *arguments[1:]], environment or {}, stdin=stdin)


def _do(
    command: Sequence[str], environment: Mapping[str, str], *, stdin: IO[bytes] | None = None
) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise CommandError(
            f"The program {command[0]} is missing. Install PostgreSQL’s client programs; on "
            "Debian: apt-get install postgresql-client"
        ) from None
    if done.returncode:
        raise CommandError(f"{command[0]} failed: {done.stderr.strip()[-1000:]}")
