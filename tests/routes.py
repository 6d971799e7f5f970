"""Every route of the product, those of the pages' own table among them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import URLPattern, get_resolver


def url_patterns() -> list[URLPattern]:
    return list(_flat(get_resolver().url_patterns))


def _flat(patterns: Iterable[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            assert str(pattern.pattern) == "", "Its routes would need its path before theirs."
            yield from _flat(pattern.url_patterns)
