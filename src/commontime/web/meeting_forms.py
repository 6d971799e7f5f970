"""Forms on a meeting’s pages."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from commontime.calendars.queries.people import Person
from commontime.web.fields import BufferField, length_field, quorum_field
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
    duration_minutes = length_field(required=False)
    quorum = quorum_field()
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    quarter = forms.BooleanField(label=gettext_lazy("Only on the quarter hour"), required=False)

    def __init__(self, people: Sequence[Person], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("without", [(person.user_id, person.name) for person in people])


class EditForm(MeetingForm):
    buffer_minutes = BufferField(gettext_lazy("Minutes to keep free afterwards"))
