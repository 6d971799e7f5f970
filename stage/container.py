"""Build a Dockerfile and run its image, without Docker.

This machine's files stand for the base image, below an overlay in memory. Namespaces stand for the
container. Its network has one other host, from which tests reach it. Nothing outside changes, and
all of it is gone with this process. It takes root.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from stage.servers import wait_until

ADDRESS, CLIENT, OTHER_CLIENT = "192.0.2.1", "192.0.2.2", "192.0.2.3"  # RFC 5737
PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
PIP = "#!/usr/local/bin/python\nfrom pip._internal.cli.main import main\nraise SystemExit(main())\n"
# A process tree and mounts of its own. The tree ends with its root.
ALONE = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
# As compose.yml has Docker do it: only the volume and /tmp can be written to, and there are no
# capabilities.
CLOSED = """
mount --bind /data /data
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
user=$1
shift
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all "$@"
"""
JOIN_CGROUP = """
mkdir -p "$1"
echo $$ > "$1/cgroup.procs"
shift
exec "$@"
"""
# systemd makes namespaces too, which a mere chroot would not allow.
BOOT = """
cd "$1"
mkdir -p old
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t tmpfs run run
mount -t tmpfs tmp tmp
pivot_root . old
cd /
umount -l old
exec env -i container=other /lib/systemd/systemd --system --unit="$2"
"""


class NoContainer(Exception):
    """This machine can't stand in for Docker."""


@dataclass
class Image:
    """A root folder, and what the Dockerfile says of it. Only the host sees the folder."""

    root: str
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str = "0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)


class Host:
    """A host with images, and another one on the same wire, where clients are.

    inside, outside: executors whose threads have the network of the one and of the other.
    """

    def __init__(self, folder: Path) -> None:
        if reason := _hindrance():
            raise NoContainer(reason)
        self._folder, self._images = folder, 0
        self._here, self._there = _namespace("--mount", "--net"), _namespace("--net")
        self._do("mount", "-t", "tmpfs", "tmpfs", folder)
        wire = "ip link add wire type veth peer name wire netns"
        self._do(*wire.split(), self._there.pid)
        cgroups = folder / "cgroups"
        self._do("mkdir", cgroups)
        self._do("mount", "-t", "cgroup2", "cgroup2", cgroups)
        self._cgroup = cgroups / f"commontime-{self._here.pid}"
        _connect(self._here.pid, ADDRESS)
        _connect(self._there.pid, CLIENT, OTHER_CLIENT)
        self.inside = ThreadPoolExecutor(20, initializer=partial(_join, self._here.pid))
        self.outside = ThreadPoolExecutor(20, initializer=partial(_join, self._there.pid))

    def close(self) -> None:
        self.inside.shutdown()
        self.outside.shutdown()
        tidy = 'find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true'
        self._do("sh", "-c", tidy, "sh", self._cgroup)
        for process in (self._here, self._there):
            process.communicate()

    def _do(self, *command: object) -> None:
        _do(*_entering(self._here.pid, "--mount", "--net"), *command)

    def files(self, image: Image, path: str = "/") -> Path:
        """Return where this process finds a path of an image."""
        return Path(f"/proc/{self._here.pid}/root{image.root}{path}")

    # Building -------------------------------------------------------------------------------------

    def build(self, dockerfile: Path, context: Path) -> Image:
        """Do what a Dockerfile says, and return the image of its last stage."""
        stages: dict[str, Image] = {}
        image = Image("")
        for word, rest in instructions(dockerfile.read_text()):
            if word == "FROM":
                image = stages[rest.partition(" AS ")[2]] = self._base()
            elif word == "COPY":
                self._copy(image, rest, stages, context)
            elif word == "RUN":
                _do(*self._as_root(image), "sh", "-ec", rest, env=_building())
            elif word == "WORKDIR":
                image.folder = rest
                self.files(image, rest).mkdir(parents=True, exist_ok=True)
            else:
                _note(image, word, rest)
        return image

    def _base(self) -> Image:
        """Return an image of this machine's programs, with Python alone in /usr/local.

        As in the official image, Python has no tests and no compiled files.
        """
        self._images += 1
        place = self._folder / str(self._images)
        image = Image(str(place / "root"))
        self._overlay("/", place / "machine", image.root)
        self._overlay(sys.base_prefix, place / "python", f"{image.root}/usr/local")
        self._do("mount", "--rbind", "/dev", f"{image.root}/dev")
        _empty(self.files(image, "/usr/local"))
        _do(*self._as_root(image), "ldconfig")  # Python finds its library here too
        return image

    def _overlay(self, lower: str, place: Path, at: str) -> None:
        self._do("mkdir", "-p", place / "upper", place / "work", at)
        layers = f"lowerdir={lower},upperdir={place}/upper,workdir={place}/work"
        self._do("mount", "-t", "overlay", "overlay", "-o", layers, at)

    def _copy(self, image: Image, rest: str, stages: dict[str, Image], context: Path) -> None:
        *sources, target = rest.split()
        base = context
        if sources[0].startswith("--from="):
            base = self.files(stages[sources.pop(0).partition("=")[2]])
        folder = self.files(image, os.path.normpath(os.path.join(image.folder, target)))
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            path = base / source.lstrip("/")
            if path.is_dir():
                hidden = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, folder, ignore=hidden, dirs_exist_ok=True)
            else:
                shutil.copy(path, folder)

    def _as_root(self, image: Image, *spaces: str) -> list[str]:
        where = [f"--root={image.root}", f"--wd={image.folder}"]
        return [*_entering(self._here.pid, "--mount", *spaces), "unshare", *where]

    # Running --------------------------------------------------------------------------------------

    def start(
        self,
        image: Image,
        *command: str,
        user: str = "",
        log: Path | None = None,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """Start a command as Docker does with compose.yml: by default the image's own.

        Its process has the number 1.
        """
        user = user or image.user
        environment = {"HOME": "/", **image.environment, **environment}
        command = command or (*image.entrypoint, *image.command)
        variables = [f"{name}={value}" for name, value in environment.items()]
        return _begin(
            [
                *self._as_root(image, "--net"),
                *ALONE,
                *["sh", "-ec", CLOSED, "sh", user, "env", "-i", *variables, *command],
            ],
            log,
        )

    def serve(
        self, image: Image, *command: str, log: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program of the host itself, for example its proxy."""
        return _begin([*self._as_root(image, "--net"), *ALONE, *command], log)

    def boot(self, image: Image, service: str) -> subprocess.Popen[bytes]:
        """Start systemd with a service of /etc/systemd/system, and nothing of this machine."""
        for path in [
            *self.files(image, "/etc/systemd/system").glob("*.wants"),
            *self.files(image, "/lib/systemd/system").glob("*.wants"),
            *self.files(image, "/lib/systemd/system").glob("systemd-remount-fs*"),
            *self.files(image, "/lib/systemd/system").glob("systemd-journald*"),
        ]:
            _remove(path)
        enter = [*_entering(self._here.pid, "--mount", "--net"), "sh", "-ec"]
        script = [*enter, JOIN_CGROUP, "sh", str(self._cgroup), "unshare", *ALONE]
        spaces = ["--cgroup", "--uts", "--ipc"]
        command = [*script, *spaces, "sh", "-ec", BOOT, "sh", image.root, service]
        return _begin(command, Path(os.devnull))

    def system(self, systemd: subprocess.Popen[bytes], *command: str) -> str:
        """Run a command where systemd runs, and return what it prints."""
        pid = _child(systemd)
        enter = _entering(pid, "--mount", "--net", "--pid", f"--root=/proc/{pid}/root", "--wd=/")
        return _do(*enter, *command)


@contextmanager
def open_host(folder: Path) -> Iterator[Host]:
    host = Host(folder)
    try:
        yield host
    finally:
        host.close()


def stop(process: subprocess.Popen[bytes], seconds: float = 15) -> int:
    """Stop what was started as `docker stop` does, and return its exit code."""
    os.kill(_child(process), signal.SIGTERM)
    try:
        return process.wait(seconds)
    finally:
        process.kill()


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions, each as its word and the rest."""
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines())]


