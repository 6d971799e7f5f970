"""granian, started as its own command is: `python -m commontime.config.serve --interface wsgi …`.

granian takes two deaths of one worker within 5.5 seconds for a worker that can't start, ends, and can't be told otherwise. Here one that
somebody killed (the kernel, for want of memory) gets its successor every time; one that ends by itself twice still ends all, loudly.
"""

import signal
from typing import Any

from granian import cli
from granian.server import MPServer


class Server(MPServer):
    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        killed = [number for number in workers if self.wrks[number].inner.exitcode == -signal.SIGKILL]
        super()._respawn_workers(workers, *args, **kwargs)
        for number in killed:
            del self.respawned_wrks[number]


if __name__ == "__main__":
    cli.Server = Server  # type: ignore[attr-defined]
    cli.entrypoint()  # type: ignore[no-untyped-call]
