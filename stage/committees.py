"""A calendar whose plan takes long."""

import random
from typing import Any

from stage.servers import Remote, Site
from stage.times import day, iso

PEOPLE, MEETINGS, DAYS = 14, 70, 5


def committees(site: Site, owner_name: str = "mina") -> tuple[Remote, str]:
    """Make people with times, and many small meetings among them.

    Returns the owner and the plan's path. The plan can't be proved best within minutes.
    """
    rng = random.Random(5)
    owner = site.person(owner_name)
    people = [owner, *(site.person() for _ in range(PEOPLE))]
    path = f"/calendars/{made(owner, '/calendars/', {'name': 'Committees'})}/"
    for one in people[1:]:
        made(owner, f"{path}participants/", {"user": one.id})
    for one in people:
        windows = [
            {
                "start_time": iso(day(9 + hour, days=20 + number)),
                "end_time": iso(day(10 + hour, days=20 + number)),
                "preference_level": rng.randrange(11),
            }
            for number in range(DAYS)
            for hour in range(8)
            if rng.random() < 0.8
        ]
        sent = {"from": iso(day(0, days=20)), "to": iso(day(0, days=30)), "windows": windows}
        assert one.put(f"{path}nonbusytimes/", sent).status_code == 200
    for number in range(MEETINGS):
        who = rng.sample([one.id for one in people], 4)
        body = {
            "deadline": iso(day(12, days=3)),
            "title": f"{number}",
            "required": who[:2],
            "optional": who[2:],
            "duration_minutes": 45,
        }
        made(owner, f"{path}meetings/", body)
    return owner, f"{path}plan/"


def made(owner: Remote, path: str, body: dict[str, Any]) -> str:
    """Post, and return the id of what was made."""
    answer = owner.post(path, body)
    assert answer.status_code == 201, answer.text
    return str(answer.data["id"])


def better(plan: dict[str, Any]) -> tuple[int, ...]:
    """Return a key: the larger, the better the plan."""
    value = plan["value"]
    return (
        value["priority"],
        value["optional"],
        -value["if_need_be"],
        -value["works"],
        value["preference"],
    )
