"""Run the suite on SQLite and on a PostgreSQL server of its own, and check the coverage.

`python tests/both_databases.py [pytest arguments]`. It prints which databases the suite ran on. If
PostgreSQL can't be started, that is a failure in CI and a loud line elsewhere.

Coverage is measured on SQLite alone: measuring costs time, and only PostgreSQL reaches little.
Lines count, branches don't: counting branches makes the tests take 44 % more CPU.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from stage.postgres import NoPostgres, postgres  # noqa: E402 (the path comes first)

LEAST_COVERAGE = 95
# Workers and how they share the files, as in `make test`. A third of the tests waits for processes
# and browsers, so there are more workers than a small machine has cores.
PARALLEL = ["@tests/parallel.txt"]
# These know no database, or look at pages in a browser, so once is enough.
ONCE = (
    "tests/api/test_docs_page.py",
    "tests/architecture",
    "tests/bench",
    "tests/chaos",
    "tests/config/test_bodies.py",
    "tests/config/test_logs_keep_secrets.py",
    "tests/config/test_outages.py",
    "tests/config/test_unusable_settings.py",
    "tests/config/test_zones.py",
    "tests/core/test_cache.py",
    "tests/core/test_clock.py",
    "tests/core/test_text.py",
    "tests/deploy",
    "tests/engine",
    "tests/ical",
    "tests/jobs/test_send_test_mail.py",
    "tests/layout",
    "tests/mail/test_languages.py",
    "tests/mail/test_letters.py",
    "tests/mail/test_mime.py",
    "tests/program/test_help.py",
    "tests/program/test_operations.py",
    "tests/program/test_service.py",
    "tests/program/test_supervisor.py",
    "tests/program/test_wheel.py",
    "tests/security/test_insecure_start.py",
    "tests/web/test_accessibility.py",
    "tests/web/test_assets.py",
    "tests/web/test_behind_tls.py",
    "tests/web/test_compression.py",
    "tests/web/test_contrast.py",
    "tests/web/test_copy_link.py",
    "tests/web/test_journey.py",
    "tests/web/test_languages.py",
    "tests/web/test_list_form.py",
    "tests/web/test_narrow.py",
    "tests/web/test_news.py",
    "tests/web/test_painting.py",
    "tests/web/test_planning.py",
    "tests/web/test_saving.py",
    "tests/web/test_told.py",
)


def main() -> int:
    arguments = sys.argv[1:] or PARALLEL
    ran, failed = [], []
    _run("SQLite", {}, ["--cov", "--cov-report=", *arguments], ran, failed)
    try:
        with postgres() as url:
            rest = [] if sys.argv[1:] else [f"--ignore={folder}" for folder in ONCE]
            print(f"\nOnly on SQLite: {', '.join(ONCE)}", flush=True)
            _run("PostgreSQL", {"DATABASE_URL": url}, [*arguments, *rest], ran, failed)
    except NoPostgres as reason:
        print(f"\n!!!!!! The suite did NOT run on PostgreSQL: {reason}\n", flush=True)
        if os.environ.get("CI"):
            failed.append("PostgreSQL")
    print(f"\n====== The suite ran on: {', '.join(ran)} ======\n", flush=True)
    if failed:
        print(f"====== Failed on: {', '.join(failed)} ======", flush=True)
        return 1
    if not sys.argv[1:]:
        return subprocess.run(
            [sys.executable, "-m", "coverage", "report", f"--fail-under={LEAST_COVERAGE}"],
            cwd=ROOT,
            check=False,
        ).returncode
    return 0


def _run(
    name: str, environment: dict[str, str], arguments: list[str], ran: list[str], failed: list[str]
) -> None:
    print(f"\n====== {name} ======\n", flush=True)
    base = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env={**base, **environment},
        check=False,
    ).returncode:
        failed.append(name)
    ran.append(name)


if __name__ == "__main__":
    sys.exit(main())
