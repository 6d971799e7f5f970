"""SIGTERM under load."""

import itertools
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chaos.kinds import Found, Options, kind
from stage.servers import NoAnswer, Remote, Site, Wire, wait_until
from stage.writers import ids

PATIENCE = 10.0  # seconds that Commontime has to end
# What a client reads of a connection that no process has taken.
NEVER_READ = ("reset", "broken pipe", "without response")


@dataclass
class Visitors:
    """Clients that write on a new connection each time, until nobody listens any more.

    `acknowledged` and `unanswered` hold the names that they gave. The system takes some connections
    that the ending server never sees, and resets them. Such a request may go unanswered, as long as
    it is not done.
    """

    site: Site
    people: Sequence[Remote]
    guest: Remote | None = None
    acknowledged: set[str] = field(default_factory=set)
    unanswered: dict[str, str] = field(default_factory=dict)
    others: Counter[int] = field(default_factory=Counter)

    def write(self, number: int) -> None:
        me = self.people[number % len(self.people)]
        for turn in itertools.count():
            name = f"{number} {turn} {time.monotonic_ns()}"
            caller = Remote(client=Wire(self.site.port), access=me.access)
            try:
                answer = caller.post("/calendars/", {"name": name})
                if answer.status_code == 201:
                    self.acknowledged.add(name)
                    self._invite(caller, answer.data["id"])
                else:
                    self.others[answer.status_code] += 1
            except NoAnswer as reason:
                if "refused" in str(reason):
                    return
                self.unanswered[name] = str(reason)
            finally:
                caller.client.forget()

    def _invite(self, caller: Remote, calendar: str) -> None:
        if self.guest:
            caller.client.forget()
            invitation = {"calendar": calendar, "receiver": self.guest.id}
            try:
                answer = caller.post("/calendars/invitations/", invitation)
                self.others[answer.status_code] += answer.status_code != 201
            except NoAnswer:
                return

    def faults(self) -> list[str]:
        """Compare what the visitors know with the database."""
        rows = self.site.sql("SELECT name FROM calendars_calendar")
        there = {str(name) for (name,) in rows}
        faults = [
            f"a request broke: {reason}"
            for reason in self.unanswered.values()
            if not any(words in reason.lower() for words in NEVER_READ)
        ]
        if lost := self.acknowledged - there:
            faults.append(f"{len(lost)} acknowledged calendars are lost")
        if unheard := self.unanswered.keys() & there:
            faults.append(f"{len(unheard)} requests were done and not answered")
        if others := +self.others:
            faults.append(f"answered {dict(others)}")
        return faults


@dataclass
class End:
    """How a process ended."""

    seconds: float
    code: int


def end_under_load(site: Site, name: str, visitors: Visitors, count: int, more: int) -> End:
    """Send SIGTERM while the visitors write, after `more` acknowledged calendars."""
    threads = [threading.Thread(target=visitors.write, args=(n,)) for n in range(count)]
    target = len(visitors.acknowledged) + more
    for thread in threads:
        thread.start()
    wait_until(lambda: len(visitors.acknowledged) >= target)
    process = site.master(name)
    began = time.monotonic()
    process.terminate()
    process.wait(timeout=60)
    took = time.monotonic() - began
    for thread in threads:
        thread.join()
    return End(took, process.returncode)


@kind(cycles=100)
def sigterm(options: Options) -> Found:
    """SIGTERM under load: every request that was read is answered, nothing else is done, no mail
    goes out twice, and all processes end within ten seconds with code 0."""
    faults, ends = [], []
    with options.site("run") as site:
        chance = options.chance()
        visitors = Visitors(site, [site.person() for _ in range(12)], guest=site.person())
        for _ in range(options.cycles):
            ends.append(end_under_load(site, "run", visitors, 12, chance.randrange(20, 60)))
            site.stop()
            site.start("run")
        faults += visitors.faults()
        wait_until(lambda: site.count("mail_message", "state = 'queued'") == 0, 120)
        sent = Counter(mail.message_id for mail in site.sink.received)
        mails = len(ids(site, "SELECT id FROM mail_message WHERE state = 'sent'"))
    faults += [f"ended with {end.code}" for end in ends if end.code]
    faults += [f"ended after {end.seconds:.1f} s" for end in ends if end.seconds > PATIENCE]
    if twice := sum(count > 1 for count in sent.values()):
        faults.append(f"{twice} mails went out twice")
    if len(sent) != mails:
        faults.append(f"{mails} mails have {len(sent)} Message-IDs")
    tried = {"ends": len(ends), "answered writes": len(visitors.acknowledged), "mails": mails}
    seconds = [end.seconds for end in ends]
    measured = (
        f"ended after {statistics.median(seconds):.2f} s (worst {max(seconds):.2f}); "
        f"{len(visitors.unanswered)} requests reset unread"
    )
    return Found(tried, faults, measured)
