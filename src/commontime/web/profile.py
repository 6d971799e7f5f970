"""The pages of one's settings and of the account's end."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commontime.accounts import queries
from commontime.accounts.actions import passwords, profiles, sign_ins
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.enums import Door, HourCycle, WeekStart, WhoMayAdd
from commontime.accounts.models import Session, UserSetting
from commontime.accounts.names import display_names
from commontime.calendars import actions as calendar_actions
from commontime.calendars import queries as calendars
from commontime.core.clients import client_of
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web.base import FORM, auth_of, me, page, posted_id, submit
from commontime.web.compression import gzipped
from commontime.web.fields import (
    ZoneInput,
    email_field,
    name_field,
    new_password_field,
    password_field,
    username_field,
)
from commontime.web.middleware import open_page_session
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

MOST_SESSIONS = 100
LANGUAGES = sorted(
    (code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES
)
WEEK_STARTS = {
    WeekStart.MONDAY: gettext_lazy("Monday"),
    WeekStart.SATURDAY: gettext_lazy("Saturday"),
    WeekStart.SUNDAY: gettext_lazy("Sunday"),
}
HOUR_CYCLES = {
    HourCycle.H23: gettext_lazy("24-hour clock, like 19:30"),
    HourCycle.H12: gettext_lazy("12-hour clock, like 7:30 pm"),
}
WHO_MAY_ADD = {
    WhoMayAdd.ANYONE: gettext_lazy("Anybody"),
    WhoMayAdd.CONTACTS: gettext_lazy("Only my contacts. Others have to invite me first."),
}


# Forms --------------------------------------------------------------------------------------------


class NamesForm(Form):
    first_name = name_field(gettext_lazy("First name"), "given-name")
    last_name = name_field(gettext_lazy("Last name"), "family-name")
    username = username_field()


class EmailForm(Form):
    email = email_field()
    current_password = password_field(gettext_lazy("Current password"), "current-password")


class PasswordForm(Form):
    current_password = password_field(gettext_lazy("Current password"), "current-password")
    password = new_password_field(gettext_lazy("New password"))


class TimeForm(Form):
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64, widget=ZoneInput())
    hour_cycle = forms.ChoiceField(
        label=gettext_lazy("Clock"), choices=list(HOUR_CYCLES.items()), widget=forms.RadioSelect
    )
    week_start = forms.ChoiceField(
        label=gettext_lazy("Week starts on"), choices=list(WEEK_STARTS.items())
    )
    locale = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)


class MailForm(Form):
    mail_invitations = forms.BooleanField(label=gettext_lazy("Invitations"), required=False)
    mail_meetings = forms.BooleanField(
        label=gettext_lazy("Meetings: when one is confirmed, moved or cancelled"), required=False
    )
    mail_reminders = forms.BooleanField(
        label=gettext_lazy("Reminders that others send me"), required=False
    )


class PrivacyForm(Form):
    who_may_add_me = forms.ChoiceField(
        label=gettext_lazy("Who can add me to a calendar without asking"),
        choices=list(WHO_MAY_ADD.items()),
        widget=forms.RadioSelect,
    )
    still = forms.MultipleChoiceField(
        label=gettext_lazy("You get no emails "
                           "from"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Untick anybody you want to hear from again."),
    )  # fmt: skip
    muted = forms.CharField(
        label=gettext_lazy("Stop emails from"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
        help_text=gettext_lazy(
            "A username. We won’t send you what this person asks us to email; they aren’t told."
        ),
    )

    def __init__(self, muted: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if muted:
            self.offer("still", [(name, name) for name in muted])
        else:
            del self.fields["still"]


# The page -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with its own form."""

    name: str
    title: Any
    form: forms.Form
    was_saved: bool


TITLES = {
    "names": gettext_lazy("Your name"),
    "time": pgettext_lazy("settings", "Time and language"),
    "mail": gettext_lazy("Emails you get"),
    "privacy": gettext_lazy("Other people"),
    "email": gettext_lazy("Email address"),
    "password": gettext_lazy("Password"),
}


