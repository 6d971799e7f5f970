"""Signing up and out, a forgotten password, and stopping mails."""

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from commontime.accounts import queries
from commontime.accounts.actions import addresses, passwords, sign_ins
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.accounts.enums import Door
from commontime.calendars import actions
from commontime.core import clock
from commontime.core.clients import client_of
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web import errors
from commontime.web.base import FORM, auth_of, me, next_page, page, refusing, submit
from commontime.web.fields import email_field, name_field, new_password_field, username_field
from commontime.web.middleware import open_page_session
from commontime.web.once import is_second_click, key_of, once, remember, was_sent_by, was_sent_for
from commontime.web.sign_in import SignInForm, invitation_in, no_sign_up, signed_in
from commontime.web.typed import Form


class SignUpForm(Form):
    username = username_field(
        help_text=gettext_lazy(
            "Others use it to find and invite you. Letters, digits and . - _ + @"
        )
    )
    email = email_field()
    first_name = name_field(gettext_lazy("First name"), "given-name")
    last_name = name_field(gettext_lazy("Last name"), "family-name")
    password = new_password_field(gettext_lazy("Password"))


class EmailForm(Form):
    email = email_field()


class NewPasswordForm(Form):
    password = new_password_field(gettext_lazy("New password"))


@require_http_methods(FORM)
@refusing
def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    opened = _sign_up(request, form) if form.is_bound else None
    if opened:
        open_page_session(request, opened)
        return redirect(next_page(request))
    if refusal := no_sign_up(next_page(request)):
        return errors.plain(request, 403, refusal, title=_("Sign up"))
    return page(request, "web/accounts/sign_up.html", {"form": form, "next": next_page(request)})


def _sign_up(request: HttpRequest, form: SignUpForm) -> NewSignIn | None:
    """Make the account and sign in to it. A second click only signs in.

    Of two clicks at once the database lets one make the account. Nobody waits for a turn to hash
    the password in a transaction: others would wait for what that has locked.
    """
    key, client = key_of(request), client_of(request.META)

    def welcome(user: User) -> None:
        account_settings.change_settings(user, **_settings_seen(request))
        remember(user, key, next_page(request))

    invitation = invitation_in(next_page(request))
    user = submit(form, actions.sign_up, invitation=invitation, client=client, then=welcome)
    if user:
        return sign_ins.open_session(user, door=Door.WEB, client=client)
    typed = form.data
    if not was_sent_by(typed.get("username", ""), key):
        return None
    again = SignInForm({"identifier": typed["username"], "password": typed.get("password", "")})
    return submit(again, sign_ins.sign_in, door=Door.WEB, client=client)


def _settings_seen(request: HttpRequest) -> Fields:
    """Return the page's language and the device's zone (`<local-zone>`)."""
    settings = {"locale": get_language()}
    zone = request.POST.get("time_zone", "")
    return settings | {"time_zone": zone} if zone in clock.zones() else settings


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user:
        sign_ins.sign_out(me(request), auth_of(request).sign_in.id)
    request.session.flush()
    return redirect("web:welcome")


@require_http_methods(FORM)
@refusing
def ask_for_reset(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST or None)
    if not form.is_valid():
        return page(request, "web/accounts/ask_for_reset.html", {"form": form})
    with transaction.atomic():
        if not is_second_click(request):
            email, client = form.cleaned_data["email"], client_of(request.META)
            passwords.request_password_reset(email, client=client)
    return page(request, "web/accounts/reset_sent.html")


@require_http_methods(FORM)
@refusing
def choose_password(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """Show the form behind the link of a reset mail. Looking at it uses nothing up: mail scanners
    open links.
    """
    form = NewPasswordForm(request.POST or None)
    try:
        passwords.user_of_reset_link(uidb64, token)
    except InvalidInput:
        if _was_chosen(request, uidb64):
            return page(request, "web/accounts/reset_done.html")
        raise
    if _choose_password(request, form, uidb64, token):
        return page(request, "web/accounts/reset_done.html")
    context = {"form": form, "uidb64": uidb64, "token": token}
    return page(request, "web/accounts/choose_password.html", context)


def _choose_password(request: HttpRequest, form: Form, uidb64: str, token: str) -> bool:
    """Set the password, and return whether this form did, now or by the first of two clicks."""
    key, client = key_of(request), client_of(request.META)

    def note(user: User) -> None:
        remember(user, key, request.path)

    done = submit(form, passwords.reset_password, uidb64, token, client=client, then=note)
    return bool(done) or _was_chosen(request, uidb64)


def _was_chosen(request: HttpRequest, uidb64: str) -> bool:
    key, user = key_of(request), passwords.user_named_in(uidb64)
    return bool(key and user and was_sent_for(user, key))


@require_http_methods(FORM)
@signed_in
@once()
def confirm(request: HttpRequest) -> HttpResponse:
    """Say whether one's address is confirmed, and have the mail sent again."""
    user = me(request)
    if request.method == "POST":
        addresses.send_confirmation(user, by=user)
        return redirect(f"{reverse('web:confirm')}?sent")
    context = {"is_confirmed": queries.is_confirmed(user), "was_sent": "sent" in request.GET}
    context["is_unconfirmed"] = False  # the page itself says so
    return page(request, "web/accounts/confirm.html", context)


@require_http_methods(FORM)
@refusing
def confirm_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link of a mail confirms. Only its button does it: mail scanners open links."""
    confirmation = queries.confirmation_of(token)
    if request.method == "POST":
        addresses.confirm_address(token)
        return redirect("web:confirm_by_link", token)
    context = {"confirmation": confirmation, "is_unconfirmed": False}
    return page(request, "web/accounts/confirm_by_link.html", context)


@csrf_exempt
@require_http_methods(FORM)
@refusing
def stop_mails(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the mails of an unsubscribe link on POST (RFC 8058).

    Mail programs post without a token: the link itself is the credential.
    """
    stops = queries.stop_of(token)
    if request.method == "POST":
        account_settings.stop_mails(stops)
    context: Fields = {"stops": stops, "done": request.method == "POST"}
    return page(request, "web/accounts/stop_mails.html", context)
