"""The OpenAPI text (/schema/) and its page (/docs/).

They are read from the views and their shapes, so they say what those do.
"""

import re
import threading
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from typing import Any, NamedTuple, cast, get_args, get_origin

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
from commontime.api.docs import PAGING, Problem
from commontime.api.request import Request
from commontime.api.view import View
from commontime.core.shapes import Fields

_MAKING = threading.Lock()

# What is answered ---------------------------------------------------------------------------------


class Refusals(NamedTuple):
    """The refusals of one status, and their usual codes."""

    codes: list[str]
    description: str


DONE = {
    200: "The current state.",
    201: "It has been created.",
    202: "It will be done.",
    204: "It has been done.",
}
REFUSALS = {
    400: Refusals(["invalid_input"], "The input is refused. `fields` says why, field by field."),
    401: Refusals(
        ["not_authenticated", "token_not_valid"], "There is no access token, or it no longer works."
    ),
    403: Refusals(["not_allowed"], "You may see this, but not do it."),
    404: Refusals(["not_found"], "It doesn’t exist, or it is hidden from you."),
    409: Refusals([], "It conflicts with the current state."),
    412: Refusals(["stale"], "It has changed since the state that If-Match names."),
    413: Refusals(["too_large"], "The body is larger than 1 MB."),
    415: Refusals(["not_json"], "The body isn’t sent as application/json."),
    422: Refusals(
        ["idempotency_key_reused"], "This Idempotency-Key came with a different request before."
    ),
    429: Refusals(["too_many_requests"], "Too many requests. Retry-After says how long to wait."),
    503: Refusals(["unavailable"], "The database isn’t responding. Nothing was changed."),
}
BODY_CODES = ["not_valid_json"]
TIME_CODES = ["nonexistent_time", "ambiguous_time"]


def _header(description: str, **schema: Any) -> Fields:
    return {"description": description, "schema": {"type": "string", **schema}}


ETAG = _header("Names this state, for If-None-Match and If-Match.")
RETRY_AFTER = _header("Seconds to wait.", pattern=r"^\d+$")
ANSWER_HEADERS = {
    "ETag": ETAG,
    "Link": _header('`<…>; rel="next"` if there is a next page.'),
    "Location": _header("Where the new object is.", format="uri-reference"),
    "Idempotency-Replayed": _header("`true` if this is the answer to an earlier request."),
}
REFUSAL_HEADERS = {
    401: {"WWW-Authenticate": _header("`Bearer`")},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description=(
        "The request is done once per key. Sent again within 24 hours, it gets the same answer, as "
        "long as you may still see it. Refused requests are not remembered."
    ),
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag you read. Only that state is changed.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag you have. The answer is 304 if it is the current one.",
)

# How a view is described --------------------------------------------------------------------------


class Schema(AutoSchema):
    """Describes an operation from its view.

    The first line of the view's docstring is the summary, the rest the description.
    """

    view: Any

    def get_summary(self) -> str:
        return self._docstring()[0]

    def get_description(self) -> str:  # type: ignore[override]
        return self._docstring()[2].strip()

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2].replace("_", " ")]

    def get_operation_id(self) -> str:
        name = type(self.view).__name__.removesuffix("View")
        return f"{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower()}_{self.method.lower()}"

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
        name = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return str(name).removeprefix("Patched")

    def _get_response_bodies(self, direction: str = "response") -> Fields:
        codes = self._implied_codes()
        answers: Fields = {}
        for status, shape in self._declared().items():
            if isinstance(shape, str):
                usual = REFUSALS[status].codes
                codes[status] = [*usual, *codes.get(status, ()), *shape.split()]
            else:
                answers[str(status)] = self._answer(status, shape)
        if self._has_etag() and self.method == "GET":
            answers["304"] = {
                "description": "You have the current state.",
                "headers": {"ETag": ETAG},
            }
        refusals = {
            str(status): self._refusal(status, list(dict.fromkeys(codes[status])))
            for status in sorted(codes)
        }
        return answers | refusals

    # What was declared, and what follows from it

    def _docstring(self) -> tuple[str, str, str]:
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

    def _implied_codes(self) -> dict[int, list[str]]:
        """Return the codes nobody has to declare, by status."""
        body = self._body()
        codes = {
            status: list(REFUSALS[status].codes)
            for status, applies in self._implied_statuses(body).items()
            if applies
        }
        if body and 400 in codes:
            codes[400] += BODY_CODES
        if 400 in codes and (_has_times(body) or any(map(_is_time, self._parameters()))):
            codes[400] += TIME_CODES
        return codes

    def _implied_statuses(self, body: Any) -> dict[int, bool]:
        is_in_query = any(each.location == OpenApiParameter.QUERY for each in self._parameters())
        return {
            400: bool(body) or is_in_query or self._takes_key(),
            401: not self.view.public,
            404: "{" in self.path and not self.view.public,
            412: self._takes_if_match(),
            413: bool(body),
            415: bool(body),
            422: self._takes_key(),
            503: True,
        }

    def _parameters(self) -> list[OpenApiParameter]:
        return cast(list[OpenApiParameter], self.get_override_parameters())

    # How it is written down

    def _answer(self, status: int, shape: Any) -> Fields:
        if isinstance(shape, tuple):
            media_type, description = shape
            content = {media_type: {"schema": {"type": "string"}}}
            return {"description": description, "content": content}
        is_object = _is_struct(shape)
        headers = {
            "ETag": is_object,
            "Link": PAGING[0] in self._parameters(),
            "Location": shape is not None and status == 201,
            "Idempotency-Replayed": self._takes_key(),
        }
        wanted = {name: ANSWER_HEADERS[name] for name, applies in headers.items() if applies}
        answer: Fields = {"headers": wanted} if wanted else {}
        if shape is None:
            return {"description": DONE[status], **answer}
        description = cleandoc(shape.__doc__ or "") if is_object else "A page of the list."
        content = {"application/json": {"schema": self._schema_of(shape)}}
        return {"description": description or DONE[status], "content": content, **answer}

    def _refusal(self, status: int, codes: list[str]) -> Fields:
        code = {"type": "object", "properties": {"code": {"enum": codes}}}
        schema = {"allOf": [self._schema_of(Problem), code]}
        headers = {"headers": REFUSAL_HEADERS[status]} if status in REFUSAL_HEADERS else {}
        response = {
            "description": REFUSALS[status].description,
            "content": {"application/json": {"schema": schema}},
            **headers,
        }
        if codes != REFUSALS[status].codes:
            return response
        return self._component(f"Problem{status}", ResolvedComponent.RESPONSE, response, Problem)

    def _schema_of(self, shape: Any) -> Fields:
        (schema,), components = msgspec.json.schema_components(
            [shape], schema_hook=_choices, ref_template="#/components/schemas/{name}"
        )
        structs: Fields = {}
        for struct in _structs_in(shape):
            structs.setdefault(struct.__name__, struct)
        for name, component in components.items():
            component.pop("title", None)
            self._component(name, ResolvedComponent.SCHEMA, component, structs.get(name, Schema))
        return schema

    def _component(self, name: str, kind: str, schema: Fields, thing: Any) -> Fields:
        """Write the schema down once, and return its reference.

        drf-spectacular warns of two things under one name.
        """
        component = ResolvedComponent(name, kind, schema, thing)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component.ref


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _choices(kind: type) -> Fields:
    """Describe one of our enums for msgspec. It knows only the plain ones."""
    if issubclass(kind, TextChoices):
        return {"type": "string", "enum": kind.values}
    raise NotImplementedError


