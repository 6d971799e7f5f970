"""Typed readers for environment variables.

Each reader records its variable in `READ`. A test compares docs/settings.md with it.
"""

import ipaddress
import os
import re
import secrets
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from commontime.core.domains import ascii_domain


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    default: str
    purpose: str

    @property
    def is_set(self) -> bool:
        return is_set(self.name)


DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
PRIVATE_DOMAINS = (".localhost", ".lan", ".local", ".home.arpa")
READ: dict[str, Variable] = {}
_WARNED = "COMMONTIME_WARNED"  # in the environment, which children inherit


def text(name: str, default: str = "", *, purpose: str) -> str:
    """Return the variable's text, stripped. The default if it is unset or blank."""
    READ[name] = Variable(name, default, purpose)
    return os.environ.get(name, "").strip() or default


def is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


def integer(
    name: str, default: int, *, minimum: int = 0, maximum: int | None = None, purpose: str
) -> int:
    raw = text(name, str(default), purpose=purpose)
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is {raw!r}; set it to a whole number, for example {default}."
        ) from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name} is {value}; set it to {minimum} or more.")
    if maximum is not None and value > maximum:
        raise ImproperlyConfigured(f"{name} is {value}; set it to {maximum} or less.")
    return value


def flag(name: str, default: bool, *, purpose: str) -> bool:
    raw = text(name, "yes" if default else "no", purpose=purpose).lower()
    if raw in {"1", "yes", "true", "on"}:
        return True
    if raw in {"0", "no", "false", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {raw!r}; set it to yes or no.")


def choice(name: str, choices: Sequence[str], *, purpose: str) -> str:
    """Return one of these words; the first by default."""
    raw = text(name, choices[0], purpose=purpose).lower()
    if raw not in choices:
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to {listed}.")
    return raw


def domains(name: str, *, purpose: str) -> list[str]:
    """Return the domains of a comma-separated list in ASCII. “@example.org” means example.org."""
    parts = [part.removeprefix("@").lower() for part in names(name, purpose=purpose)]
    try:
        found = [ascii_domain(part) for part in parts]
    except ValueError:
        found = [""]
    if not all(DOMAIN.fullmatch(domain) for domain in found):
        raise ImproperlyConfigured(
            f"{name} is {', '.join(parts)}; write domains separated by commas, for example "
            "example.org,example.net."
        )
    return found


def folder(name: str, default: str, *, purpose: str) -> Path:
    """Return an existing folder. If needed it is created, closed to the machine's other users."""
    path = Path(text(name, default, purpose=purpose)).absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is {path}, which can’t be created ({error.strerror}); set it to a folder "
            "Commontime can write to."
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"{name} is {path}, where user {os.geteuid()} can’t write; set it to a folder of "
            f"Commontime’s own. If that is one, run: chown -R {os.geteuid()} {path}"
        )
    return path


def data_home() -> Path:
    """Return the folder that the system gives programs for their data (XDG)."""
    return Path(os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share").expanduser()


def names(name: str, default: Sequence[str] = (), *, purpose: str) -> list[str]:
    """Return the parts of a comma-separated list, stripped."""
    raw = text(name, ",".join(default), purpose=purpose)
    return [part.strip() for part in raw.split(",") if part.strip()]


def private_text(name: str, *, purpose: str) -> str:
    """Return a text that may hold a password: from the variable, or from the file `<name>_FILE`."""
    return text(name, purpose=purpose) or _from_file(name)


def networks(name: str, *, purpose: str) -> list[str]:
    """Return the IP networks of a comma-separated list. An address is a network of one."""
    return [_network(name, part) for part in names(name, purpose=purpose)]


def _network(name: str, part: str) -> str:
    try:
        network = ipaddress.ip_network(part, strict=False)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} names {part!r}, which is no address or network. Write for example 127.0.0.1 "
            "or 172.18.0.0/16."
        ) from None
    if network.prefixlen == 0:
        raise ImproperlyConfigured(
            f"{name} names {part}, which is everybody; name the proxy’s own address or network."
        )
    return str(network)


def secret(name: str, *, keep_in: Path, purpose: str) -> str:
    """Return the secret of a variable.

    It comes from the variable, from the file `<name>_FILE`, or is generated and kept in `keep_in`.
    Refuses a kept one that other users of the machine can read.
    """
    if given := text(name, purpose=purpose) or _from_file(name, shortest=32):
        return given
    if not keep_in.exists():
        _generate(keep_in)
    if _others_can_read(keep_in):
        raise ImproperlyConfigured(
            f"{keep_in} can be read by other users of this machine; run: chmod 600 {keep_in}"
        )
    return _read(keep_in, shortest=32)


def _from_file(name: str, *, shortest: int = 1) -> str:
    """Return what the file that `<name>_FILE` names holds; "" without one.

    Its mode is the operator's: mounted secrets often have 444.
    """
    path = text(f"{name}_FILE", purpose=f"A file that holds {name}, for example a mounted secret.")
    if not path:
        return ""
    value = _read(Path(path), shortest)
    if _others_can_read(Path(path)):
        warn(f"{name}_FILE is {path}, which other users of this machine can read.")
    return value


def _read(path: Path, shortest: int) -> str:
    try:
        value = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ImproperlyConfigured(f"The secret in {path} cannot be read: {reason}.") from None
    if len(value) < shortest:
        raise ImproperlyConfigured(
            f"The secret in {path} is shorter than {shortest} characters; put a longer one there."
        )
    return value


def _others_can_read(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _generate(path: Path) -> None:
    """Write a new secret to the path, unless another process does so first."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(64))
    try:
        os.link(draft, path)  # atomic: two processes that start together agree on one secret
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# Where the product is reached ---------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_private(host: str) -> bool:
    """Return whether a host name or address is of this machine or a private network.

    Single names and .lan are common at home; .local is RFC 6762, .home.arpa RFC 8375.
    """
    if address := _address(host):
        return address.is_private or address.is_loopback
    return "." not in host or host.endswith(PRIVATE_DOMAINS)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def warn(sentence: str) -> None:
    """Say once at a start what is allowed but risky. Children of this process do not repeat it."""
    if sentence not in os.environ.get(_WARNED, ""):
        os.environ[_WARNED] = f"{os.environ.get(_WARNED, '')}{sentence}\n"
        print(f"Warning: {sentence}", file=sys.stderr, flush=True)
