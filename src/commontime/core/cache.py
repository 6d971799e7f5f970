"""A cache of answers and pages in this process's memory.

A key contains the version of everything its value depends on. So nothing is ever invalidated, and
anything can be dropped at any time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import cast

ENTRY = 350  # bytes that an entry takes besides its value
KEPT_FOR = 300.0  # seconds after somebody asked for it last


class Cache:
    """A thread-safe cache, limited by its entries' size and age (LRU).

    With the size alone, memory would grow for hours before the limit is reached.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Each with when somebody asked for it last; the longest ago comes first.
        self._values: OrderedDict[bytes, tuple[float, Sized]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get[Value: Sized](self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return a key's value, and make it if missing.

        A value larger than a quarter of the limit is not kept. Keys can be long, so their digests
        are kept.
        """
        digest = _digest_of(key)
        with self._lock:
            if digest in self._values:
                _, value = self._values.pop(digest)
                self._values[digest] = monotonic(), value
                return cast(Value, value)
        value = make()
        with self._lock:
            if digest not in self._values and len(value) <= self._limit // 4:
                self._values[digest] = monotonic(), value
                self._size += ENTRY + len(value)
            self._drop_oldest()
        return value

    def _drop_oldest(self) -> None:
        while self._values:
            digest, (asked_at, value) = next(iter(self._values.items()))
            if self._size <= self._limit and asked_at >= monotonic() - KEPT_FOR:
                return
            del self._values[digest]
            self._size -= ENTRY + len(value)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._size = 0


_cache = Cache(48_000_000)  # bytes of answers and pages, characters of their parts
get = _cache.get
clear = _cache.clear


def tag_of(key: Hashable) -> str:
    """Return the ETag of a key's value, without making it."""
    return f'"{_digest_of(key).hex()}"'


def _digest_of(key: Hashable) -> bytes:
    """Return what stands for a key. Its parts say all they are in their repr."""
    return blake2b(repr(key).encode(), digest_size=16).digest()
