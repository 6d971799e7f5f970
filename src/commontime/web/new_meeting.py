"""A new meeting of a calendar."""

from datetime import timedelta
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
from commontime.web.moments import moment_field
from commontime.web.once import once
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

FIRST = {"title", "deadline", "duration_minutes", "location"}  # what a new meeting mostly needs


class MeetingForm(Form):
    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=limits.NAME)
    deadline = moment_field(gettext_lazy("Answer by"))
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        required=False,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
    )
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=limits.PLACE)
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    quorum = forms.IntegerField(
        label=gettext_lazy("At least this many people must be able to come"),
        required=False,
        min_value=limits.QUORUM.least,
        max_value=limits.QUORUM.most,
    )
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
    shown = calendar_of(request, calendar_id)
    queries.calendars.require_owner(user, shown, _("add meetings"))
    zone = accounts.setting_of(user).time_zone
    with timezone.override(zone):
        soon = (timezone.localtime() + timedelta(days=7)).replace(hour=18, minute=0, tzinfo=None)
        form = MeetingForm(shown, request.POST or None, initial={"deadline": soon})
        if submit(form, actions.create_meeting, shown, by=user):
            return redirect("web:calendar", calendar_id)
    parts = (
        [field for field in form if field.name in FIRST],
        [field for field in form if field.name not in FIRST],
    )
    context = {"calendar": shown, "form": form, "zone": zone, "first": parts[0], "more": parts[1]}
    return page(request, "web/calendars/new_meeting.html", context)
