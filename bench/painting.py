"""Measure what a drag over a week's grid costs the browser in each frame.

`python -m bench.painting` needs Chromium. The pointer goes over 7 days × 12 hours and back in
headless Chromium, and each move changes the choice. The figures are CPU time of the main thread,
from the browser's own trace: scripts, style, layout, paint. A busy machine does not raise them.
"""

import json
import math
from itertools import pairwise
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from stage.chromium import MONDAY, Windows, at, in_chromium, saved
from stage.servers import open_site

FRAME = 1000 / 60
DAYS, HOURS = 7, 12
DRAGS = 8
PARTS = {
    "scripts": {"EventDispatch", "FunctionCall", "FireAnimationFrame", "TimerFire"},
    "style, layout": {"UpdateLayoutTree", "Layout", "HitTest"},
    "paint": {"PrePaint", "Paint", "Layerize", "Commit"},
}
TASK, BEGIN = "RunTask", "ProxyMain::BeginMainFrame"
CATEGORIES = [
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "cc",
    "blink.user_timing",
]


def drag(page: Page) -> None:
    """Paint along the diagonal from the first cell to the last and back.

    The rectangle grows, then shrinks. Marks in the trace show its beginning and end.
    """
    cells = page.locator("availability-grid tbody td:not(.gap)")
    first, last = cells.first.bounding_box(), cells.last.bounding_box()
    assert first
    assert last
    middle = {"x": first["width"] / 2, "y": first["height"] / 2}

    def move(part: float) -> None:
        page.mouse.move(
            *(first[axis] + middle[axis] + (last[axis] - first[axis]) * part for axis in ("x", "y"))
        )

    move(0)
    page.mouse.down()
    page.evaluate("performance.mark('drag')")
    steps = page.locator("availability-grid tbody tr").count() - 1  # another row with each move
    for step in [*range(1, steps + 1), *range(steps - 1, 0, -1)]:
        move(step / steps)
    page.evaluate("performance.mark('dropped')")
    page.mouse.up()


def frames_of(trace: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the CPU of the main thread in each frame, in all and by part.

    It is in milliseconds, from the beginning of a frame to that of the next. since: the time from
    the frame before, by the clock.
    """
    begin, end = (
        next(event for event in trace if event["name"] == name) for name in ("drag", "dropped")
    )
    events = [
        event
        for event in trace
        if event["ph"] == "X" and (event["pid"], event["tid"]) == (begin["pid"], begin["tid"])
    ]
    events = sorted(
        (event for event in events if begin["ts"] <= event["ts"] < end["ts"]),
        key=lambda event: (event["ts"], -event["dur"]),
    )
    starts = [event["ts"] for event in events if event["name"] == BEGIN]
    # The task in which a frame begins belongs to it.
    starts = [
        next(
            task["ts"] for task in reversed(events) if task["name"] == TASK and task["ts"] <= start
        )
        for start in starts
    ]
    frames = []
    for start, stop in pairwise(starts):
        own = [event for event in events if start <= event["ts"] < stop]
        frame = {
            "all": _cpu(own, {TASK}),
            "since": (stop - start) / 1000,
            **{part: _cpu(own, names) for part, names in PARTS.items()},
        }
        frames.append(frame)
    return frames


def _cpu(events: list[dict[str, Any]], names: set[str]) -> float:
    """Return the CPU of events with these names, in milliseconds.

    An event within another is not counted again.
    """
    total, over = 0, 0
    for event in events:
        if event["name"] in names and event["ts"] >= over:
            total += event["tdur"]
            over = event["ts"] + event["dur"]
    return total / 1000


def measure(browser: Browser, windows: Windows, path: str) -> list[dict[str, float]]:
    page = windows.sign_in("mina", path)
    page.set_viewport_size({"width": 1280, "height": 2400})  # all of the grid in sight
    page.locator("availability-grid.ready").wait_for()
    frames: list[dict[str, float]] = []
    for _ in range(DRAGS):
        browser.start_tracing(page=page, categories=CATEGORIES)
        drag(page)
        trace = json.loads(browser.stop_tracing())["traceEvents"]
        saved(page)
        frames += frames_of(trace)
    page.context.close()
    return frames


def row(name: str, frames: list[dict[str, float]]) -> str:
    every = sorted(frame["all"] for frame in frames)
    parts = [median(frame[part] for frame in frames) for part in PARTS]
    slow = sum(cpu > FRAME for cpu in every)
    figures = [median(every), every[math.ceil(0.95 * len(every)) - 1], every[-1], *parts]
    paced = median(frame["since"] for frame in frames)
    cells = [name, len(frames), *(f"{figure:.2f}" for figure in figures), slow, f"{paced:.1f}"]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    print(
        f"| cells | frames | median | p95 | max | {' | '.join(PARTS)} | over {FRAME:.1f} ms | a "
        "frame every |"
    )
    print("|---|" + "---|" * (len(PARTS) + 6))
    with open_site(COMMONTIME_SMTP_URL="", server="", start=False) as site:
        site.start("web")
        hours = {
            "window_start": at(0, 8).isoformat(),
            "window_end": at(DAYS - 1, 8 + HOURS).isoformat(),
            "time_zone": "UTC",
        }
        calendar = site.person("mina").post("/calendars/", {"name": "Choir", **hours}).data["id"]

        def measured(browser: Browser) -> None:
            windows = Windows(site, browser)
            for name, query in (("half hours", ""), ("quarters of an hour", "&step=15")):
                print(
                    row(
                        name,
                        measure(
                            browser,
                            windows,
                            f"/app/calendars/{calendar}/?from={MONDAY:%Y-%m-%d}{query}",
                        ),
                    ),
                    flush=True,
                )
            assert windows.faults == [], windows.faults

        in_chromium(measured)


if __name__ == "__main__":
    main()
