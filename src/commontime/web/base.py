"""Showing a template, and sending a form to an action."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from commontime import __version__
from commontime.accounts import queries as accounts
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.queries import calendars, meetings
from commontime.calendars.queries.path import Auth
from commontime.core import cache, clock, crowd
from commontime.core.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refusal,
    TooMany,
    Unidentified,
)
from commontime.core.shapes import Fields
from commontime.mail import backends
from commontime.web import errors
from commontime.web.compression import compress, compressed_answer
from commontime.web.typed import Typed, mark_of

View = Callable[..., HttpResponse]
FORM = ["GET", "HEAD", "POST"]  # the methods of a page with a form
CLOCKS = {"h23": "G:i", "h12": "g:i A"}  # in lower case, as on the calendar page


def about(request: HttpRequest) -> dict[str, str]:
    """Tell every template which version this is."""
    return {"version": __version__}


def page(request: HttpRequest, template: str, context: Fields | None = None) -> HttpResponse:
    """Show a page, with times in the reader's zone.

    A page with a refused form answers 422, so that a script can tell it from success.
    """
    context = context or {}
    form = context.get("form")
    status = 422 if isinstance(form, forms.Form) and form.is_bound and form.errors else 200
    return HttpResponse(_rendered(request, template, context), status=status)


def cached_page(
    request: HttpRequest, template: str, key: Hashable, context: Callable[[], Fields]
) -> HttpResponse:
    """Show a signed-in person an unchanged page from the cache.

    key: the version of everything the context depends on, except who looks and at which address.
    The page is cached compressed, for the browser whose token is in its forms.
    """
    get_token(request)
    page_key = (
        request.META["CSRF_COOKIE"],
        template,
        request.path,
        request.META.get("QUERY_STRING", ""),
        _reader(request),
        backends.mail_folder(),
        key,
    )
    packed = cache.get(page_key, lambda: compress(_rendered(request, template, context()).encode()))
    return compressed_answer(request, packed)


def _reader(request: HttpRequest) -> Hashable:
    """Return all of the reader that a page depends on."""
    user = me(request)
    setting = accounts.setting_of(user)
    return (
        user.pk,
        user.username,
        user.first_name,
        user.last_name,
        setting.time_zone,
        setting.hour_cycle,
        "" if accounts.is_confirmed(user) else user.email,  # which it asks to confirm
        get_language(),
    )


def _rendered(request: HttpRequest, template: str, context: Fields) -> str:
    setting = accounts.setting_of(me(request)) if request.user else None
    with timezone.override(setting.time_zone if setting else "UTC"):
        shared = {
            "user": request.user,
            "clock": CLOCKS[setting.hour_cycle] if setting else "",
            "sign_up": settings.SIGN_UP,
            "keeps_letters": backends.mail_folder() is not None,
            "is_unconfirmed": bool(request.user) and not accounts.is_confirmed(me(request)),
            "typed": request.POST if isinstance(request.POST, Typed) else None,
            "mark": mark_of(me(request)) if request.user else "",
        }
        return render_to_string(template, shared | context, request)


def submit[Result](
    form: forms.Form, action: Callable[..., Result], *args: Any, **kwargs: Any
) -> Result | None:
    """Do the action with the form's fields. None if the form is not sent or is refused; then it
    holds the reasons beside its fields.
    """
    if not form.is_valid():
        return None
    try:
        return action(*args, **kwargs, **form.cleaned_data)
    except InvalidInput as refusal:
        for name, sentences in (refusal.fields or {"": [refusal.detail]}).items():
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
    except (NotAllowed, Conflict, TooMany, Unidentified) as refusal:
        form.add_error(None, refusal.detail)
    return None


def refusing(view: View) -> View:
    """Turn a refusal that no form shows into a page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return errors.page_for(request, refusal)

    return guarded


def expensive(view: View) -> View:
    """Have a person's visits of a page that computes long wait for each other."""

    @wraps(view)
    def in_turn(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with crowd.questions.turn(me(request).pk if request.user else None):
            return view(request, *args, **kwargs)

    return in_turn


def me(request: HttpRequest) -> User:
    """Return who is signed in. Nobody else gets to the page."""
    return cast(User, request.user)


def auth_of(request: HttpRequest) -> Auth:
    """Return the sign-in. Nobody else gets to the page."""
    auth: Auth = cast(Any, request).auth
    return auth


def calendar_of(request: HttpRequest, calendar_id: UUID) -> Calendar:
    """Return the calendar of the page's path."""
    auth = auth_of(request)
    if auth.target is None:
        return calendars.calendar_for(auth.user, calendar_id)
    return auth.calendar()


def meeting_of(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> Meeting:
    """Return the meeting of the page's path."""
    auth = auth_of(request)
    if auth.target is None:
        return meetings.meeting_for(auth.user, meeting_id, calendar_id=calendar_id)
    return auth.meeting()


def posted_id(request: HttpRequest, name: str, otherwise: str) -> UUID:
    """Return the id that a form sends under this name. NotFound says `otherwise`: it is none."""
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound(otherwise) from None


def posted_zone(request: HttpRequest, otherwise: str) -> str:
    """Return the time zone that a form sends, if there is such a zone."""
    typed = request.POST.get("time_zone", "")
    return typed if typed in clock.zones() else otherwise


def next_page(request: HttpRequest) -> str:
    """Return where to go afterwards: only a path of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    return (
        target
        if url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
        else reverse("web:home")
    )
