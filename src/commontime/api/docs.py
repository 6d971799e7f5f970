"""The OpenAPI text (/schema/) and its page (/docs/): read from the views and shapes, so that it
cannot drift from what they do.

A view says in `extend_schema` what it takes, what it answers as a msgspec struct, and which
refusals are its own, by their codes: `responses={201: ParticipantOutput, 403: "not_allowed
invitation_required", 409: "already_participant"}`. What follows from how a view is made (401, 404,
413, ETag, Idempotency-Key, …) is added here.
"""

import re
from collections.abc import Iterable
from functools import cache
from inspect import cleandoc
from typing import Any, cast, get_args, get_origin

import msgspec
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from commontime.api.answers import etag_of, json_answer
from commontime.api.paging import LONGEST_LIST
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars.actions.checks import Caution

# What shapes share --------------------------------------------------------------------------------


class Warning(msgspec.Struct):
    """Something allowed but probably not wanted. Send `"strict": true` to have it refused with 409
    instead.
    """

    code: str
    detail: str
    users: list[int] | msgspec.UnsetType = msgspec.UNSET
    meeting: str | msgspec.UnsetType = msgspec.UNSET


class Problem(msgspec.Struct):
    """Every error: `code`, a word for a program; `detail`, a sentence with the way out for a
    person; `fields` with 400 only.
    """

    code: str
    detail: str
    fields: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    warnings: list[Warning] | msgspec.UnsetType = msgspec.UNSET


STRICT = "true: refuse with 409 what would only be warned of."


def warned(cautions: Iterable[Caution]) -> dict[str, Any]:
    shown = [
        {"code": caution.code, "detail": caution.detail, **caution.about} for caution in cautions
    ]
    return {"warnings": shown} if shown else {}


def partial(shape: type[serializers.Serializer[Any]]) -> Any:
    """Return the shape with every field optional, for PUT and PATCH, which take a subset."""
    return shape(partial=True)


def query(
    name: str, description: str, *, choices: Iterable[str] = (), pattern: str = ""
) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, description=description, enum=list(choices) or None, pattern=pattern or None
    )


def moment(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        {"type": "string", "format": "date-time"},
        description=f"{description} Without an offset: local.",
    )


def whole(name: str, description: str, *, least: int, most: int) -> OpenApiParameter:
    return OpenApiParameter(
        name, {"type": "integer", "minimum": least, "maximum": most}, description=description
    )


PAGING = [
    whole(
        "page_size",
        f"How many items at most; {LONGEST_LIST} if left out.",
        least=1,
        most=LONGEST_LIST,
    ),
    query(
        "cursor",
        "From the Link header of the page before; it belongs to this list only.",
        pattern=r"^[A-Za-z0-9_:-]+$",
    ),
]

# What is answered ---------------------------------------------------------------------------------

DONE = {200: "As it is now.", 201: "It is made.", 202: "It will be done.", 204: "It is done."}
REFUSALS = {
    400: ("invalid_input", "The input is not accepted; `fields` tells why, field by field."),
    401: ("not_authenticated token_not_valid", "Nobody is signed in with this token (any more)."),
    403: ("not_allowed", "You may see this but not do it."),
    404: ("not_found", "It does not exist, or you may not know that it does."),
    409: ("", "It clashes with how things stand."),
    412: ("stale", "It has changed since the state that If-Match names."),
    413: ("too_large", "The body has more than 1 MB."),
    415: ("not_json", "The body is not sent as application/json."),
    422: ("idempotency_key_reused", "This Idempotency-Key came with another request before."),
    429: ("too_many_requests", "Too often; Retry-After tells how long to wait."),
    503: ("unavailable", "The database isn’t responding. Nothing was changed."),
}
BODY_CODES = ("not_valid_json",)
TIME_CODES = ("nonexistent_time", "ambiguous_time")


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


ETAG = _header("Names the state shown here, for If-None-Match and If-Match.")
LINK = _header('`<…>; rel="next"` when there is more.')
LOCATION = _header("Where the new object is.", format="uri-reference")
REPLAYED = _header("`true` when this answer was given before.")
RETRY_AFTER = _header("Seconds to wait.", pattern=r"^\d+$")
REFUSAL_HEADERS = {
    401: {"WWW-Authenticate": _header("`Bearer`")},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Done once per key: the same request again gets the same answer for 24 hours, as long as you may still see it. "
    "Refused ones are not remembered.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag you read: change only that state.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag you have: 304 if it is current.",
)

# How a view is described --------------------------------------------------------------------------


