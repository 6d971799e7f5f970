"""Forms on a meeting’s pages."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from commontime.calendars import limits
from commontime.calendars.queries.people import Person
from commontime.web.moments import moment_field
from commontime.web.new_meeting import MeetingForm
from commontime.web.typed import Form


class SuggestForm(Form):
    suggested_time = moment_field(gettext_lazy("Starts"))


class FixForm(Form):
    final_time = moment_field(gettext_lazy("Starts"))


class WhatIfForm(Form):
    without = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Without"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        required=False,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
    )
    quorum = forms.IntegerField(
        label=gettext_lazy("At least this many people must be able to come"),
        required=False,
        min_value=limits.QUORUM.least,
        max_value=limits.QUORUM.most,
    )
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    quarter = forms.BooleanField(label=gettext_lazy("Only on the quarter hour"), required=False)

    def __init__(self, people: Sequence[Person], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("without", [(person.user_id, person.name) for person in people])


class EditForm(MeetingForm):
    buffer_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes to keep free afterwards"),
        required=False,
        min_value=limits.BUFFER_MINUTES.least,
        max_value=limits.BUFFER_MINUTES.most,
    )

    def clean_buffer_minutes(self) -> int:
        return self.cleaned_data["buffer_minutes"] or 0
