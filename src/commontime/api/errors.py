"""Turn refusals into answers: `{code, detail, fields?}` with a status."""

from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404
from rest_framework import exceptions as drf

from commontime.core import errors
from commontime.core.shapes import Fields


class Stale(errors.Refusal):
    """If-Match names a state that is not current."""

    code = "stale"


class KeyReused(errors.Refusal):
    """An Idempotency-Key came with another request before."""

    code = "idempotency_key_reused"


class TooLarge(errors.Refusal):
    code = "too_large"


STATUS: list[tuple[type[Exception], int]] = [
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.InvalidInput, 400),
    (errors.Conflict, 409),
    (errors.Unidentified, 401),
    (errors.TooMany, 429),
    (Stale, 412),
    (KeyReused, 422),
    (TooLarge, 413),
]
# What Django and REST framework raise by themselves.
OUTSIDE: list[tuple[tuple[type[Exception], ...], int, str, str]] = [
    (
        (drf.NotAuthenticated, drf.AuthenticationFailed),
        401,
        "not_authenticated",
        "Sign in and send the access token as Authorization: Bearer.",
    ),
    (
        (drf.UnsupportedMediaType,),
        415,
        "not_json",
        "Send JSON with the header Content-Type: application/json.",
    ),
    (
        (drf.PermissionDenied, PermissionDenied),
        403,
        "not_allowed",
        "You’re not allowed to do this.",
    ),
    (
        (Http404, drf.NotFound, Resolver404),
        404,
        "not_found",
        "There is nothing here. /docs/ lists every path.",
    ),
    ((RequestDataTooBig,), 413, "too_large", "Send at most 1 MB."),
    ((SuspiciousOperation,), 400, "invalid_request", "This request can’t be read."),
]
TIME_CODES = {"nonexistent_time", "ambiguous_time"}


def answer(exception: Exception, context: Any = None) -> HttpResponse | None:
    """Translate what a view raised. None for our own mistake or an outage."""
    match exception:
        case errors.Refusal():
            return _refusal(exception)
        case drf.ValidationError():
            return _invalid_input(exception)
        case drf.MethodNotAllowed():
            return _method_not_allowed(context)
    for kinds, status, code, detail in OUTSIDE:
        if isinstance(exception, kinds):
            return problem(status, code, detail)
    if isinstance(exception, drf.APIException):
        return problem(exception.status_code, "invalid_input", str(exception.detail))
    return None


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    fields: Any = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> HttpResponse:
    """Answer with an error, in the one shape."""
    body: Fields = {"code": code, "detail": detail}
    if status == 400:
        body["fields"] = fields or {}
    response = HttpResponse(
        msgspec.json.encode({**body, **extra}),
        status=status,
        content_type="application/json",
        headers=headers,
    )
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _refusal(refusal: errors.Refusal) -> HttpResponse:
    status = next(status for kind, status in STATUS if isinstance(refusal, kind))
    headers = {}
    if isinstance(refusal, errors.TooMany):
        headers["Retry-After"] = str(refusal.retry_after)
    fields = refusal.fields if isinstance(refusal, errors.InvalidInput) else None
    extra = getattr(refusal, "extra", {})
    return problem(status, refusal.code, refusal.detail, fields=fields, headers=headers, **extra)


def _invalid_input(refusal: drf.ValidationError) -> HttpResponse:
    """Answer with every refused field. A single code about time says more than invalid_input."""
    fields: dict[str, list[str]] = {}
    for name, sentence in _leaves(refusal.detail):
        fields.setdefault(name or "body", []).append(sentence)
    codes = {code for _, code in _leaves(refusal.get_codes())}
    code = codes.pop() if len(codes) == 1 and codes <= TIME_CODES else "invalid_input"
    return problem(400, code, "Please correct the fields listed here.", fields=fields)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in nested refusals, with its field.

    Nested fields have dots in their names, and rows their index: `windows.3.end_time`.
    """
    match value:
        case dict():
            for name, inner in value.items():
                step = "" if name == "non_field_errors" else str(name)
                yield from _leaves(inner, f"{path}.{step}" if path and step else path or step)
        case list():
            for index, inner in enumerate(value):
                row = f"{path}.{index}" if path else str(index)
                yield from _leaves(inner, path if isinstance(inner, str) else row)
        case _:
            yield path, str(value)


def _method_not_allowed(context: Any) -> HttpResponse:
    allow = ", ".join(context["view"].allowed_methods) if context else ""
    detail = f"This path answers {allow or 'other methods'}."
    return problem(405, "method_not_allowed", detail, headers={"Allow": allow})


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(Http404())  # type: ignore[return-value]


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(SuspiciousOperation())  # type: ignore[return-value]


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(PermissionDenied())  # type: ignore[return-value]


def server_error(request: HttpRequest) -> HttpResponse:
    return problem(
        500, "our_mistake", "That was our mistake, and it is noted. Nothing was changed."
    )
