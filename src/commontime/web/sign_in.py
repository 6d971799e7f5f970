"""Signing in. It has its own page, or happens where a form was sent signed out."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.accounts.actions import sign_ins
from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.accounts.enums import Door
from commontime.calendars import actions
from commontime.core import crowd
from commontime.core.clients import client_of
from commontime.core.errors import NotAllowed
from commontime.web import typed
from commontime.web.base import FORM, View, me, next_page, page, refusing, submit
from commontime.web.fields import password_field
from commontime.web.middleware import identify, language_of, open_page_session
from commontime.web.typed import Form


class SignInForm(Form):
    identifier = forms.CharField(
        label=gettext_lazy("Username or email address"),
        max_length=254,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "off", "autofocus": True}
        ),
    )
    password = password_field(gettext_lazy("Password"), "current-password")


@require_http_methods(FORM)
@refusing
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None)
    opened = _open(request, form)
    if opened:
        open_page_session(request, opened)
        return redirect(next_page(request))
    target = next_page(request)
    context = {"form": form, "next": target, "no_sign_up": no_sign_up(target)}
    return page(request, "web/accounts/sign_in.html", context)


def no_sign_up(target: str = "") -> str:
    """Return why somebody on the way to this page of ours can't sign up; empty if they can."""
    try:
        actions.require_sign_up(invitation_in(target))
    except NotAllowed as refusal:
        return refusal.detail
    return ""


def invitation_in(target: str) -> str:
    """Return the token in the link of an invitation; none in any other path."""
    with suppress(Resolver404):
        match = resolve(urlsplit(target).path)
        if match.view_name == "web:join":
            return str(match.kwargs["token"])
    return ""


def _open(request: HttpRequest, form: SignInForm) -> NewSignIn | None:
    return submit(form, sign_ins.sign_in, door=Door.WEB, client=client_of(request.META))


# Pages for somebody signed in ---------------------------------------------------------------------


def signed_in(view: View) -> View:
    """Let signed-out people sign in first. A form keeps what was typed."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user:
            return in_turn(view, request, *args, **kwargs)
        if request.method == "POST" and ({typed.MARK, typed.FIELD} & request.POST.keys()):
            return _sign_in_here(request, lambda: view(request, *args, **kwargs))
        return sign_in_first(request.get_full_path())

    return refusing(guarded)


def signed_in_at(page_of: Callable[..., str]) -> Callable[[View], View]:
    """Let signed-out people sign in, and go on at the form.

    page_of: returns that page's address. Use it for addresses that only take forms.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user:
                return in_turn(view, request, *args, **kwargs)
            target = page_of(request, *args, **kwargs)
            if request.method == "POST" and typed.MARK in request.POST:
                return ask_to_sign_in(request, target)
            return sign_in_first(target)

        return refusing(guarded)

    return decorate


def in_turn(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Show a page while its person asks for few others."""
    with crowd.requests.turn(me(request).pk):
        return view(request, *args, **kwargs)


def sign_in_first(target: str) -> HttpResponse:
    return redirect(reverse("web:sign_in", query={"next": target}))


def _sign_in_here(request: HttpRequest, show: Callable[[], HttpResponse]) -> HttpResponse:
    """Sign in at a form's address, and show what was typed.

    The first time, only the sign-in page is shown, which carries what was typed.
    """
    packed = request.POST.get(typed.FIELD, "")
    if not packed:
        return ask_to_sign_in(request, request.get_full_path())
    form = SignInForm(request.POST)
    opened = _open(request, form)
    if not opened:
        return _sign_in_page(request, form, packed, request.get_full_path())
    open_page_session(request, opened)
    identify(request)
    fields = typed.unpack(packed, me(request))
    if fields is None:
        return redirect(request.get_full_path())
    typed.show(request, fields)
    with translation.override(language_of(request)):
        return show()


def ask_to_sign_in(request: HttpRequest, target: str) -> HttpResponse:
    """Show the sign-in page, which carries what was typed. `target` is the form's page."""
    response = _sign_in_page(request, SignInForm(), typed.pack(request), target)
    response.status_code = 401
    return response


def _sign_in_page(request: HttpRequest, form: Form, packed: str, target: str) -> HttpResponse:
    context = {
        "form": form,
        "next": target,
        "here": target,
        "packed": packed,
        "no_sign_up": no_sign_up(target),
    }
    return page(request, "web/accounts/sign_in.html", context)
