"""Answers kept in memory under the version they were made from. Anything here can be thrown away at any time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from commontime.api.base import etag_of

MOST_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    etag: str


_answers: OrderedDict[Hashable, Answer] = OrderedDict()
_size = 0
_lock = Lock()


def stored(key: Hashable, make: Callable[[], bytes]) -> Answer:
    """Return the answer stored under the key, which must name the version of all it depends on; made now if it is not there."""
    global _size
    with _lock:
        answer = _answers.get(key)
        if answer is not None:
            _answers.move_to_end(key)
            return answer
    body = make()
    answer = Answer(body, etag_of(body))
    with _lock:
        if key not in _answers and len(body) <= MOST_BYTES // 4:
            _answers[key] = answer
            _size += len(body)
        while _size > MOST_BYTES:
            _, oldest = _answers.popitem(last=False)
            _size -= len(oldest.body)
    return answer


def forget() -> None:
    global _size
    with _lock:
        _answers.clear()
        _size = 0