class Schema(AutoSchema):
    """What an operation takes and answers, from its view. Its docstring's first line is the
    summary, the rest the description.
    """

    view: Any

    def get_summary(self) -> str:
        return self._doc()[0]

    def get_description(self) -> str:  # type: ignore[override]
        return self._doc()[2].strip()

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2].replace("_", " ")]

    def get_operation_id(self) -> str:
        words = re.sub(
            r"(?<=[a-z])(?=[A-Z])", "_", type(self.view).__name__.removesuffix("View")
        ).lower()
        return f"{words}_{self.method.lower()}"

    def get_override_parameters(self) -> Any:
        headers = [
            (KEY, self._takes_key()),
            (IF_MATCH, self._takes_if_match()),
            (IF_NONE_MATCH, self._has_etag() and self.method == "GET"),
        ]
        return [parameter for parameter, applies in headers if applies]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self.method == "GET" and get_origin(self._declared().get(200)) is list

    def _get_serializer_name(
        self, serializer: Any, direction: str, bypass_extensions: bool = False
    ) -> str:
        # A shape is taken either whole or in part, never both, so a part needs no name of its own.
        return str(
            super()._get_serializer_name(serializer, direction, bypass_extensions)
        ).removeprefix("Patched")

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        codes = self._implied_refusals()
        answers: dict[str, Any] = {}
        for status, shape in self._declared().items():
            if isinstance(shape, str):
                codes[status] = [
                    *REFUSALS[status][0].split(),
                    *codes.get(status, ()),
                    *shape.split(),
                ]
            else:
                answers[str(status)] = self._answer(status, shape)
        if self._has_etag() and self.method == "GET":
            answers["304"] = {
                "description": "You have the current state.",
                "headers": {"ETag": ETAG},
            }
        return answers | {
            str(status): self._refusal(status, list(dict.fromkeys(codes[status])))
            for status in sorted(codes)
        }

    # What was declared, and what follows from it

    def _doc(self) -> tuple[str, str, str]:
        return cleandoc(getattr(self.view, self.method.lower()).__doc__ or "").partition("\n")

    def _declared(self) -> dict[int, Any]:
        return cast(dict[int, Any], self.get_response_serializers())

    def _body(self) -> Any:
        return None if self.method in {"GET", "DELETE"} else self.get_request_serializer()

    def _takes_key(self) -> bool:
        return self.method == "POST" and self.view.remembers and not self.view.public

    def _takes_if_match(self) -> bool:
        return self.view.single and self.method != "GET"

    def _has_etag(self) -> bool:
        return any(
            status in (200, 201, 202) and _is_struct(shape)
            for status, shape in self._declared().items()
        )

    def _implied_refusals(self) -> dict[int, list[str]]:
        body, parameters = self._body(), self.get_override_parameters()
        is_read = any(parameter.location == OpenApiParameter.QUERY for parameter in parameters)
        has_times = any(
            isinstance(p.type, dict) and p.type.get("format") == "date-time" for p in parameters
        ) or _has_times(body)
        statuses = {
            400: bool(body) or is_read or self._takes_key(),
            401: not self.view.public,
            404: "{" in self.path and not self.view.public,
            412: self._takes_if_match(),
            413: bool(body),
            415: bool(body),
            422: self._takes_key(),
            503: True,
        }
        codes = {
            status: REFUSALS[status][0].split() for status, applies in statuses.items() if applies
        }
        if 400 in codes:
            codes[400] += [*(BODY_CODES if body else ()), *(TIME_CODES if has_times else ())]
        return codes

    # How it is written down

    def _answer(self, status: int, shape: Any) -> dict[str, Any]:
        if shape is None:
            return {
                "description": DONE[status],
                **self._headers({"Idempotency-Replayed": self._takes_key()}),
            }
        if isinstance(shape, tuple):
            media_type, description = shape
            return {
                "description": description,
                "content": {media_type: {"schema": {"type": "string"}}},
            }
        headers = {
            "ETag": _is_struct(shape),
            "Link": PAGING[0] in self.get_override_parameters(),
            "Location": status == 201,
            "Idempotency-Replayed": self._takes_key(),
        }
        description = cleandoc(shape.__doc__ or "") if _is_struct(shape) else "A page of the list."
        content = {"application/json": {"schema": self._schema_of(shape)}}
        return {
            "description": description or DONE[status],
            "content": content,
            **self._headers(headers),
        }

    def _headers(self, wanted: dict[str, bool]) -> dict[str, Any]:
        known = {"ETag": ETAG, "Link": LINK, "Location": LOCATION, "Idempotency-Replayed": REPLAYED}
        headers = {name: known[name] for name, is_there in wanted.items() if is_there}
        return {"headers": headers} if headers else {}

    def _refusal(self, status: int, codes: list[str]) -> dict[str, Any]:
        usual, description = REFUSALS[status]
        code = {"type": "object", "properties": {"code": {"enum": codes}}}
        schema = {"allOf": [self._schema_of(Problem), code]}
        headers = {"headers": REFUSAL_HEADERS[status]} if status in REFUSAL_HEADERS else {}
        response = {
            "description": description,
            "content": {"application/json": {"schema": schema}},
            **headers,
        }
        if codes != usual.split():
            return response
        return self._component(f"Problem{status}", ResolvedComponent.RESPONSE, response, Problem)

    def _schema_of(self, shape: Any) -> dict[str, Any]:
        (schema,), components = msgspec.json.schema_components(
            [shape], schema_hook=_choices, ref_template="#/components/schemas/{name}"
        )
        structs = _structs_in(shape)
        for name, component in components.items():
            component.pop("title", None)
            self._component(name, ResolvedComponent.SCHEMA, component, structs.get(name, Schema))
        return schema

    def _component(
        self, name: str, kind: str, schema: dict[str, Any], thing: Any
    ) -> dict[str, Any]:
        """Write the schema down once, and return the reference to it. Two things under one name are
        warned of.
        """
        component = ResolvedComponent(name, kind, schema, thing)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component.ref


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _choices(kind: type) -> dict[str, Any]:
    """Describe one of our enums for msgspec, which knows only the plain ones."""
    if issubclass(kind, TextChoices):
        return {"type": "string", "enum": kind.values}
    raise NotImplementedError