@gzipped
@require_http_methods(FORM)
@signed_in
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show one's settings, and store the section that was sent."""
    what = request.POST.get("do", "")
    if request.method == "POST" and what not in TITLES:
        return _do(request, what)
    section_forms = _forms(request, what)
    if what in TITLES and _save(request, what, section_forms[what]):
        return redirect(reverse("web:settings", query={"saved": what}, fragment=what))
    saved = request.GET.get("saved")
    context = {
        "form": section_forms.get(what),
        "sections": [
            Section(name, title, section_forms[name], name == saved)
            for name, title in TITLES.items()
        ],
        "sessions": _sessions(me(request)),
        "this_session": auth_of(request).sign_in.id,
    }
    return page(request, "web/accounts/settings.html", context)


def _sessions(user: User) -> list[tuple[Session, str]]:
    """Return the person's sign-ins, with their devices."""
    sessions = queries.sessions_of(user)[:MOST_SESSIONS]
    return [(session, device(session.user_agent)) for session in sessions]


def _do(request: HttpRequest, what: str) -> HttpResponse:
    """Do what a button outside the sections says."""
    if what == "end":
        return _end_session(request)
    if what == "zone":  # home offers it where the device is in another zone
        zone = request.POST.get("time_zone", "")
        account_settings.change_settings(me(request), time_zone=zone)
        return redirect("web:home")
    raise InvalidInput(_("Choose what to save."), field="do")


def _forms(request: HttpRequest, sent: str) -> dict[str, forms.Form]:
    """Return the form of each section. The one that was sent holds what was typed."""
    user = me(request)
    setting, muted = queries.setting_of(user), queries.muted_by(user)
    privacy = {"who_may_add_me": setting.who_may_add_me, "still": muted}
    sections: dict[str, tuple[Callable[..., forms.Form], Fields]] = {
        "names": (NamesForm, _fields_of(user, NamesForm)),
        "time": (TimeForm, _fields_of(setting, TimeForm)),
        "mail": (MailForm, _fields_of(setting, MailForm)),
        "privacy": (partial(PrivacyForm, muted), privacy),
        "email": (EmailForm, {"email": user.email}),
        "password": (PasswordForm, {}),
    }
    return {
        name: form(request.POST if name == sent else None, initial=values, auto_id=f"id_{name}_%s")
        for name, (form, values) in sections.items()
    }


def _fields_of(thing: User | UserSetting, form: type[forms.Form]) -> Fields:
    return {name: getattr(thing, name) for name in form.base_fields}


def _save(request: HttpRequest, what: str, form: forms.Form) -> bool:
    """Store one section, and return whether it was accepted."""
    save = {
        "names": _save_names,
        "email": _save_credentials,
        "password": _save_credentials,
        "privacy": _save_privacy,
    }.get(what, _save_settings)
    return bool(submit(form, save, request))


def _save_names(request: HttpRequest, **typed: Any) -> bool:
    user = me(request)
    profiles.edit_profile(
        user,
        by=user,
        sign_in=auth_of(request).sign_in,
        client=client_of(request.META),
        **typed,
    )
    return True


def _save_credentials(request: HttpRequest, **typed: Any) -> bool:
    user, sign_in = me(request), auth_of(request).sign_in
    client = client_of(request.META)
    passwords.confirm_password(user, typed["current_password"], sign_in=sign_in, client=client)
    fresh = profiles.edit_profile(
        user, by=user, sign_in=sign_in, client=client, door=Door.WEB, **typed
    )
    if fresh:  # all other sign-ins have ended, and this one with them
        open_page_session(request, fresh)
    return True


def _save_privacy(
    request: HttpRequest, *, who_may_add_me: str, muted: str, still: Sequence[str] = ()
) -> bool:
    account_settings.change_settings(
        me(request), who_may_add_me=who_may_add_me, muted=[*still, *([muted] if muted else [])]
    )
    return True


