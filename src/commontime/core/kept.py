"""What is kept in memory under the version it was made from. Anything here can be thrown away at
any time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class Kept[Thing]:
    """Holds things up to a sum of their sizes; what was not asked for the longest goes first. For
    many threads.
    """

    def __init__(self, most: int, size: Callable[[Thing], int]) -> None:
        self._most, self._size_of = most, size
        self._things: OrderedDict[Hashable, Thing] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """Return what is kept under the key, which must name the version of all it depends on; made
        now if it is not there.
        """
        with self._lock:
            if (found := self._things.get(key)) is not None:
                self._things.move_to_end(key)
                return found
        thing = make()
        size = self._size_of(thing)
        with self._lock:
            if key not in self._things and size <= self._most // 4:
                self._things[key] = thing
                self._size += size
            while self._size > self._most:
                _, oldest = self._things.popitem(last=False)
                self._size -= self._size_of(oldest)
        return thing

    def forget(self) -> None:
        with self._lock:
            self._things.clear()
            self._size = 0
