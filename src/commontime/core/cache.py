"""A cache of answers and parts of pages in this process's memory.

A key contains the version of everything its value depends on. So nothing is ever invalidated, and
anything can be dropped at any time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from hashlib import blake2b
from threading import Lock
from typing import cast


class Cache:
    """A thread-safe cache, limited by the sum of its values' lengths (LRU)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, Sized] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get[Value: Sized](self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, and make it if it is missing.

        A value larger than a quarter of the limit is not kept.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return cast(Value, self._values[key])
        value = make()
        with self._lock:
            if key not in self._values and len(value) <= self._limit // 4:
                self._values[key] = value
                self._size += len(value)
            while self._size > self._limit:
                _, oldest = self._values.popitem(last=False)
                self._size -= len(oldest)
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._size = 0


_cache = Cache(48_000_000)  # bytes of answers and pages, characters of their parts
get = _cache.get
clear = _cache.clear


def tag_of(key: Hashable) -> str:
    """Return the ETag of a key's value, without making the value."""
    return f'"{blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'
