"""What all views of the API share."""

from contextlib import ExitStack
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request as AnyRequest
from rest_framework.views import APIView

from commontime.api import errors
from commontime.api.answers import matches
from commontime.api.body import JSON, AlwaysJSON, check_length, receive
from commontime.api.once import Once, Replay
from commontime.api.request import Request, SignedIn
from commontime.calendars.queries import calendars
from commontime.core import crowd
from commontime.core.errors import NotAllowed, NotFound
from commontime.core.turns import take_turns

READING = {"GET", "HEAD", "OPTIONS"}


class View(APIView):
    """A view of the API.

    It has safe retries (Idempotency-Key) and conditional changes (If-Match).
    """

    public = False
    # Whether this is a view of one object, which `get` shows: its ETag can guard a change.
    single = False
    # Whether answers to a POST with an Idempotency-Key are stored. A secret must not be.
    remembers = True
    # Whether only the calendar's owner changes something here. Nobody else is answered from store,
    # or hears that If-Match is stale.
    for_owner = False
    # The methods that compute long: at most some at once, one of a person.
    expensive: tuple[str, ...] = ()
    authentication_classes = [SignedIn]
    parser_classes = [JSON]
    content_negotiation_class = AlwaysJSON

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.public else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        # Whoever gets past the authenticator is signed in. The actions ask what they may do.
        return []

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the path's object as it is now, for its ETag."""
        show: Any = self.get  # type: ignore[attr-defined]
        return cast(HttpResponse, show(request, *args, **kwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.once, self.condition = self._once(request), self._if_match(request)
        self.in_transaction = bool(self.once or self.condition)
        if not self.in_transaction:
            with ExitStack() as self.at_end:
                return cast(HttpResponse, super().dispatch(request, *args, **kwargs))
        receive(request)
        # Comparing, changing and storing the answer are one transaction: all of it, or nothing.
        with transaction.atomic():
            # Before anything is read, also who asks: two people with one key wait for each other.
            if self.condition:
                take_turns(f"If-Match {request.path.rstrip('/')}")
            if self.once:
                take_turns(f"Idempotency-Key {self.once.key}")
            response = cast(HttpResponse, super().dispatch(request, *args, **kwargs))
            if self.once:
                self.once.finish(response)
        return response

    # Both read META: making `headers` costs as much as the rest of a request.

    def _once(self, request: HttpRequest) -> Once | None:
        if request.method != "POST" or self.public or not self.remembers:
            return None
        key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
        return Once(key) if key else None

    def _if_match(self, request: HttpRequest) -> str:
        if not self.single or request.method in READING:
            return ""
        return str(request.META.get("HTTP_IF_MATCH", ""))

    def initial(self, request: AnyRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        request = cast(Request, request)
        check_length(request)
        # Whoever is in a transaction must not wait: others would wait for what it has locked.
        if not self.public and not self.in_transaction:
            kind = crowd.questions if request.method in self.expensive else crowd.requests
            self.at_end.enter_context(kind.turn(request.user.pk))
        if self.condition:
            self._check_condition(request, *args, **kwargs)
        if self.once:
            self.once.begin(request, may_still=lambda: self._may_still(request))

    def _check_condition(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if matches(self.condition, self.present(request, *args, **kwargs).headers["ETag"]):
            return
        self._require_rights(request)
        raise errors.Stale(
            "This has changed since you read it. Read it again and repeat your change if it still "
            "makes sense."
        )

    def _may_still(self, request: Request) -> bool:
        """Return whether the asker may still see and change this."""
        try:
            if "meeting_id" in self.kwargs:
                request.auth.meeting()
            elif "calendar_id" in self.kwargs:
                request.auth.calendar()
            self._require_rights(request)
        except (NotFound, NotAllowed):
            return False
        return True

    def _require_rights(self, request: Request) -> None:
        if self.for_owner:
            what = _("change this calendar")
            calendars.require_owner(request.user, request.auth.calendar(), what)

    def handle_exception(self, exc: Exception) -> Any:
        return exc.response if isinstance(exc, Replay) else super().handle_exception(exc)
