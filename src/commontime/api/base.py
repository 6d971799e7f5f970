"""What every view of the API shares: who asks, what they sent, and how an answer leaves."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request as AnyRequest
from rest_framework.views import APIView

from commontime.accounts import queries as accounts
from commontime.api import errors, fields, tokens
from commontime.calendars import queries as calendars
from commontime.calendars import rules
from commontime.core import clock, rows
from commontime.core.errors import InvalidInput, NotAllowed, NotFound, Unidentified
from commontime.core.models import RememberedAnswer
from commontime.core.rows import Listed
from commontime.core.turns import take_turns

READING = {"GET", "HEAD", "OPTIONS"}
LARGEST_BODY = 1_000_000
DEEPEST_BODY = 32
MOST_BRACKETS = 2500
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# Possessive, and with an end for strings that have none, so that it reads every byte once.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
LONGEST_LIST = 1000
REMEMBERED = timedelta(hours=24)


if TYPE_CHECKING:

    class Request(AnyRequest):
        """A request to one of our views: whoever asks is signed in, and the body is an object."""

        user: User
        data: dict[str, Any]

else:
    Request = AnyRequest


# Who asks -----------------------------------------------------------------------------------------


class SignedIn(BaseAuthentication):
    """The holder of an access token whose sign-in still holds."""

    def authenticate(self, request: AnyRequest) -> tuple[User, None]:
        kind, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not raw:
            raise Unidentified(
                "Sign in and send the access token as Authorization: Bearer.",
                code="not_authenticated",
            )
        access = tokens.read_access(raw)
        view, path = request.parser_context["view"], request.parser_context["kwargs"]
        along = calendars.path.along(path.get("calendar_id"), path.get("meeting_id"))
        if view.key:
            along.append(_known_under(view))
        user = accounts.signed_in(access.session_id, epoch=access.epoch, along=along)
        if user is None:
            raise Unidentified("You are signed out; sign in again.", code="token_not_valid")
        return user, None

    def authenticate_header(self, request: AnyRequest) -> str:
        return "Bearer"


# What they sent -----------------------------------------------------------------------------------


class AlwaysJSON(BaseContentNegotiation):
    """There is one kind of answer, whatever Accept says; no browsable API."""

    def select_parser(self, request: AnyRequest, parsers: Iterable[Any]) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next(iter(parsers)) if content_type == "application/json" else None

    def select_renderer(
        self, request: AnyRequest, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JSON(BaseParser):
    """A JSON object of at most 1 MB and 32 levels (RFC 8259: UTF-8, no NaN, no lone surrogates)."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise errors.TooLarge("Send at most 1 MB.")
        if _is_bottomless(body):
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


def _is_bottomless(body: bytes) -> bool:
    """Tell JSON so deep that the decoder, a call for each level, would overrun the stack of a
    granian thread and kill the process.

    Looks closer only at more brackets than our largest requests have: 2,000 times.
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


def parse(
    shape: type[serializers.Serializer[Any]],
    request: Request,
    *,
    zone: Any = None,
    partial: bool = False,
) -> dict[str, Any]:
    """Return the body's fields as the shape reads them; all refusals at once. Naive times are local
    in `zone`.
    """
    serializer = shape(
        data=request.data, partial=partial, context={"zone": zone, "request": request}
    )
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)


class Replay(Exception):
    """The answer to this POST is known already."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


