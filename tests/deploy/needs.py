"""Programs of Debian that these tests need. CI has them all; elsewhere a test is left out."""

import os
import shutil
from typing import NoReturn

import pytest


def need(program: str, package: str) -> str:
    """Return the program's path. Without it the test is left out, and fails in CI."""
    path = shutil.which(program)
    if path is None:
        lack(f"{program} is missing (Debian: apt-get install {package}).")
    return path


def lack(reason: str) -> NoReturn:
    assert not os.environ.get("CI"), f"{reason} CI must be able to do this (see .ci/run)."
    pytest.skip(reason)  # never in CI: the line above fails there
