#!/usr/bin/env python3
"""Run a command of the product: `python manage.py help` lists them."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.umask(0o077)
    sys.path.insert(0, str(Path(__file__).parent / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commontime.config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        sys.exit(f"Commontime does not start: {refusal}")


if __name__ == "__main__":
    main()
