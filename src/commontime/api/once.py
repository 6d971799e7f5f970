"""Retries: do a POST once per Idempotency-Key. It is answered each time."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from rest_framework.request import Request as AnyRequest

from commontime.accounts import queries as accounts
from commontime.api import errors
from commontime.api.answers import etag_of
from commontime.core import clock, rows
from commontime.core.errors import InvalidInput
from commontime.core.models import RememberedAnswer

REMEMBERED = timedelta(hours=24)
_ANSWER = rows.Columns(RememberedAnswer, "k")


class Replay(Exception):
    """Carries the stored answer to a repeated POST."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


class Once:
    """One POST under an Idempotency-Key.

    `join` looks up the `earlier` answer, `begin` sends it again, `finish` stores a new one.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.earlier: RememberedAnswer | None = None
        self.new: RememberedAnswer | None = None

    def join(self) -> accounts.Join[RememberedAnswer | None]:
        """Return the join that looks up the earlier answer.

        It goes with the look-up of the sign-in.
        """
        tables = "LEFT JOIN core_rememberedanswer k ON k.user_id = u.id AND k.key = %s"
        return accounts.Join(_ANSWER.sql, tables, [self.key], len(_ANSWER), _read)

    def begin(self, request: AnyRequest, *, may_still: Callable[[], bool]) -> None:
        """Raise Replay with the earlier answer, if there is one.

        Otherwise prepare to store a new one.

        may_still: whether the asker may still see and do what the earlier request did. If not, the
        request is answered as without the key.
        """
        if len(self.key) > 255 or not self.key.isprintable():
            raise InvalidInput("An Idempotency-Key can have at most 255 printable characters.")
        now, fingerprint = clock.now(), _fingerprint(request)
        earlier = self.earlier
        if earlier is not None and earlier.created_at <= now - REMEMBERED:
            earlier.delete()
            earlier = None
        if earlier is None:
            user = cast(User, request.user)
            self.new = RememberedAnswer(
                user=user, key=self.key, fingerprint=fingerprint, created_at=now
            )
            return
        if earlier.fingerprint != fingerprint:
            raise errors.KeyReused(
                "This Idempotency-Key has already been used for a different request; use a new one."
            )
        if may_still():
            raise Replay(_replayed(earlier))

    def finish(self, response: HttpResponse) -> None:
        """Store the answer, unless the request was refused."""
        if self.new is not None and response.status_code < 400:
            self.new.status, self.new.body = response.status_code, response.content
            self.new.location = response.headers.get("Location", "")
            self.new.save(force_insert=True)


def _read(_user: User, row: tuple[Any, ...]) -> RememberedAnswer | None:
    return None if row[0] is None else cast(RememberedAnswer, _ANSWER.read(row))


def _fingerprint(request: AnyRequest) -> str:
    path, _, query = request.get_full_path().partition("?")
    parts = [path.rstrip("/").encode(), query.encode(), request._request.body]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _replayed(earlier: RememberedAnswer) -> HttpResponse:
    headers = {"Idempotency-Replayed": "true"}
    if earlier.location:
        headers["Location"] = earlier.location
    if not earlier.body:
        return HttpResponse(status=earlier.status, headers=headers)
    body = bytes(earlier.body)
    return HttpResponse(
        body,
        status=earlier.status,
        content_type="application/json",
        headers={**headers, "ETag": etag_of(body)},
    )
