"""Long lists, in pages with a signed cursor."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet

from commontime.api.request import Request
from commontime.core.errors import InvalidInput
from commontime.core.rows import Query

LONGEST_LIST = 1000

type Fetch = Callable[[list[Any] | None, int], tuple[list[Any], Callable[[int], list[Any]]]]


def page(
    request: Request, queryset: QuerySet[Any], *, order: Sequence[str]
) -> tuple[list[Any], dict[str, str]]:
    """Return one page's rows, and the Link to the next.

    order: field names; a leading - descends, and the last is unique. The cursor holds the last
    row's keys. So every page costs the same, and rows that come or go do not shift the others.
    """
    keys = [name.removeprefix("-") for name in order]

    def fetch(after: list[Any] | None, limit: int) -> tuple[list[Any], Callable[[int], list[Any]]]:
        behind = queryset
        if after:
            behind = queryset.filter(_behind(order, _values(queryset.model, keys, after)))
        rows = list(behind.order_by(*order)[:limit])
        return rows, lambda index: [_key(rows[index], name) for name in keys]

    return _page(request, fetch)


def page_of(request: Request, query: Query) -> tuple[list[Any], dict[str, str]]:
    """Return a page of a query written by hand, as tuples."""
    return _page(request, query.fetch)


def _page(request: Request, fetch: Fetch) -> tuple[list[Any], dict[str, str]]:
    size = _page_size(request)
    cursor = request.query_params.get("cursor")
    rows, keys_of = fetch(_read_cursor(request, cursor) if cursor else None, size + 1)
    if len(rows) <= size:
        return rows, {}
    params = request.query_params.copy()
    params["cursor"] = _signer(request).sign_object(msgspec.to_builtins(keys_of(size - 1)))
    address = f"{settings.COMMONTIME_BASE_URL}{request.path}?{params.urlencode()}"
    return rows[:size], {"Link": f'<{address}>; rel="next"'}


def _signer(request: Request) -> Signer:
    return Signer(salt=f"commontime.cursor {request.path.rstrip('/')}")


def _page_size(request: Request) -> int:
    raw = request.query_params.get("page_size", "")
    if not raw:
        return LONGEST_LIST
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or int(raw) < 1:
        raise InvalidInput("page_size must be a whole number from 1 to 1000.", field="page_size")
    return min(int(raw), LONGEST_LIST)


def _read_cursor(request: Request, cursor: str) -> list[Any]:
    """Return the keys in a cursor. We signed it for this list, so nobody can make one up."""
    try:
        return list(_signer(request).unsign_object(cursor))
    except (BadSignature, ValueError):
        raise InvalidInput(
            "This cursor isn’t valid; start again without it.", field="cursor"
        ) from None


def _key(row: Any, name: str) -> Any:
    for step in name.split("__"):
        row = getattr(row, step)
    return row


def _values(model: Any, keys: Sequence[str], after: Sequence[Any]) -> list[Any]:
    return [_field(model, name).to_python(value) for name, value in zip(keys, after, strict=True)]


def _field(model: Any, name: str) -> Any:
    *path, last = name.split("__")
    for step in path:
        model = model._meta.get_field(step).related_model
    return model._meta.get_field(last)


def _behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition for rows behind these keys. It is (a, b) > (x, y), spelled out."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        key = name.removeprefix("-")
        condition |= equal & Q(**{f"{key}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{key: value})
    return condition
