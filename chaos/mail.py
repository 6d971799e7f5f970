"""A mail server that misbehaves, and workers that are killed and put to sleep."""

import contextlib
import json
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from chaos.kinds import Found, Options, kind
from chaos.quick_mail import LEASE
from stage import sink
from stage.servers import Remote, Site, wait_until
from stage.times import day, iso

FOR_GOOD = "550 5.1.1 No such user"
MISDEEDS = [
    "421 4.3.2 Shutting down",
    "450 4.2.0 Greylisted",
    "451 4.3.0 Try again later",
    sink.DROP,
    sink.SILENCE,
    FOR_GOOD,
]
# Only after the whole mail: the server has it, and the worker does not know.
LIES = [sink.LOSE_REPLY, sink.HANG_UP_AFTER]
ALL_MAILS = """
import json
from commontime.mail.mime import message_id
from commontime.mail.models import Message
print(json.dumps([
    [message_id(m), m.kind, m.event, m.recipient, m.sequence, m.state, m.error]
    for m in Message.objects.all()
]))
"""


@dataclass(frozen=True)
class Mail:
    """A row of the outbox."""

    message_id: str
    kind: str
    event: str
    recipient: str
    sequence: int
    state: str
    error: str

    @property
    def reader(self) -> tuple[str, str]:
        return self.event, self.recipient


@kind(cycles=100)
def mail(options: Options) -> Found:
    """A hostile mail server, workers killed and asleep: every mail arrives, each time with the same
    Message-ID, unless a newer one replaced it or the server refused it for good. A calendar keeps
    the newest SEQUENCE."""
    quick = {"DJANGO_SETTINGS_MODULE": "chaos.quick_settings", "COMMONTIME_WORKERS": "3"}
    done: Counter[str] = Counter()
    with options.site("web", "worker", **quick) as site:
        chance = options.chance()
        meetings = _meetings(site, chance)
        for _ in range(options.cycles):
            _reschedule(meetings, chance)
            act = chance.choice([_misbehave, _misbehave, _lie, _kill, _sleep, _go_away])
            done[act.__name__.strip("_")] += 1
            act(site, chance)
        site.sink.rcpt.clear()
        site.sink.data.clear()
        with contextlib.suppress(AssertionError):  # what still waits is a fault, below
            wait_until(lambda: not site.count("mail_message", "state = 'queued'"), 120)
        mails = [
            Mail(*row) for row in json.loads(site.manage("shell", "--no-imports", "-c", ALL_MAILS))
        ]
        received = list(site.sink.received)
    times = Counter(one.message_id for one in received)
    measured = ", ".join(f"{count} times {what.replace('_', ' ')}" for what, count in done.items())
    return Found(
        {"mails": len(mails), "received": len(received)},
        [*faults_of(mails, received), *([] if done["kill"] and done["sleep"] else ["none killed"])],
        f"{measured}; {sum(count > 1 for count in times.values())} mails came more than once",
    )


def _meetings(site: Site, chance: random.Random) -> list[tuple[Remote, str]]:
    """Return meetings with their owners. Each has three attendees."""
    meetings = []
    for _ in range(4):
        owner, *others = (site.person() for _ in range(3))
        calendar = owner.post("/calendars/", {"name": "Choir"}).headers["Location"]
        for one in others:
            assert owner.post(f"{calendar}participants/", {"user": one.id}).status_code == 201
        for _ in range(5):
            made = owner.post(f"{calendar}meetings/", {"deadline": iso(day(12))})
            meetings.append((owner, f"{calendar}meetings/{made.data['id']}/"))
    return meetings


def _reschedule(meetings: list[tuple[Remote, str]], chance: random.Random) -> None:
    for owner, path in chance.sample(meetings, 6):
        moment = iso(day(chance.randrange(24 * 40), days=31))
        answer = owner.put(path, {"final_time": moment})
        assert answer.status_code == 200, answer.text


def _misbehave(site: Site, chance: random.Random) -> None:
    site.sink.rcpt.extend(chance.choices(MISDEEDS, k=4))
    site.sink.data.extend(chance.choices(MISDEEDS, k=4))
    time.sleep(chance.uniform(0, 2))


def _lie(site: Site, chance: random.Random) -> None:
    site.sink.data.extend(chance.choices(LIES, k=4))
    time.sleep(chance.uniform(0, 1))


def _kill(site: Site, chance: random.Random) -> None:
    time.sleep(chance.uniform(0, 0.5))
    for pid in chance.sample(site.processes("worker"), 2):
        site.kill(pid)


def _sleep(site: Site, chance: random.Random) -> None:
    """Stop a worker for longer than its lease, while it has a mail if possible."""
    site.sink.delay = 0.3
    time.sleep(chance.uniform(0, 1))
    pid = chance.choice(site.processes("worker"))
    site.freeze(pid)
    site.sink.delay = 0
    time.sleep(LEASE + 1)
    site.thaw(pid)


def _go_away(site: Site, chance: random.Random) -> None:
    site.sink.stop()
    time.sleep(chance.uniform(0, 2))
    site.sink.start()


# Afterwards ---------------------------------------------------------------------------------------


def faults_of(mails: list[Mail], received: list[sink.Received]) -> list[str]:
    """Compare what the server took with what was to be sent."""
    by_id = {one.message_id: one for one in mails}
    came = {one.message_id for one in received}
    newest: dict[Any, int] = defaultdict(int)
    for one in mails:
        newest[one.reader] = max(newest[one.reader], one.sequence)
    faults = [f"an unknown Message-ID: {unknown}" for unknown in came - by_id.keys()]
    for one in mails:
        if one.state == "sent" and one.message_id not in came:
            faults.append(f"called sent and never received: {one}")
        elif one.state == "dropped" and one.sequence == newest[one.reader]:
            faults.append(f"dropped, though the newest: {one}")
        elif one.state == "failed" and not one.error.startswith("550"):
            faults.append(f"failed: {one}")
        elif one.state == "queued":
            faults.append(f"still waits: {one}")
    return faults + _wrong_sequences(by_id, received)


def _wrong_sequences(by_id: dict[str, Mail], received: list[sink.Received]) -> list[str]:
    """A calendar keeps the highest SEQUENCE, so each request must say its own."""
    faults = []
    for one in received:
        row = by_id.get(one.message_id)
        said = re.search(rb"^SEQUENCE:(\d+)", _calendar_part(one), re.MULTILINE)
        if row and row.kind == "request" and (not said or int(said[1]) != row.sequence):
            faults.append(f"says {said and said[0]!r}: {row}")
    return faults


def _calendar_part(one: sink.Received) -> bytes:
    for part in one.message.walk():
        if part.get_content_type() == "text/calendar":
            return bytes(part.get_payload(decode=True))
    return b""
