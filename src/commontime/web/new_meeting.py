"""A new meeting of a calendar."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.accounts import queries as accounts
from commontime.calendars import actions, limits, queries
from commontime.calendars.models import Calendar
from commontime.web.base import FORM, calendar_of, me, page, submit
from commontime.web.fields import length_field, quorum_field
from commontime.web.moments import in_a_week, moment_field
from commontime.web.once import once
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

FIRST = {"title", "deadline", "duration_minutes", "location"}  # what a new meeting mostly needs


class MeetingForm(Form):
    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=limits.NAME)
    deadline = moment_field(gettext_lazy("Answer by"))
    duration_minutes = length_field(required=False)
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=limits.PLACE)
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    quorum = quorum_field()
    required = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Must come"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    optional = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Welcome"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    auto_finalize = forms.BooleanField(
        label=gettext_lazy("Confirm the best time automatically at the deadline"), required=False
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=limits.DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, calendar: Calendar, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = queries.people.roster_of(calendar).people
        choices = [(person.user_id, person.name) for person in people]
        for name in ("required", "optional"):
            self.offer(name, choices)
        self.fields["duration_minutes"].widget.attrs["placeholder"] = str(calendar.duration_minutes)


@require_http_methods(FORM)
@signed_in
@once()
def new_meeting(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Look for a time for another meeting."""
    user = me(request)
    calendar = calendar_of(request, calendar_id)
    queries.calendars.require_owner(user, calendar, _("add meetings"))
    zone = accounts.setting_of(user).time_zone
    with timezone.override(zone):
        form = MeetingForm(calendar, request.POST or None, initial={"deadline": in_a_week()})
        if submit(form, actions.create_meeting, calendar, by=user):
            return redirect("web:calendar", calendar_id)
    context = {
        "calendar": calendar,
        "form": form,
        "zone": zone,
        "first": [field for field in form if field.name in FIRST],
        "more": [field for field in form if field.name not in FIRST],
    }
    return page(request, "web/calendars/new_meeting.html", context)
