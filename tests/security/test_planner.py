"""A long plan in the real processes.

It shows how far it is, survives its workers, and stops when its owner wants.
"""

import pytest

from stage.committees import MEETINGS, better, committees
from stage.servers import open_site, wait_until

pytestmark = pytest.mark.processes


def test_a_long_plan_survives_its_worker_and_stops_when_wanted():
    with open_site(start=False) as site:
        site.start("web")
        mina, path = committees(site)

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
