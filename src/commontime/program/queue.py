"""Workers of the queue that cost next to nothing while there is nothing to do."""

import math
from typing import Any

from django.utils import timezone
from django_ox.models import OxTask
from django_ox.worker import Worker

from commontime.core import rows

POLL = 0.7  # seconds; a mail that is due leaves within one
SCHEDULES = 5.0  # seconds; the most frequent schedule is every 15
DEAD = 6.0  # seconds of silence; planners say every two that they live

READY = """
    SELECT 1 FROM django_ox_oxtask
    WHERE status = 'READY' AND queue_name = %s AND (run_after IS NULL OR run_after <= %s) LIMIT 1
"""
RUNNING = "SELECT 1 FROM django_ox_oxtask WHERE status = 'RUNNING' LIMIT 1"


class QueueWorker(Worker):
    """A worker that works on one task of each queue at a time.

    It looks with one small statement before it asks what takes many: it polls all day, and most
    often in vain.
    """

    def __init__(self, *queues: str) -> None:
        planner = "plans" in queues
        super().__init__(
            queues=list(queues),
            concurrency=len(queues),
            poll_interval=POLL,
            lock_timeout=DEAD if planner else None,
            # Schedules are the business of workers, and there is always one.
            schedule_interval=math.inf if planner else SCHEDULES,
        )
        self._idle = list(queues)  # those on which nobody here works

    def claim_one(self) -> OxTask | None:
        """Take the next task of a queue on which nobody here works, if one is due."""
        now: Any = rows.moment(timezone.now())
        due = [queue for queue in self._idle if rows.fetch_one(READY, [queue, now])]
        if not due:
            return None
        self.queues = due
        if task := super().claim_one():
            self._idle.remove(task.queue_name)
        return task

    def execute(self, db_task: OxTask, *, inline: bool = False) -> None:
        """Work on a task. Then its queue has nobody here again."""
        try:
            super().execute(db_task, inline=inline)
        finally:
            self._idle.append(db_task.queue_name)

    def reap(self) -> int:
        """Take tasks back from workers that died, if any task runs."""
        return super().reap() if rows.fetch_one(RUNNING, []) else 0
