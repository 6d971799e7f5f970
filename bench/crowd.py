"""Measure how long a stranger waits while one account asks expensive questions.

`python -m bench.crowd`. Eight clients of one account ask for insights over thousands of times, each
time of another length, so that none is answered from memory. Meanwhile somebody else asks for their
profile, twenty times a second. It prints the percentiles, and how they compare with a quiet server.
"""

import multiprocessing
import statistics
import time
from collections import Counter

from bench.engine import row
from stage.servers import Remote, open_site

CLIENTS = 8
PEOPLE, TIMES = 20, 150
SECONDS = 20.0
PAUSE = 0.05
WORLD = f"""
from datetime import timedelta
from django.contrib.auth.models import User
from commontime.calendars import actions
from commontime.calendars.models import CalendarParticipant, NonBusyTime
from commontime.core import clock

eve = User.objects.get(username="eve")
start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=20)
calendar = actions.create_calendar(by=eve, name="Thousands")
people = [User(username=f"p{{n}}", email=f"p{{n}}@example.org") for n in range({PEOPLE})]
people = [eve, *User.objects.bulk_create(people)]
for user in people[1:]:
    CalendarParticipant.objects.create(calendar=calendar, user=user)
for n, user in enumerate(people):
    for k in range({TIMES}):
        begin = start + timedelta(hours=2 * k, minutes=7 * n % 60)
        NonBusyTime.objects.create(
            calendar=calendar, user=user, start_time=begin,
            end_time=begin + timedelta(minutes=45 + (n * k) % 60), preference_level=(n + k) % 11,
        )
meeting, _ = actions.create_meeting(
    calendar, by=eve, deadline=clock.now() + timedelta(days=3), duration_minutes=30
)
print("meeting", meeting.pk)
"""


def main() -> None:
    with open_site(start=False) as site:
        site.start("web")
        eve, stranger = site.person("eve"), site.person("stranger")
        meeting = site.manage("shell", "--no-imports", "-c", WORLD).split("meeting ")[1].split()[0]
        profiles(stranger, seconds=2)
        quiet = profiles(stranger, seconds=SECONDS)
        with Questions(eve, f"/calendars/meetings/{meeting}/insights/") as questions:
            time.sleep(1)
            busy = profiles(stranger, seconds=SECONDS)
    print("| GET /profile/ of a stranger | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|")
    row("quiet", *quiet)
    row(f"{CLIENTS} clients ask", *busy)
    row("ratio", *(f"{b / q:.1f}" for b, q in zip(busy, quiet, strict=True)))
    print(f"Questions: {dict(questions.statuses)}")


def profiles(person: Remote, *, seconds: float) -> list[float]:
    """Return the percentiles of asking for a profile, in milliseconds."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        assert person.get("/profile/").status_code == 200
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(PAUSE)
    cuts = statistics.quantiles(took, n=100)
    return [round(cuts[at - 1], 1) for at in (50, 95, 99)]


class Questions:
    """Clients that ask one thing after the other, without a pause.

    Each is a process: threads would delay the stranger, who is measured in this one.
    """

    def __init__(self, person: Remote, path: str) -> None:
        self.person, self.path = person, path
        self.statuses: Counter[int] = Counter()
        self._ended = multiprocessing.Event()
        self._said: multiprocessing.Queue[Counter[int]] = multiprocessing.Queue()
        self._clients = [
            multiprocessing.Process(target=self._ask, args=(n,)) for n in range(CLIENTS)
        ]

    def __enter__(self) -> "Questions":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for client in self._clients:
            self.statuses += self._said.get()
            client.join()

    def _ask(self, number: int) -> None:
        self.person.client.forget()  # the parent's connections
        statuses, length = Counter[int](), 15 + number
        while not self._ended.is_set():
            answer = self.person.get(f"{self.path}?duration_minutes={length}")
            length = 15 + (length + CLIENTS) % 600
            statuses[answer.status_code] += 1
            if answer.status_code == 429:
                time.sleep(0.2)  # a client that waits less than it is told
        self._said.put(statuses)


if __name__ == "__main__":
    main()
