"""granian with our own rule for dead workers.

Run it like granian itself: `python -m commontime.config.serve --interface wsgi …`.

granian assumes that a worker can't start if it dies twice within 5.5 seconds, and then exits. That
limit can't be configured, and granian forgets the first death when another worker dies in between.

Here a worker that exits twice within half a minute ends the server with an error, whatever the
other workers do; slow machines need that long to start one. A killed worker, for example for lack
of memory, is always replaced.
"""

import signal
from typing import Any

from granian import cli
from granian.server import MPServer

GRANIAN_LIMIT = 5.5  # seconds
OUR_LIMIT = 30.0


class Server(MPServer):
    exits: dict[int, float] = {}  # worker number -> time of its last exit

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        killed = [
            number for number in workers if self.wrks[number].inner.exitcode == -signal.SIGKILL
        ]
        super()._respawn_workers(workers, *args, **kwargs)
        # granian now remembers only the workers it has just restarted, and compares their times
        # with its own limit. Later times make that limit ours.
        shift = OUR_LIMIT - GRANIAN_LIMIT
        restarted = {number: at + shift for number, at in self.respawned_wrks.items()}
        exits = {**self.exits, **restarted}
        self.exits = {number: at for number, at in exits.items() if number not in killed}
        self.respawned_wrks = dict(self.exits)


if __name__ == "__main__":
    cli.Server = Server  # type: ignore[attr-defined]
    cli.entrypoint()  # type: ignore[no-untyped-call]
