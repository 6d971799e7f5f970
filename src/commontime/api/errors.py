"""Refusals -> the one JSON shape `{code, detail, fields?}`: the only place where the API's status
codes are chosen.
"""

import logging
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404
from rest_framework import exceptions as drf

from commontime.core import errors

logger = logging.getLogger(__name__)

STATUS: list[tuple[type[Exception], int]] = [
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.InvalidInput, 400),
    (errors.Conflict, 409),
    (errors.Unidentified, 401),
    (errors.TooMany, 429),
]


class Stale(errors.Refusal):
    """If-Match names another state than the present one."""

    code = "stale"


class KeyReused(errors.Refusal):
    code = "idempotency_key_reused"


class TooLarge(errors.Refusal):
    code = "too_large"


class NotJSON(errors.Refusal):
    code = "not_json"


STATUS += [(Stale, 412), (KeyReused, 422), (TooLarge, 413), (NotJSON, 415)]


def answer(exception: Exception, context: Any = None) -> HttpResponse | None:
    """Translate what a view raised; None for what is nobody's refusal but our mistake or an outage."""
    if isinstance(exception, errors.Refusal):
        status = next(status for kind, status in STATUS if isinstance(exception, kind))
        headers = {}
        if isinstance(exception, errors.TooMany):
            headers["Retry-After"] = str(exception.retry_after)
        fields = exception.fields if isinstance(exception, errors.InvalidInput) else None
        extra = getattr(exception, "extra", {})
        return shaped(
            status, exception.code, exception.detail, fields=fields, headers=headers, **extra
        )
    match exception:
        case drf.ValidationError():
            fields = _fields(exception.detail)
            return shaped(
                400,
                _one_code(exception) or "invalid_input",
                "Please correct the fields named here.",
                fields=fields,
            )
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return shaped(
                401,
                "not_authenticated",
                "Sign in and send the access token as Authorization: Bearer.",
            )
        case drf.MethodNotAllowed():
            allow = ", ".join(context["view"].allowed_methods) if context else ""
            return shaped(
                405,
                "method_not_allowed",
                f"This path answers {allow or 'other methods'}.",
                headers={"Allow": allow},
            )
        case drf.UnsupportedMediaType():
            return shaped(
                415, "not_json", "Send JSON with the header Content-Type: application/json."
            )
        case drf.PermissionDenied() | PermissionDenied():
            return shaped(403, "not_allowed", "You may not do this.")
        case Http404() | drf.NotFound() | Resolver404():
            return shaped(404, "not_found", "There is nothing here. /docs/ lists every path.")
        case RequestDataTooBig():
            return shaped(413, "too_large", "Send at most 1 MB.")
        case SuspiciousOperation():
            return shaped(400, "invalid_request", "This request can't be read.")
        case drf.APIException():
            return shaped(exception.status_code, "invalid_input", str(exception.detail))
    return None


def shaped(
    status: int,
    code: str,
    detail: str,
    *,
    fields: Any = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> HttpResponse:
    body: dict[str, Any] = {"code": code, "detail": detail}
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


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(Http404())  # type: ignore[return-value]


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(SuspiciousOperation())  # type: ignore[return-value]


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(PermissionDenied())  # type: ignore[return-value]


def server_error(request: HttpRequest) -> HttpResponse:
    return shaped(500, "our_mistake", "That was our mistake, and it is noted. Nothing was changed.")


def _fields(detail: Any) -> dict[str, list[str]]:
    """Flatten DRF's nested refusals to `field -> sentences`; what stands deeper is named with dots,
    rows by their index.
    """
    flat: dict[str, list[str]] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                step = "" if name == "non_field_errors" else str(name)
                walk(inner, f"{path}.{step}" if path and step else path or step)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(
                    inner,
                    path if isinstance(inner, str) else f"{path}.{index}" if path else str(index),
                )
        else:
            flat.setdefault(path or "body", []).append(str(value))

    walk(detail, "")
    return flat


def _one_code(exception: drf.ValidationError) -> str | None:
    """Return the code of the refusal when it has exactly one of ours (such as nonexistent_time)."""
    codes: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        else:
            codes.add(str(value))

    walk(exception.get_codes())
    return (
        next(iter(codes))
        if len(codes) == 1 and codes <= {"nonexistent_time", "ambiguous_time"}
        else None
    )