class View(APIView):
    """A view of the API. Of what it changes, nothing is done twice (Idempotency-Key) and nothing
    against a state not seen (If-Match).
    """

    public = False
    # A view of one object, which `get` shows: its ETag can guard a change.
    single = False
    # Whether the answer to a POST with an Idempotency-Key is kept; one that holds a secret must not
    # lie in a table.
    remembers = True
    # Whether only the calendar's owner changes something here: nobody else gets an answer again, or
    # hears that If-Match is stale.
    for_owner = False
    authentication_classes = [SignedIn]
    parser_classes = [JSON]
    content_negotiation_class = AlwaysJSON

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.public else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        # Whoever gets past the authenticator is signed in; what they may do is asked by the
        # actions.
        return []

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the object of this path as it is now; what If-Match names is compared with its ETag."""
        show: Any = self.get  # type: ignore[attr-defined]
        return cast(HttpResponse, show(request, *args, **kwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # From META: to make `headers` costs as much as the rest of this.
        self.key = (
            request.META.get("HTTP_IDEMPOTENCY_KEY", "")
            if request.method == "POST" and self.remembers and not self.public
            else ""
        )
        self.condition = (
            request.META.get("HTTP_IF_MATCH", "")
            if self.single and request.method not in READING
            else ""
        )
        self.known: RememberedAnswer | None = None
        self.claim: RememberedAnswer | None = None
        self.in_transaction = bool(self.key or self.condition)
        if not self.in_transaction:
            return cast(HttpResponse, super().dispatch(request, *args, **kwargs))
        _receive(request)
        # What is compared, changed and remembered, is so in one transaction: all of it happened, or
        # nothing did.
        with transaction.atomic():
            # Before anything is read, so before it is known who asks: two people with one key wait
            # for each other too.
            if self.condition:
                take_turns(f"If-Match {request.path.rstrip('/')}")
            if self.key:
                take_turns(f"Idempotency-Key {self.key}")
            response = cast(HttpResponse, super().dispatch(request, *args, **kwargs))
            if self.claim is not None:
                _settle(self.claim, response)
        return response

    def initial(self, request: AnyRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
            raise errors.TooLarge("Send at most 1 MB.")
        if self.condition and not _names(
            self.condition, self.present(request, *args, **kwargs).headers["ETag"]
        ):
            if not _may_change(request, self):
                raise NotAllowed("Only the organiser can change this.")
            raise errors.Stale(
                "This has changed since you read it. Read it again and repeat your change if it "
                "still makes sense."
            )
        if self.key:
            self.claim = _claim(request, self)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Replay):
            return exc.response
        return super().handle_exception(exc)


def _receive(request: HttpRequest) -> None:
    """Take in the whole body before anything is locked: somebody who sends slowly must not make
    others wait.
    """
    with suppress(RequestDataTooBig):  # refused by its length later
        _ = request.body


_ANSWER = rows.Columns(RememberedAnswer, "k")


def _known_under(view: View) -> accounts.Along:
    """Return what finds the answer under the request's key in the statement that finds the sign-in,
    for `view.known`.
    """

    def read(_user: User, row: tuple[Any, ...]) -> None:
        view.known = None if row[0] is None else _ANSWER.read(row)

    join = "LEFT JOIN core_rememberedanswer k ON k.user_id = u.id AND k.key = %s"
    return accounts.Along(_ANSWER.sql, join, [view.key], len(_ANSWER), read)


def _claim(request: AnyRequest, view: View) -> RememberedAnswer | None:
    """Return what the answer will be kept as; Replay if this request was answered before. None if
    it was to somebody who then might do more than now: they are answered as without the key.
    """
    key, known = view.key, view.known
    if len(key) > 255 or not key.isprintable():
        raise InvalidInput("An Idempotency-Key can have at most 255 printable characters.")
    path, _, query = request.get_full_path().partition("?")
    fingerprint = hashlib.sha256(
        b"\0".join([path.rstrip("/").encode(), query.encode(), request._request.body])
    ).hexdigest()
    mine = RememberedAnswer(
        user=cast(User, request.user), key=key, fingerprint=fingerprint, created_at=clock.now()
    )
    if known is None:
        return mine
    if known.created_at <= mine.created_at - REMEMBERED:
        known.delete()
        return mine
    if known.fingerprint != fingerprint:
        raise errors.KeyReused(
            "This Idempotency-Key has already been used for a different request; use a new one."
        )
    if not _may_still(request, view):
        return None
    raise Replay(_replayed(known))


def _may_still(request: AnyRequest, view: View) -> bool:
    """Return whether the asker still sees what the path names, and may change it. The sign-in
    looked it up.
    """
    user, path = cast(User, request.user), request.parser_context["kwargs"]
    try:
        if "meeting_id" in path:
            calendars.meetings.meeting_for(
                user, path["meeting_id"], calendar_id=path.get("calendar_id")
            )
        elif "calendar_id" in path:
            calendars.calendars.calendar_for(user, path["calendar_id"])
    except (NotFound, NotAllowed):
        return False
    return _may_change(request, view)


def _may_change(request: AnyRequest, view: View) -> bool:
    """Return whether the asker, who sees the path's calendar, owns it if that takes its owner."""
    user, path = cast(User, request.user), request.parser_context["kwargs"]
    return not view.for_owner or rules.may_manage(
        user, calendars.calendars.calendar_for(user, path["calendar_id"])
    )


def _replayed(known: RememberedAnswer) -> HttpResponse:
    headers = {"Idempotency-Replayed": "true"}
    if known.location:
        headers["Location"] = known.location
    if not known.body:
        return HttpResponse(status=known.status, headers=headers)
    body = bytes(known.body)
    return HttpResponse(
        body,
        status=known.status,
        content_type="application/json",
        headers={**headers, "ETag": etag_of(body)},
    )


def _settle(claim: RememberedAnswer, response: HttpResponse) -> None:
    """Keep the answer under its key, unless nothing was done."""
    if response.status_code < 400:
        claim.status, claim.body = response.status_code, response.content
        claim.location = response.headers.get("Location", "")
        claim.save(force_insert=True)


# How an answer leaves -----------------------------------------------------------------------------


def shown(
    request: Request,
    body: Any,
    *,
    status: int = 200,
    location: str = "",
    beside: dict[str, Any] | None = None,
    etag: str = "",
) -> HttpResponse:
    """Answer with JSON. A single object carries its ETag; a GET that has it already gets 304.

    What is told `beside` the object (warnings, fresh tokens) is no part of it, so the ETag is the
    one that the next GET has too.
    """
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    tag = etag or etag_of(content)
    if (
        request.method in {"GET", "HEAD"}
        and status == 200
        and _names(request.META.get("HTTP_IF_NONE_MATCH"), tag)
    ):
        return not_modified(tag)
    if beside:
        content = content[:-1] + b"," + msgspec.json.encode(beside)[1:]
    response = HttpResponse(
        content, status=status, content_type="application/json", headers={"ETag": tag}
    )
    if location:
        response["Location"] = location
    return response


