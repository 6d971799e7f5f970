"""Pages and parts of them kept in memory under the version they were made from. Anything here can be thrown away at any time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from hashlib import blake2b
from threading import Lock
from typing import Any, cast

MOST = 16_000_000  # characters of text, bytes of pages

_parts: OrderedDict[Hashable, Any] = OrderedDict()
_size = 0
_lock = Lock()


def kept[Part: Sized](key: Hashable, make: Callable[[], Part]) -> Part:
    """Return what is kept under the key, which must name the version of all it depends on; made now if it is not there."""
    global _size
    with _lock:
        if (found := _parts.get(key)) is not None:
            _parts.move_to_end(key)
            return cast(Part, found)
    part = make()
    with _lock:
        if key not in _parts and len(part) <= MOST // 4:
            _parts[key] = part
            _size += len(part)
        while _size > MOST:
            _, oldest = _parts.popitem(last=False)
            _size -= len(oldest)
    return part


def tag_of(key: Hashable) -> str:
    """Return the entity tag of what is made from the key alone, so that nothing need be made to know it."""
    return f'"{blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'


def forget() -> None:
    global _size
    with _lock:
        _parts.clear()
        _size = 0
