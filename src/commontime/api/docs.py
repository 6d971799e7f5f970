"""What resources share in the OpenAPI text: shapes and parameters.

A view says in `extend_schema` what it takes, what it answers as a msgspec struct, and the codes of
its own refusals: `responses={201: ParticipantOutput, 403: "not_allowed invitation_required", 409:
"already_participant"}`. What follows from how a view is made (401, 404, 413, ETag, Idempotency-Key,
…) is added in schema.py.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from commontime.api.paging import LONGEST_LIST
from commontime.calendars.actions.checks import Caution
from commontime.calendars.limits import Range
from commontime.core.shapes import Fields


def means(description: str) -> msgspec.Meta:
    """Describe a field of an answer: `Annotated[int, means("How many can come.")]`."""
    return msgspec.Meta(description=description)


class Warning(msgspec.Struct):
    """Something that is allowed but probably not wanted.

    With `"strict": true` it is refused with 409 instead.
    """

    code: Annotated[str, means("A word for programs.")]
    detail: Annotated[str, means("A sentence for people.")]
    users: Annotated[list[int] | msgspec.UnsetType, means("The users it is about.")] = msgspec.UNSET
    meeting: Annotated[str | msgspec.UnsetType, means("The meeting it is about.")] = msgspec.UNSET


class Problem(msgspec.Struct):
    """The shape of every error."""

    code: Annotated[str, means("A word for programs.")]
    detail: Annotated[str, means("A sentence for people, which shows the way out.")]
    fields: Annotated[
        dict[str, list[str]] | msgspec.UnsetType,
        means("With 400: the sentences about each refused field."),
    ] = msgspec.UNSET
    warnings: Annotated[
        list[Warning] | msgspec.UnsetType,
        means("With 409 because of `strict`: the warnings behind it."),
    ] = msgspec.UNSET


STRICT = "true: refuse with 409 what would only give a warning."


def warned(cautions: Iterable[Caution]) -> Fields:
    """Return the cautions as `warnings`, beside an answer."""
    warnings = [caution.fields for caution in cautions]
    return {"warnings": warnings} if warnings else {}


def partial(shape: type[serializers.Serializer[Any]]) -> Any:
    """Return the shape with every field optional. PUT and PATCH take a subset."""
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
        description=f"{description} Without an offset it is local.",
    )


def whole(name: str, description: str, within: Range) -> OpenApiParameter:
    kind = {"type": "integer", "minimum": within.least, "maximum": within.most}
    return OpenApiParameter(name, kind, description=description)


PAGING = [
    whole(
        "page_size", f"How many items at most; {LONGEST_LIST} by default.", Range(1, LONGEST_LIST)
    ),
    query(
        "cursor",
        "From the Link header of the previous page of this list.",
        pattern=r"^[A-Za-z0-9_:-]+$",
    ),
]
