"""`commontime check`. Django has a command of that name, for programmers."""

import sys
from typing import Any

from commontime.jobs import checks
from commontime.jobs.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Checks a running Commontime: settings, database, migrations, mail server, base URL, "
        "proxy, clock, disk space and worker. Prints a line for each. The exit code is 1 if "
        "something is wrong."
    )
    examples = ("check",)
    needs_tables = False

    def handle(self, *args: Any, **options: Any) -> None:
        wrong: set[str] = set()
        for name, check in checks.CHECKS.items():
            if wrong & checks.NEEDED_BY.get(name, set()):
                self.stdout.write(f"{'?':<6} {name}: not checked")
                continue
            try:
                said, word = check(), "ok"
            except checks.Wrong as problem:
                said, word = str(problem), "WRONG"
                wrong.add(name)
            self.stdout.write(f"{word:<6} {name}: {said}")
        if wrong:
            sys.exit(1)
