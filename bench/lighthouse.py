"""Print Lighthouse's scores of the pages, on a phone and a desktop.

`python -m bench.lighthouse [page …]` looks at the demo's pages as its conductor sees them, and at
R16's calendar of 1,000 people. It needs Chromium and Lighthouse, and installs neither. Lighthouse
measures how long scripts and layout take, so other programs here may lower the first figure, and
nothing raises it: the best of three looks counts.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.http import data
from bench.http.pages import Browser, unpacked
from commontime.jobs.management.commands._choir import PASSWORD
from stage.servers import Site, open_site, wait_until

MISSING = """Lighthouse is missing. Install it outside of any project, and say where:
    npm install --prefix ~/lighthouse lighthouse
    LIGHTHOUSE=~/lighthouse/node_modules/.bin/lighthouse .venv/bin/python -m bench.lighthouse"""
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAST = 95
LOOKS = 3
SCREENS = {"phone": (), "desk": ("--preset=desktop",)}


def program() -> str:
    path = shutil.which(os.environ.get("LIGHTHOUSE") or "lighthouse")
    return path or sys.exit(MISSING)


def look(lighthouse: str, url: str, cookie: str, options: tuple[str, ...]) -> dict[str, Any] | None:
    """Return Lighthouse's report of one look at a page.

    None if it lost its browser, as happens on a busy machine.
    """
    headers = json.dumps({"Cookie": cookie}) if cookie else "{}"
    chromium = {"CHROME_PATH": os.environ.get("CHROME_PATH") or shutil.which("chromium") or ""}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "report.json")
        command = [
            lighthouse,
            url,
            "--quiet",
            "--output=json",
            f"--output-path={output}",
            f"--only-categories={','.join(CATEGORIES)}",
        ]
        command += [
            f"--extra-headers={headers}",
            "--chrome-flags=--headless=new --no-sandbox",
            *options,
        ]
        if subprocess.run(
            command, env={**os.environ, **chromium}, check=False, timeout=180
        ).returncode:
            return None
        report: dict[str, Any] = json.loads(output.read_text())
    return None if report.get("runtimeError") else report


def scores(report: dict[str, Any]) -> list[int]:
    if report["finalDisplayedUrl"] != report["requestedUrl"]:
        raise RuntimeError(f"{report['requestedUrl']} led to {report['finalDisplayedUrl']}")
    return [round(100 * report["categories"][name]["score"]) for name in CATEGORIES]


def best_look(lighthouse: str, url: str, cookie: str, options: tuple[str, ...]) -> dict[str, Any]:
    reports: list[dict[str, Any]] = []
    for _ in range(LOOKS):
        if (report := look(lighthouse, url, cookie, options)) is not None:
            reports.append(report)
            if min(scores(report)) == 100:
                break
    if not reports:
        raise RuntimeError(f"Lighthouse could not look at {url}")
    return max(reports, key=scores)


def short_of(report: dict[str, Any]) -> list[str]:
    """Return the audits that cost points, by category."""
    faults = []
    for name in CATEGORIES:
        for part in report["categories"][name]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                faults.append(f"{name}: {audit['title']} {audit.get('displayValue', '')}".strip())
    return faults


@contextmanager
def choir() -> Iterator[tuple[Site, dict[str, tuple[str, str]]]]:
    """Open a site with the demo. Yield it, and the address and cookie of its pages."""
    with open_site(COMMONTIME_SMTP_URL="", server="", start=False) as site:
        site.manage("demo")
        site.start("web", "planner")
        conductor = site.caller().sign_in("ingrid", PASSWORD)
        calendars = {
            calendar["name"]: f"/calendars/{calendar['id']}/"
            for calendar in conductor.get("/calendars/").data
        }
        concert, lessons = calendars["Summer concert"], calendars["Singing lessons"]
        meetings = {
            meeting["title"]: meeting["id"] for meeting in conductor.get(f"{concert}meetings/").data
        }
        conductor.post(f"{lessons}plan/", {"seconds": 10})
        browser = Browser("127.0.0.1", site.port)
        browser.sign_in("ingrid", PASSWORD)
        signed_in = browser.cookie
        plan = f"/app{lessons}plan/"
        wait_until(lambda: 'name="pin"' in unpacked(*browser.ask("GET", plan)))
        pages = {
            "first page": ("/", ""),
            "sign in": ("/app/sign-in/", ""),
            "home": ("/app/", signed_in),
            "new calendar": ("/app/calendars/new/", signed_in),
            "calendar": (f"/app{concert}", signed_in),
            "meeting": (f"/app{concert}meetings/{meetings['Dress rehearsal']}/", signed_in),
            "plan": (plan, signed_in),
            "people": ("/app/people/", signed_in),
            "settings": ("/app/settings/", signed_in),
        }
        yield site, pages


@contextmanager
def crowd() -> Iterator[tuple[Site, dict[str, tuple[str, str]]]]:
    """Open a site with calendars of up to 1,000 people. Yield it, and the page of the largest."""
    with open_site(COMMONTIME_SMTP_URL="", server="", start=False) as site:
        settings = {**site.environment, "DJANGO_SETTINGS_MODULE": "commontime.config.settings"}
        filled = subprocess.run(
            [sys.executable, "-m", "bench.http.data"],
            cwd=ROOT,
            env=settings,
            stdout=subprocess.PIPE,
            check=True,
        )
        made = json.loads(filled.stdout.splitlines()[-1])
        site.start("web")
        browser = Browser("127.0.0.1", site.port)
        browser.sign_in(made["owner"])
        path = (
            f"/app/calendars/{made['calendars'][str(max(data.SIZES))]}/?from={made['monday'][:10]}"
        )
        yield site, {"calendar of 1,000": (path, browser.cookie)}


def main(wanted: list[str]) -> None:
    lighthouse = program()
    print(f"| page | screen | {' | '.join(CATEGORIES)} |\n|---|---|{'---:|' * len(CATEGORIES)}")
    short: list[str] = []
    for place in (choir, crowd):
        with place() as (site, pages):
            for name, (path, cookie) in pages.items():
                if wanted and name not in wanted:
                    continue
                for screen, options in SCREENS.items():
                    best = best_look(lighthouse, f"{site.url}{path}", cookie, options)
                    print(
                        f"| {name} | {screen} | {' | '.join(map(str, scores(best)))} |", flush=True
                    )
                    if min(scores(best)) < LEAST:
                        short += [f"{name}, {screen}: {fault}" for fault in short_of(best)]
    if short:
        sys.exit(f"\nBelow {LEAST}:\n" + "\n".join(short))


if __name__ == "__main__":
    main(sys.argv[1:])
