"""granian, started as its own command is: `python -m commontime.config.serve --interface wsgi …`.

granian takes two deaths of one worker within 5.5 seconds for a worker that can't start, ends, and
can't be told otherwise; and it forgets the first of them when another worker dies in between. Here
a worker that ends by itself again within half a minute (a slow machine takes that long to start
one) ends all, loudly, whatever the others do; one that somebody killed (the kernel, for want of
memory) gets its successor every time.
"""

import signal
from typing import Any

from granian import cli
from granian.server import MPServer

GRANIANS_OWN = 5.5
SOON = 30.0


class Server(MPServer):
    ended_by_itself: dict[int, float] = {}

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        killed = [
            number for number in workers if self.wrks[number].inner.exitcode == -signal.SIGKILL
        ]
        super()._respawn_workers(workers, *args, **kwargs)
        # granian has emptied what it remembers but for these, and asks of it whether a start was at
        # most 5.5 seconds ago.
        begun = {number: at + SOON - GRANIANS_OWN for number, at in self.respawned_wrks.items()}
        remembered = {**self.ended_by_itself, **begun}
        self.ended_by_itself = {
            number: at for number, at in remembered.items() if number not in killed
        }
        self.respawned_wrks = dict(self.ended_by_itself)


if __name__ == "__main__":
    cli.Server = Server  # type: ignore[attr-defined]
    cli.entrypoint()  # type: ignore[no-untyped-call]