def _save_settings(request: HttpRequest, **typed: Any) -> bool:
    account_settings.change_settings(me(request), **typed)
    return True


def _end_session(request: HttpRequest) -> HttpResponse:
    user = me(request)
    session_id = posted_id(request, "session", _("That sign-in has already ended."))
    session = queries.session_for(user, session_id)
    sign_ins.end_session(session)
    if session.pk == auth_of(request).sign_in.id:
        return redirect("web:welcome")
    return redirect(reverse("web:settings", fragment="sessions"))


# Export -------------------------------------------------------------------------------------------


@require_safe
@signed_in
def export(request: HttpRequest) -> HttpResponse:
    """Hand out everything stored about the person as a file."""
    user = me(request)
    account = {
        name: getattr(user, name) for name in ("id", "username", "email", "first_name", "last_name")
    }
    account["email_confirmed"] = queries.is_confirmed(user)
    keys = {"id", "user", "username_key", "email_key", "feed_hash"}
    hidden = keys | {"email_confirmed", "confirm_counter", "confirm_asked_at"}
    setting = queries.setting_of(user)
    chosen = {
        field.name: getattr(setting, field.name)
        for field in UserSetting._meta.fields
        if field.name not in hidden
    }
    everything = {**account, "settings": chosen, **calendar_actions.accounts.export(user)}
    headers = {"Content-Disposition": 'attachment; filename="commontime.json"'}
    return JsonResponse(
        everything, json_dumps_params={"indent": 1, "ensure_ascii": False}, headers=headers
    )


# The end of the account ---------------------------------------------------------------------------


class DeleteForm(Form):
    transfer_to = forms.TypedChoiceField(
        label=gettext_lazy("What happens to your calendars"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    current_password = password_field(gettext_lazy("Your password"), "current-password")

    def __init__(self, heirs: list[User], owned: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if owned and heirs:
            choices: list[tuple[int | str, str]] = [
                (user_id, _("%(name)s becomes the organiser") % {"name": name})
                for user_id, name in display_names(heirs).items()
            ]
            choices.insert(0, ("", _("They’re deleted, and everybody in them is told")))
            self.offer("transfer_to", choices)
        else:
            del self.fields["transfer_to"]


@require_http_methods(FORM)
@signed_in
def delete_account(request: HttpRequest) -> HttpResponse:
    """Show what goes with the account, and delete it. That takes its password."""
    user = me(request)
    owned = list(calendars.calendars.calendar_list_for(user, {"owner"}).order_by("name", "id"))
    form = DeleteForm(list(calendars.people.possible_heirs(user)), len(owned), request.POST or None)
    if submit(form, _delete, request):
        request.session.flush()
        return redirect(f"{reverse('web:welcome')}?gone")
    context = {
        "form": form,
        "owned": owned,
        "joined": calendars.calendars.calendar_list_for(user, {"participant"}).count(),
        "ahead": calendars.meetings.meetings_to_come(*owned).count() if owned else 0,
    }
    return page(request, "web/accounts/delete.html", context)


def _delete(request: HttpRequest, *, current_password: str, transfer_to: int | None = None) -> bool:
    user, sign_in = me(request), auth_of(request).sign_in
    client = client_of(request.META)
    passwords.confirm_password(user, current_password, sign_in=sign_in, client=client)
    calendar_actions.delete_account(
        user, by=user, session_id=sign_in.id, sign_in=sign_in, transfer_to=transfer_to
    )
    return True


# Sign-ins -----------------------------------------------------------------------------------------

PROGRAMS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


def device(user_agent: str) -> str:
    """Say which program a sign-in came from, by its User-Agent."""
    program = next((name for mark, name in PROGRAMS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or re.split(r"[\s/(]", user_agent)[0] or _("Unknown program")