def _structs_in(shape: Any) -> dict[str, Any]:
    """Return the struct of each name, so that two different ones under one name are noticed."""
    found: dict[str, Any] = {}
    waiting = [shape]
    while waiting:
        inner = waiting.pop()
        waiting.extend(get_args(inner))
        if _is_struct(inner) and inner.__name__ not in found:
            found[inner.__name__] = inner
            waiting.extend(field.type for field in msgspec.structs.fields(inner))
    return found


def _has_times(shape: Any) -> bool:
    if isinstance(shape, type) and issubclass(shape, serializers.BaseSerializer):
        shape = shape()
    if isinstance(shape, serializers.ListSerializer):
        shape = shape.child
    fields = shape.fields.values() if isinstance(shape, serializers.Serializer) else []
    return any(
        isinstance(field, serializers.DateTimeField) or _has_times(field) for field in fields
    )


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.request.SignedIn"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of /login/ or /token/.",
        }


class TextField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        least = {} if self.target.allow_blank else {"minLength": 1}
        return {"type": "string", **least, "maxLength": self.target.longest}


class VerbatimField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.Verbatim"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {"type": "string"} if self.target.allow_blank else {"type": "string", "minLength": 1}


class UserIdField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.UserId"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "description": "The id of a user."}


# The whole text -----------------------------------------------------------------------------------

INTRODUCTION = """
Find a group the time it has in common. JSON in, JSON out.

* **Sign in**: `POST /login/` gives an access token for ten minutes and a refresh token; send `Authorization: Bearer <access>`.
* **Seeing**: what you may not see does not exist for you: 404, as for an id that is nobody's. What you see but may not change: 403.
* **Errors** all look like `Problem`. 405 names the methods in `Allow`.
* **Times** are ISO 8601. Without an offset they are local in the calendar's `time_zone`; one that a change of the clocks skips or
  repeats is refused (`nonexistent_time`, `ambiguous_time`) with the two moments it may mean. Answers are in UTC. Periods are half-open.
* **PUT** takes a subset, what is missing stays; `PATCH` is the same. Unknown and read-only fields are ignored.
* **Lists** have at most 1,000 items a page; more are behind the `Link` header.
* **Slashes** at the end of a path can be left out.
* **Retry** a POST safely with an `Idempotency-Key`. It is ignored where nobody is signed in yet (such as `/signup/` and `/login/`), and
  where the answer may hold a secret or goes with the account: `/profile/edit/`, `/profile/feed/rotate/`, `/profile/delete/`.
* **Guard** a change against others' with `If-Match`.
* **Warnings**: a change that is allowed but probably not wanted is made, and its answer has `warnings`; with `"strict": true` it is 409.
"""
TAGS = {
    "accounts": "Signing up and in, the profile, its settings and sign-ins.",
    "calendars": "A group that plans together.",
    "participants": "Who takes part.",
    "non busy times": "When each is free, and the availability of all that follows.",
    "meetings": "Times to be found and fixed.",
    "plans": "Many meetings at once: one-on-ones, and joint plans.",
    "suggestions": "Starts that people suggest, and the best ones, computed.",
    "insights": "What is behind a meeting's best start.",
    "invitations": "Asking people to join, and mails to them.",
    "contacts": "People one keeps at hand.",
    "health": "Is the service alive and ready?",
}


def finish(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Add what no single view says (drf-spectacular's postprocessing hook)."""
    result["info"]["description"] = INTRODUCTION.strip()
    result["tags"] = [
        {"name": name, "description": description} for name, description in TAGS.items()
    ]
    return result


@cache
def text() -> tuple[bytes, str]:
    """Return the OpenAPI text and its ETag, made once a process."""
    generator = SchemaGenerator(urlconf="commontime.api.urls")  # type: ignore[no-untyped-call]
    body = msgspec.json.encode(generator.get_schema(public=True))  # type: ignore[no-untyped-call]
    return body, etag_of(body)


class SchemaView(View):
    public = True
    schema = None

    def get(self, request: Request) -> HttpResponse:
        body, tag = text()
        return json_answer(request, body, etag=tag)


class DocsView(View):
    public = True
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return page(request._request)


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")