def _structs_in(shape: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the structs that a shape consists of, each once."""
    known, waiting = set(), [shape]
    while waiting:
        part = waiting.pop()
        waiting.extend(get_args(part))
        if _is_struct(part) and part not in known:
            known.add(part)
            waiting.extend(field.type for field in msgspec.structs.fields(part))
            yield part


def _is_time(parameter: OpenApiParameter) -> bool:
    return isinstance(parameter.type, dict) and parameter.type.get("format") == "date-time"


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
            "description": "The access token from /login/ or /token/.",
        }


class TextField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.Text"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Fields:
        least = {} if self.target.allow_blank else {"minLength": 1}
        return {"type": "string", **least, "maxLength": self.target.longest}


class VerbatimField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.Verbatim"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Fields:
        return {"type": "string"} if self.target.allow_blank else {"type": "string", "minLength": 1}


class UserIdField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "commontime.api.fields.UserId"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Fields:
        return {"type": "integer", "minimum": 1, "description": "The id of a user."}


# The whole text -----------------------------------------------------------------------------------

INTRODUCTION = """
Find the time that suits the whole group. JSON in, JSON out.

* **Sign in**: `POST /login/` gives an access token for ten minutes and a refresh token. Send
  `Authorization: Bearer <access>`.
* **Seeing**: what is hidden from you answers 404, like an id that doesn't exist. What you may see
  but not change answers 403.
* **Errors** all have the shape of `Problem`. 405 lists the methods in `Allow`.
* **Times** are ISO 8601. Without an offset they are local in the calendar's `time_zone`. A local
  time that doesn't exist or happens twice because the clocks change is refused
  (`nonexistent_time`, `ambiguous_time`), with the two moments it may mean. Fractions of a second
  are cut to microseconds. Answers are in UTC. Periods are half-open: they include their start, but
  not their end.
* **PUT** takes some of the fields and leaves the others unchanged; `PATCH` is the same. Unknown and
  read-only fields are ignored.
* **Lists** have at most 1,000 items a page. The `Link` header leads to the next page.
* **Slashes** at the end of a path are optional.
* **Retry** a POST safely with an `Idempotency-Key`. It is ignored where nobody is signed in yet
  (such as `/signup/` and `/login/`), and where the answer may hold a secret or goes with the
  account: `/profile/edit/`, `/profile/feed/rotate/`, `/profile/delete/`.
* **Guard** a change against somebody else's with `If-Match`.
* **Warnings**: a change that is allowed but probably not wanted is made, and its answer has
  `warnings`. With `"strict": true` it is refused with 409.
"""
TAGS = {
    "accounts": "Signing up and in, your profile, its settings and sign-ins.",
    "calendars": "Groups that plan together.",
    "participants": "The people in a calendar.",
    "non busy times": "When people are free, and when how many of them can come.",
    "meetings": "Meetings that need a time, and confirmed ones.",
    "plans": "Many meetings at once: one-on-ones and joint plans.",
    "suggestions": "Starts that people suggest, and the best times, computed.",
    "insights": "Why a meeting's best time is the best, and what could change it.",
    "invitations": "Inviting people to a calendar, and emailing them.",
    "contacts": "The people you plan with.",
    "health": "Whether the service is alive and ready.",
}


def finish(result: Fields, **context: Any) -> Fields:
    """Add what no single view says: drf-spectacular's postprocessing hook."""
    result["info"]["description"] = INTRODUCTION.strip()
    result["tags"] = [
        {"name": name, "description": description} for name, description in TAGS.items()
    ]
    return result


def text() -> tuple[bytes, str]:
    """Return the OpenAPI text and its ETag. They are made once a process."""
    # drf-spectacular fails if two threads begin at once.
    with _MAKING:
        return _text()


@cache
def _text() -> tuple[bytes, str]:
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
