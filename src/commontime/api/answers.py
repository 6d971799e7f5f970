"""How an answer leaves: as JSON. A single object has an ETag."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from django.http import HttpResponse

from commontime.api.request import Request
from commontime.core.shapes import Fields


def json_answer(
    request: Request,
    body: Any,
    *,
    status: int = 200,
    location: str = "",
    beside: Fields | None = None,
    etag: str = "",
) -> HttpResponse:
    """Answer with an object and its ETag, or with 304 if the asker has it.

    beside: what is added to the object but is no part of it, such as warnings or fresh tokens. The
    ETag is the same as without it, so that the next GET has it too.
    """
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    tag = etag or etag_of(content)
    if request.method in {"GET", "HEAD"} and status == 200 and has_current(request, tag):
        return not_modified(tag)
    if beside:
        content = content[:-1] + b"," + msgspec.json.encode(beside)[1:]
    response = HttpResponse(
        content, status=status, content_type="application/json", headers={"ETag": tag}
    )
    if location:
        response["Location"] = location
    return response


def json_list(rows: Iterable[Any], links: dict[str, str] | None = None) -> HttpResponse:
    """Answer with a list, and the Link to its next page."""
    return HttpResponse(
        msgspec.json.encode(list(rows)), content_type="application/json", headers=links or {}
    )


def no_content() -> HttpResponse:
    return HttpResponse(status=204)


def not_modified(tag: str) -> HttpResponse:
    return HttpResponse(status=304, headers={"ETag": tag})


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def has_current(request: Request, tag: str) -> bool:
    """Return whether the asker's copy has this tag."""
    return matches(request.META.get("HTTP_IF_NONE_MATCH"), tag)


def matches(header: str | None, tag: str) -> bool:
    """Return whether an If-Match or If-None-Match header names the tag."""
    if not header:
        return False
    return header.strip() == "*" or tag in {
        part.strip().removeprefix("W/") for part in header.split(",")
    }
