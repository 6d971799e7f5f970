"""A request's body: a JSON object, read by a shape."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request as AnyRequest

from commontime.api import errors
from commontime.api.request import Request
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields

LARGEST_BODY = 1_000_000
DEEPEST_BODY = 32
MOST_BRACKETS = 2500
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# Possessive, and with an end for strings that have none, so that it reads every byte once.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)', re.DOTALL)


def parse(
    shape: type[serializers.Serializer[Any]],
    request: Request,
    *,
    zone: Any = None,
    partial: bool = False,
) -> Fields:
    """Return the body's fields as the shape reads them.

    Refusals come all at once. Naive times are local in `zone`.
    """
    serializer = shape(
        data=request.data, partial=partial, context={"zone": zone, "request": request}
    )
    serializer.is_valid(raise_exception=True)
    return cast(Fields, serializer.validated_data)


class AlwaysJSON(BaseContentNegotiation):
    """Answers JSON, whatever Accept says, and has no browsable API."""

    def select_parser(self, request: AnyRequest, parsers: Iterable[Any]) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next(iter(parsers)) if content_type == "application/json" else None

    def select_renderer(
        self, request: AnyRequest, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JSON(BaseParser):
    """Reads a JSON object, within 1 MB and 32 levels.

    As RFC 8259 wants it: UTF-8, no NaN, no lone surrogates.
    """

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> Fields:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise errors.TooLarge("Send at most 1 MB.")
        if is_bottomless(body):
            raise InvalidInput("This JSON is nested too deeply.", code="not_valid_json")
        try:
            data = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
            raise InvalidInput("The body is not valid JSON.", code="not_valid_json") from None
        if not isinstance(data, dict):
            raise InvalidInput("Send a JSON object.", code="not_valid_json")
        if _depth(data) > DEEPEST_BODY:
            raise InvalidInput("This JSON is nested too deeply.", code="not_valid_json")
        return data


def is_bottomless(body: bytes) -> bool:
    """Return whether the JSON is too deep to be decoded.

    The decoder calls itself for each level; too many overrun the stack of a granian thread, and
    kill the process. Only a body with more brackets than our largest requests have, 2,000 times,
    is looked at more closely.
    """
    if body.count(b"[") + body.count(b"{") <= MOST_BRACKETS:
        return False
    rest = _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST_BODY):
        if not rest:
            return False
        rest = rest.replace(b"[]", b"").replace(b"{}", b"")
    return bool(rest)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST_BODY:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def check_length(request: AnyRequest) -> None:
    if is_too_long(request):
        raise errors.TooLarge("Send at most 1 MB.")


def is_too_long(request: AnyRequest | HttpRequest) -> bool:
    """Return whether the body has more than 1 MB, or a length that is no number."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY


def receive(request: HttpRequest) -> None:
    """Take in the whole body before anything is locked.

    Somebody who sends slowly must not make others wait.
    """
    with suppress(RequestDataTooBig):  # refused by its length later
        _ = request.body
