"""A calendar’s settings, and what its owner does with it."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import Visibility
from commontime.calendars.models import Calendar
from commontime.calendars.queries.people import Person
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web.base import FORM, calendar_of, me, page, posted_zone, submit
from commontime.web.fields import ZoneInput, range_field
from commontime.web.moments import moment_field
from commontime.web.once import once
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

VISIBILITIES = {
    Visibility.OPEN: gettext_lazy("Everybody sees who can come when"),
    Visibility.COUNTS: gettext_lazy("Everybody sees only how many can come"),
    Visibility.OWNER: gettext_lazy("Only I see who can come; the others see how many"),
}


class CalendarForm(Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=limits.NAME)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=limits.DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=limits.PLACE)
    duration_minutes = range_field(
        gettext_lazy("Length of a meeting in minutes"), limits.DURATION_MINUTES
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=limits.TIME_ZONE, widget=ZoneInput()
    )
    window_start = moment_field(gettext_lazy("From"), required=False)
    window_end = moment_field(gettext_lazy("To"), required=False)
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees the answers"),
        choices=list(VISIBILITIES.items()),
        widget=forms.RadioSelect,
    )


@require_http_methods(FORM)
@signed_in
@once("duplicate", "transfer", "delete")
def settings(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Change a calendar, or do something with all of it."""
    user = me(request)
    calendar = calendar_of(request, calendar_id)
    queries.calendars.require_owner(user, calendar, _("change this calendar"))
    what = request.POST.get("do", "edit")
    if request.method == "POST" and what != "edit":
        return redirect(_do_with_calendar(request, calendar, what))
    with timezone.override(posted_zone(request, calendar.time_zone)):
        form = CalendarForm(
            request.POST if what == "edit" and request.POST else None, initial=_as_typed(calendar)
        )
        if submit(form, _edit, calendar, by=user):
            return redirect("web:calendar", calendar_id)
    context = {"calendar": calendar, "form": form, "others": _others(calendar, user)}
    return page(request, "web/calendars/settings.html", context)


def _others(calendar: Calendar, user: User) -> list[Person]:
    """Return who may become the calendar's owner."""
    people = queries.people.roster_of(calendar).active
    return [person for person in people if person.user_id != user.pk]


def _edit(calendar: Calendar, *, by: User, **typed: Any) -> Any:
    """Change the calendar.

    A moment that nobody changed keeps the seconds that no field shows.
    """
    for name in ("window_start", "window_end"):
        stored = getattr(calendar, name)
        if stored and typed[name] == stored.replace(second=0, microsecond=0):
            typed[name] = stored
    return actions.edit_calendar(calendar, by=by, **typed)


def _as_typed(calendar: Calendar) -> Fields:
    """Return the calendar's fields as its owner would type them.

    Moments are by the calendar's own clocks.
    """
    fields = {name: getattr(calendar, name) for name in CalendarForm.base_fields}
    for name in ("window_start", "window_end"):
        # Without a zone, so that the page does not turn them to the zone of who looks at it.
        fields[name] = fields[name] and fields[name].astimezone(
            ZoneInfo(calendar.time_zone)
        ).replace(tzinfo=None)
    return fields


def _do_with_calendar(request: HttpRequest, calendar: Calendar, what: str) -> str:
    """Do what a button says, and return the next page."""
    user, here = me(request), reverse("web:calendar", args=[calendar.pk])
    match what:
        case "finish" | "reopen":
            actions.edit_calendar(calendar, by=user, is_finalized=what == "finish")
        case "transfer":
            actions.transfer_calendar(
                calendar, by=user, to=_whole(request.POST.get("user"), "user")
            )
        case "duplicate":
            copy = actions.duplicate_calendar(
                calendar, by=user, shift_days=_whole(request.POST.get("shift_days"), "shift_days")
            )
            return reverse("web:calendar", args=[copy.pk])
        case "delete":
            actions.delete_calendar(calendar, by=user)
            return reverse("web:home")
        case _:
            raise InvalidInput(_("Choose what to do."), field="do")
    return here


def _whole(text: str | None, field: str) -> int:
    try:
        if not text or len(text) > 10:
            raise ValueError
        return int(text)
    except ValueError:
        raise InvalidInput(_("Enter a whole number."), field=field) from None
