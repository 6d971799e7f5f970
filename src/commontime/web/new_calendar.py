"""A new calendar with its first meeting and its people."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.accounts import queries as accounts
from commontime.accounts.names import display_names
from commontime.calendars import actions, limits
from commontime.calendars.models import Calendar, Invitation
from commontime.contacts import queries as contacts
from commontime.core import clock
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web import inviting
from commontime.web.base import FORM, me, page, posted_zone, submit
from commontime.web.calendar_settings import VISIBILITIES
from commontime.web.compression import gzipped
from commontime.web.fields import ZoneInput, length_field
from commontime.web.moments import moment_field
from commontime.web.once import once
from commontime.web.people import MOST_SHOWN
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form


class NewCalendarForm(Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=limits.NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    first_day = forms.DateField(
        label=gettext_lazy("First day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    earliest_hour = forms.TimeField(
        label=gettext_lazy("From"),
        widget=forms.TimeInput(attrs={"type": "time", "step": 900}, format="%H:%M"),
    )
    latest_hour = forms.TimeField(
        label=gettext_lazy("To"),
        widget=forms.TimeInput(attrs={"type": "time", "step": 900}, format="%H:%M"),
    )
    duration_minutes = length_field(widget=forms.NumberInput(attrs={"list": "lengths"}))
    look = forms.BooleanField(label=gettext_lazy("Look for a meeting time now"), required=False)
    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,
        max_length=limits.NAME,
        help_text=gettext_lazy("Only if the meeting has a different name from the calendar."),
    )
    deadline = moment_field(gettext_lazy("Answer by"), required=False)
    contacts = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Your contacts"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    others = inviting.names_field(
        gettext_lazy("Usernames or email addresses"), required=False, help_text=inviting.SEVERAL
    )
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees the answers"),
        choices=list(VISIBILITIES.items()),
        widget=forms.RadioSelect,
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=limits.TIME_ZONE, widget=ZoneInput()
    )
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=limits.PLACE)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=limits.DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, people: Sequence[User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if people:
            self.offer("contacts", display_names(people).items())
        else:
            del self.fields["contacts"]

    def clean(self) -> Fields:
        given = super().clean() or self.cleaned_data
        if given.get("look") and not given.get("deadline") and "deadline" not in self.errors:
            self.add_error("deadline", _("Set a deadline for answers."))
        if {"first_day", "last_day"} <= given.keys():
            self._check_days(given["first_day"], given["last_day"])
        if {"earliest_hour", "latest_hour"} <= given.keys():
            self._check_hours(given["earliest_hour"], given["latest_hour"])
        return given

    def _check_hours(self, earliest: time, latest: time) -> None:
        ends_at_midnight = latest == time()
        if latest <= earliest and not ends_at_midnight:
            self.add_error("latest_hour", _("The day must end after it begins."))

    def _check_days(self, first: date, last: date) -> None:
        if not all(clock.EARLIEST.year <= day.year < clock.LATEST.year for day in (first, last)):
            self.add_error("first_day", _("Choose days in the years 2000 to 2099."))
        elif last < first:
            self.add_error("last_day", _("The last day is before the first."))
        elif last - first >= limits.LONGEST_CALENDAR:
            self.add_error(
                "last_day", _("Choose at most %(n)d days.") % {"n": limits.LONGEST_CALENDAR.days}
            )


@gzipped
@require_http_methods(FORM)
@signed_in
@once()
def new_calendar(request: HttpRequest) -> HttpResponse:
    """Create a calendar, its first meeting and invitations, or nothing."""
    user = me(request)
    zone = ZoneInfo(posted_zone(request, accounts.setting_of(user).time_zone))
    people = [contact.contactee for contact in contacts.contacts_of(user)[:MOST_SHOWN]]
    with timezone.override(zone):
        form = NewCalendarForm(people, request.POST or None, initial=_usual(zone))
        made = submit(form, _start, people, by=user)
    if made:
        calendar, invitations = made
        here = reverse("web:calendar", args=[calendar.pk])
        return redirect(here + inviting.as_query(invitations))
    return page(
        request,
        "web/calendars/new.html",
        {"form": form, "unfolds": form.is_bound and {"time_zone", "location"} & form.errors.keys()},
    )


def _usual(zone: ZoneInfo) -> Fields:
    """Return initial values that suit most groups.

    Two weeks from a Monday that leaves some days to answer, at the hours most people are awake.
    """
    today = clock.now().astimezone(zone).date()
    monday = today + timedelta(days=14 - today.weekday())
    return {
        "first_day": monday,
        "last_day": monday + timedelta(days=13),
        "earliest_hour": time(8),
        "latest_hour": time(22),
        "duration_minutes": 60,
        "look": True,
        "deadline": datetime.combine(monday - timedelta(days=3), time(18)),
        "visibility": "open",
        "time_zone": str(zone),
    }


def _start(
    people: Sequence[User],
    *,
    by: User,
    contacts: Sequence[int] = (),
    others: str,
    look: bool,
    title: str,
    deadline: datetime | None,
    **typed: Any,
) -> tuple[Calendar, list[Invitation]]:
    """Create a calendar, its meeting and invitations, or nothing.

    Names are looked up before the transaction, so that the limit of look-ups also counts those of a
    form that is refused.
    """
    typed_people = inviting.look_up(others, by=by, field="others")
    names = display_names(people)
    ticked = {person: names[person.pk] for person in people if person.pk in contacts}
    whom = ticked | typed_people.known
    inviting.require_few(len(whom), field="others")
    fields = _with_window(**typed)
    with transaction.atomic():
        calendar = actions.create_calendar(by=by, **fields)
        if look:
            assert deadline is not None  # the form asks for it
            actions.create_meeting(calendar, by=by, title=title, deadline=deadline)
        invitations, refused = inviting.one_by_one(
            whom, partial(inviting.invite, calendar.pk, by=by)
        )
        _refuse(typed_people.refused + refused)
    return calendar, invitations


def _refuse(refused: inviting.Refused) -> None:
    if refused:
        said = inviting.sentences(refused)
        raise InvalidInput(said[0], fields={"others": said})


def _with_window(
    *, first_day: date, last_day: date, earliest_hour: time, latest_hour: time, **fields: Any
) -> Fields:
    """Return a calendar's fields with its window.

    It begins at the first day's earliest hour and ends at the last day's latest; 0:00 ends the day.
    """
    zone = (
        ZoneInfo(fields["time_zone"]) if fields["time_zone"] in clock.zones() else ZoneInfo("UTC")
    )  # the action refuses others
    ends_on = last_day if latest_hour > time() else last_day + timedelta(days=1)
    start, end = (
        datetime.combine(first_day, earliest_hour, zone),
        datetime.combine(ends_on, latest_hour, zone),
    )
    return {**fields, "window_start": start, "window_end": end}
