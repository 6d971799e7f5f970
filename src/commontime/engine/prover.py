"""Run a proof (proof.py) in a thread of its own.

The solver can't be interrupted, and the search for better plans goes on beside it.
"""

import atexit
import threading
import time
from collections.abc import Callable
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from .programme import Programme
from .proof import Proof

PATIENCE = 1.0  # seconds

_provers: WeakSet[threading.Thread] = WeakSet()


@atexit.register
def _let_provers_end() -> None:
    """Wait a moment for solvers that are just past their time.

    Python before 3.14 aborts the process ("terminate called without an active exception", CPython
    issue 87135) if a thread comes back from C++ while the interpreter shuts down. A solver that is
    not done by then has long to go, and ends with the process.
    """
    until = time.monotonic() + PATIENCE
    for prover in list(_provers):
        prover.join(max(0.0, until - time.monotonic()))


class Prover(threading.Thread):
    """A thread that writes the programme and proves.

    It ends when it is done, out of time, or stopped. model: the programme, as soon as there is one.
    bound: the best bound so far.
    """

    def __init__(
        self,
        pose: Callable[[], tuple[Programme, NDArray[np.bool_]]],
        bound: list[int],
        until: float,
    ) -> None:
        super().__init__(daemon=True)
        _provers.add(self)
        self.pose, self.until = pose, until
        self.model: Programme | None = None
        self.proof: Proof | None = None
        self.start_bound = bound

    def run(self) -> None:
        model, self.known = self.pose()
        proof = Proof(model, self.start_bound)
        self.model, self.proof = model, proof
        if time.monotonic() < self.until:
            proof.run(self.known, self.until)

    def stop(self) -> None:
        self.until = time.monotonic()
        if self.proof is not None:
            self.proof.until = self.until

    @property
    def bound(self) -> list[int]:
        return self.start_bound if self.proof is None else self.proof.bound

    @property
    def is_done(self) -> bool:
        return self.proof is not None and self.proof.proved

    def place(self, meetings: int) -> list[int] | None:
        """Return each meeting's column in the best solution, if there is one yet."""
        if self.proof is None or self.model is None:
            return None
        better = self.proof.better
        if better is None and not self.proof.proved:
            return None
        return self.model.place(self.known if better is None else better, meetings)
