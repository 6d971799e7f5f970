"""Pages and parts of them kept in memory under the version they were made from."""

from collections.abc import Callable, Hashable, Sized
from hashlib import blake2b
from typing import cast

from commontime.core.kept import Kept

_parts: Kept[Sized] = Kept(16_000_000, size=len)  # characters of text, bytes of pages
forget = _parts.forget


def kept[Part: Sized](key: Hashable, make: Callable[[], Part]) -> Part:
    """Return what is kept under the key, which must name the version of all it depends on; made now
    if it is not there.
    """
    return cast(Part, _parts.get(key, make))


def tag_of(key: Hashable) -> str:
    """Return the entity tag of what is made from the key alone, so that nothing need be made to
    know it.
    """
    return f'"{blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'
