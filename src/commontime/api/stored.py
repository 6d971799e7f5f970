"""Answers kept in memory under the version they were made from."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from commontime.api.base import etag_of
from commontime.core.kept import Kept


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    etag: str


_answers: Kept[Answer] = Kept(32_000_000, size=lambda answer: len(answer.body))
forget = _answers.forget


def stored(key: Hashable, make: Callable[[], bytes]) -> Answer:
    """Return the answer stored under the key, which must name the version of all it depends on;
    made now if it is not there.
    """

    def answer() -> Answer:
        body = make()
        return Answer(body, etag_of(body))

    return _answers.get(key, answer)
