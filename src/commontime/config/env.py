"""Typed readers for environment variables.

Each reader records its variable in `READ`. A test compares docs/settings.md with it.
"""

import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    default: str
    purpose: str


READ: dict[str, Variable] = {}


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
    return path


def names(name: str, default: Sequence[str] = (), *, purpose: str) -> list[str]:
    """Return the parts of a comma-separated list, stripped."""
    raw = text(name, ",".join(default), purpose=purpose)
    return [part.strip() for part in raw.split(",") if part.strip()]


def secret(name: str, *, keep_in: Path | None = None, purpose: str) -> str:
    """Return a secret: from the variable, a file, or generated.

    The file is the one that `<name>_FILE` names. A generated secret is kept in `keep_in`. Refuses a
    file that other users of the machine can read.
    """
    value = text(name, purpose=purpose)
    secret_file = text(
        f"{name}_FILE", purpose=f"A file that holds {name}, for example a mounted secret."
    )
    if value:
        return value
    if secret_file:
        return _read_private(Path(secret_file))
    if keep_in is None:
        return ""
    if not keep_in.exists():
        _generate(keep_in)
    return _read_private(keep_in)


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


def _read_private(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ImproperlyConfigured(
                f"{path} can be read by other users of this machine; run: chmod 600 {path}"
            )
        value = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret in {path} cannot be read: {error.strerror}."
        ) from None
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"The secret in {path} is shorter than 32 characters; put a longer random text there."
        )
    return value
