"""A long plan in the real processes.

It shows how far it is, survives its workers, and stops when its owner wants.
"""

import random
from datetime import timedelta

import pytest

from commontime.core import clock
from stage.servers import open_site, wait_until
from tests import build
from tests.api.cast import iso

pytestmark = pytest.mark.processes
PEOPLE, MEETINGS, DAYS = 14, 70, 5


def test_a_long_plan_survives_its_worker_and_stops_when_wanted():
    rng = random.Random(5)
    with open_site(start=False) as site:
        site.start("web")
        mina = site.person("mina")
        people = [mina, *(site.person() for _ in range(PEOPLE))]
        ids = [person.id for person in people]
        calendar = mina.post("/calendars/", {"name": "Committees", "is_finalized": False}).data[
            "id"
        ]
        for user in ids[1:]:
            assert (
                mina.post(f"/calendars/{calendar}/participants/", {"user": user}).status_code == 201
            )
        for person in people:
            windows = [
                {
                    "start_time": iso(build.day(9 + hour, days=20 + day)),
                    "end_time": iso(build.day(10 + hour, days=20 + day)),
                    "preference_level": rng.randrange(11),
                }
                for day in range(DAYS)
                for hour in range(8)
                if rng.random() < 0.8
            ]
            sent = {
                "from": iso(build.day(0, days=20)),
                "to": iso(build.day(0, days=30)),
                "windows": windows,
            }
            assert person.put(f"/calendars/{calendar}/nonbusytimes/", sent).status_code == 200
        deadline = iso(clock.now() + timedelta(days=3))
        for number in range(MEETINGS):
            who = rng.sample(ids, 4)
            body = {
                "deadline": deadline,
                "title": f"{number}",
                "required": who[:2],
                "optional": who[2:],
                "duration_minutes": 45,
            }
            assert mina.post(f"/calendars/{calendar}/meetings/", body).status_code == 201
        path = f"/calendars/{calendar}/plan/"

        answer = mina.post(path, {"time_limit_s": 300})
        first = answer.data
        assert (answer.status_code, first["status"]) == (202, "running")

        site.start("planner")
        wait_until(lambda: mina.get(path).data["elapsed_s"] > first["elapsed_s"] + 0.5)
        site.kill_all("planner")
        cut = mina.get(path).data
        assert cut["status"] == "running"

        site.start("planner")
        wait_until(lambda: mina.get(path).data["elapsed_s"] > cut["elapsed_s"] + 0.5)
        assert mina.post(path + "stop/").status_code == 200
        wait_until(lambda: mina.get(path).data["status"] == "done", 30)
        done = mina.get(path).data

        assert better(first) <= better(cut) <= better(done)
        assert len(done["placed"]) + len(done["unplaced"]) == MEETINGS
        assert not done["optimal"]
        assert done["gap"] > 0

        assert mina.post(path, {"time_limit_s": 300}).status_code == 202
        wait_until(lambda: site.count("calendars_plan", "run > 0"))
        site.kill_all("planner")
        wait_until(lambda: mina.post(path + "stop/").data["status"] == "done")
        done = mina.get(path).data
        assert done["gap"] > 0

        assert mina.post(path + "apply/").data["status"] == "applied"
        assert site.count("calendars_meeting", "final_time IS NOT NULL") == len(done["placed"])


def better(plan: dict) -> tuple[int, ...]:
    value = plan["value"]
    return (
        value["priority"],
        value["optional"],
        -value["if_need_be"],
        -value["works"],
        value["preference"],
    )