def _note(image: Image, word: str, rest: str) -> None:
    if word == "ENV":
        image.environment |= dict(part.split("=", 1) for part in shlex.split(rest))
    elif word == "USER":
        image.user = rest
    elif word == "ENTRYPOINT":
        image.entrypoint = json.loads(rest)
    elif word == "CMD":
        image.command = json.loads(rest)
    elif word == "HEALTHCHECK":
        image.healthcheck = json.loads(rest.partition("CMD ")[2])
    else:
        assert word in {"VOLUME", "EXPOSE", ""}, f"{word} has no meaning here yet."


def _hindrance() -> str:
    """Return why this machine can't stand in for Docker; "" if it can."""
    if not (shutil.which("ip") and shutil.which("setpriv")):
        return "Programs are missing (Debian: apt-get install iproute2 util-linux)."
    if os.geteuid():
        return "Only root may make namespaces."
    if sys.base_prefix in {"/usr", "/usr/local"}:
        return f"Python is in {sys.base_prefix}, among other programs."
    return ""


def _namespace(*kinds: str) -> subprocess.Popen[bytes]:
    """Return a process with namespaces of its own, which ends with this one."""
    process = subprocess.Popen(["unshare", *kinds, "cat"], stdin=subprocess.PIPE)
    wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "cat\n")
    return process


def _building() -> dict[str, str]:
    """Return what packages are found with, and nothing of the Python that runs here."""
    own = ("PYTHON", "VIRTUAL_ENV", "COMMONTIME_")
    rest = {name: each for name, each in os.environ.items() if not name.startswith(own)}
    return {**rest, "PATH": PATH}


def _entering(pid: int, *spaces: str) -> list[str]:
    return ["nsenter", f"--target={pid}", *spaces]


def _connect(pid: int, *addresses: str) -> None:
    lines = [f"ip address add {address}/24 dev wire" for address in addresses]
    script = "\n".join([*lines, "ip link set lo up", "ip link set wire up"])
    _do(*_entering(pid, "--net"), "sh", "-ec", script)


def _join(pid: int) -> None:
    """Give this thread the network of a process."""
    network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        os.setns(network, os.CLONE_NEWNET)
    finally:
        os.close(network)


def _begin(command: list[str], log: Path | None) -> subprocess.Popen[bytes]:
    out = log.open("ab") if log else subprocess.PIPE
    tied = ["setpriv", "--pdeathsig", "KILL", *command]  # it ends with this thread
    return subprocess.Popen(tied, stdout=out, stderr=subprocess.STDOUT)


def _child(process: subprocess.Popen[bytes]) -> int:
    """Return the process with the number 1, as this machine counts."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


def _do(*command: object, env: dict[str, str] | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def _empty(local: Path) -> None:
    """Leave of a Python what the official image has."""
    packages = [*local.glob("lib/python3*/site-packages/*"), *local.glob("bin/*")]
    for path in packages:
        if not re.match(r"python3?(\.\d+)?$|pip", path.name):
            _remove(path)
    for name in ("__pycache__", "test", "tests", "EXTERNALLY-MANAGED"):
        for path in list(local.glob(f"lib/python3*/**/{name}")):
            _remove(path)
    # Its first line names the folder it came from.
    _remove(local / "bin/pip")
    (local / "bin/pip").write_text(PIP)
    (local / "bin/pip").chmod(0o755)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
