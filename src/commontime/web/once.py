"""Forms that do something once. A second click lands where the first did, and does nothing."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from commontime.accounts import queries as accounts
from commontime.core import clock, limits
from commontime.core.errors import NotFound
from commontime.core.models import RememberedAnswer
from commontime.core.turns import take_turns
from commontime.web.base import View, me, refusing


def once(*buttons: str) -> Callable[[View], View]:
    """Do once what a form says, however often it is sent.

    buttons: the values of `do` that this is for; none: all. Leave out what does no harm twice:
    somebody who goes back to an old page may mean it again.
    """

    def decorate(view: View) -> View:
        # Refusals become pages inside the transaction, so that what they counted is stored.
        answer = refusing(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            key = key_of(request)
            if not key or (buttons and request.POST.get("do") not in buttons):
                return answer(request, *args, **kwargs)
            user = me(request)
            with transaction.atomic():
                take_turns(key)
                earlier = RememberedAnswer.objects.filter(user=user, key=key).first()
                if earlier is not None:
                    return redirect(bytes(earlier.body).decode())
                response = answer(request, *args, **kwargs)
                if isinstance(response, HttpResponseRedirect):
                    remember(user, key, response.url)
            return response

        return guarded

    return decorate


def key_of(request: HttpRequest) -> str:
    """Return a key for what was sent. None: it is no form of a page.

    Its token is masked anew each time a page is made, so the key holds for one page and its fields.
    Somebody who goes back and changes a field sends something else.
    """
    if request.method != "POST" or not request.POST.get("csrfmiddlewaretoken"):
        return ""
    sent = repr([request.get_full_path(), sorted(request.POST.lists())])
    # The line end keeps it apart from every Idempotency-Key, which has none.
    return f"form\n{hashlib.sha256(sent.encode()).hexdigest()}"


def remember(user: User, key: str, address: str) -> None:
    """Store where a form led to. Nothing is stored of one that can't be told apart (`key_of`)."""
    if not key:
        return
    RememberedAnswer.objects.create(
        user=user,
        key=key,
        status=HttpResponseRedirect.status_code,
        body=address.encode(),
        created_at=clock.now(),
    )


def is_second_click(request: HttpRequest) -> bool:
    """Return whether this form was sent before, also signed out.

    Ask it in the transaction that does what the form says: two clicks at once wait for each other.
    """
    key = key_of(request)
    return bool(key) and any(limits.count("same_form", (key,)))


def was_sent_by(username: str, key: str) -> bool:
    """Return whether this very form has made this account."""
    try:
        return bool(key) and was_sent_for(accounts.account_called(username), key)
    except NotFound:
        return False


def was_sent_for(user: User, key: str) -> bool:
    """Return whether this very form was remembered for this account."""
    return RememberedAnswer.objects.filter(user=user, key=key).exists()
