"""A calendar program as RFC 5546 describes it: whatever arrives, in any order and however often, it
ends with the newest of each event.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.ical.strict import Component

SHOWN = ("DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "LOCATION")


@dataclass
class Calendar:
    """One person's events by UID, with the SEQUENCE and DTSTAMP they came with; cancelled ones are
    remembered too.
    """

    address: str
    events: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = field(default_factory=dict)

    def receive(self, document: Component) -> None:
        method = document.one("METHOD").value
        (event,) = document.components
        assert [attendee.value for attendee in event.all("ATTENDEE")] == [
            f"mailto:{self.address}"
        ], "a request is for who gets it, alone"
        assert event.one("STATUS").value == {"REQUEST": "CONFIRMED", "CANCEL": "CANCELLED"}[method]
        # RFC 5546, 2.1.5: the larger SEQUENCE is the newer; of equal ones, the later DTSTAMP.
        revision = (int(event.one("SEQUENCE").value), event.one("DTSTAMP").value)
        uid = event.one("UID").value
        content = {name: event.one(name).text for name in SHOWN if event.all(name)}
        known = self.events.get(uid)
        if known and known[0][0] == revision[0]:
            assert known[1] == method, "two different things with one SEQUENCE can't be told apart"
        if known is None or revision >= known[0]:
            self.events[uid] = (revision, method, content)

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        return {
            uid: content for uid, (_, method, content) in self.events.items() if method == "REQUEST"
        }
