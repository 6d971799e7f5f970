"""What an operator installs: the product with what it needs, and nothing for development."""

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def python() -> str:
    """Install requirements/base.txt apart, and return the path of its Python."""
    home, uv = ROOT / ".venv-bench" / "installed", ROOT / ".tools/bin/uv"
    program = home / "bin/python"
    subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, home], check=True)
    options = ["-q", "--compile-bytecode", "--require-hashes", "--python", program]
    subprocess.run([uv, "pip", "sync", *options, ROOT / "requirements/base.txt"], check=True)
    return str(program)
