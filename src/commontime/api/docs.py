"""What the OpenAPI text needs beyond the shapes: shared parts, and how to read msgspec's structs."""

from collections.abc import Iterable
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from commontime.calendars.actions.checks import Caution


class Problem(msgspec.Struct, omit_defaults=True):
    """Every error: a word for a program, a sentence with the way out for a person."""

    code: str
    detail: str
    fields: dict[str, list[str]] | None = None


class Warning(msgspec.Struct):
    """Something allowed but probably not wanted. Send `"strict": true` to have it refused with 409 instead."""

    code: str
    detail: str


def warned(cautions: Iterable[Caution]) -> dict[str, Any]:
    shown = [{"code": caution.code, "detail": caution.detail, **caution.about} for caution in cautions]
    return {"warnings": shown} if shown else {}


def query(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, required=required, description=description)


PAGING = [query("page_size", "1 to 1000"), query("cursor", "From the Link header of the page before.")]


def partial(shape: type[serializers.Serializer[Any]]) -> Any:
    """Return the shape with every field optional, for PUT and PATCH, which take a subset."""
    return shape(partial=True)