def not_modified(tag: str) -> HttpResponse:
    return HttpResponse(status=304, headers={"ETag": tag})


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def has_current(request: Request, tag: str) -> bool:
    """Return whether the asker's copy is the one with this tag."""
    return _names(request.META.get("HTTP_IF_NONE_MATCH"), tag)


def _names(header: str | None, tag: str) -> bool:
    if not header:
        return False
    return header.strip() == "*" or tag in {
        part.strip().removeprefix("W/") for part in header.split(",")
    }


def gone() -> HttpResponse:
    return HttpResponse(status=204)


def page(
    request: Request, rows: QuerySet[Any], *, order: Sequence[str]
) -> tuple[list[Any], dict[str, str]]:
    """Return at most 1,000 rows in the given order (a leading - descends; the last key is unique),
    and the Link header to the next.

    The cursor holds the last row's keys, so a page costs the same wherever it is, and rows that
    come or go do not shift the others.
    """
    keys = [name.removeprefix("-") for name in order]

    def fetch(after: list[Any] | None, limit: int) -> tuple[list[Any], Callable[[int], list[Any]]]:
        behind = rows.filter(_after(order, _values(rows, keys, after))) if after else rows
        found = list(behind.order_by(*order)[:limit])
        return found, lambda row: [_key(found[row], name) for name in keys]

    return _paged(request, fetch)


def page_of(request: Request, rows: Listed) -> tuple[list[Any], dict[str, str]]:
    """Return a page, as `page` does, of a list by hand: tuples."""
    return _paged(request, rows.fetch)


type Fetch = Callable[[list[Any] | None, int], tuple[list[Any], Callable[[int], list[Any]]]]


def _paged(request: Request, fetch: Fetch) -> tuple[list[Any], dict[str, str]]:
    size = _page_size(request)
    cursor = request.query_params.get("cursor")
    found, keys_of = fetch(_read_cursor(request, cursor) if cursor else None, size + 1)
    if len(found) <= size:
        return found, {}
    query = request.query_params.copy()
    query["cursor"] = _signer(request).sign_object(msgspec.to_builtins(keys_of(size - 1)))
    return found[:size], {
        "Link": f'<{settings.COMMONTIME_BASE_URL}{request.path}?{query.urlencode()}>; rel="next"'
    }


def _signer(request: Request) -> Signer:
    return Signer(salt=f"commontime.cursor {request.path.rstrip('/')}")


def _page_size(request: Request) -> int:
    raw = request.query_params.get("page_size", "")
    if not raw:
        return LONGEST_LIST
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or int(raw) < 1:
        raise InvalidInput("page_size must be a whole number from 1 to 1000.", field="page_size")
    return min(int(raw), LONGEST_LIST)


def _key(row: Any, name: str) -> Any:
    for step in name.split("__"):
        row = getattr(row, step)
    return row


def _read_cursor(request: Request, cursor: str) -> list[Any]:
    """Return the keys in a cursor that we signed for this list: nobody can make one up."""
    try:
        return list(_signer(request).unsign_object(cursor))
    except (BadSignature, ValueError):
        raise InvalidInput(
            "This cursor isn’t valid; start again without it.", field="cursor"
        ) from None


def _values(rows: QuerySet[Any], keys: Sequence[str], after: Sequence[Any]) -> list[Any]:
    return [
        _field(rows.model, name).to_python(value) for name, value in zip(keys, after, strict=True)
    ]


def _field(model: Any, name: str) -> Any:
    *path, last = name.split("__")
    for step in path:
        model = model._meta.get_field(step).related_model
    return model._meta.get_field(last)


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition for rows behind the given keys: (a, b) > (x, y), spelled out."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        key = name.removeprefix("-")
        condition |= equal & Q(**{f"{key}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{key: value})
    return condition


def listed(
    request: Request, rows: Iterable[Any], links: dict[str, str] | None = None
) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(list(rows)), content_type="application/json", headers=links or {}
    )


def moment_param(request: Request, name: str, zone: Any) -> datetime | None:
    """Return a query parameter as a UTC moment."""
    raw = request.query_params.get(name)
    if not raw:
        return None
    try:
        return fields.instant(
            raw.replace(" ", "+") if raw.count(" ") == 1 and "T" in raw else raw, zone
        )
    except serializers.ValidationError as refusal:
        raise serializers.ValidationError({name: refusal.detail}) from None


def whole_param(request: Request, name: str, *, least: int, most: int) -> int | None:
    raw = request.query_params.get(name)
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not least <= int(raw) <= most:
        raise InvalidInput(f"{name} is a whole number from {least} to {most}.", field=name)
    return int(raw)
