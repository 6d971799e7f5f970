"""Fields for moments, as clocks show them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from commontime.core import clock
from commontime.layout.wall_clock import moments_of


class MomentInput(forms.DateTimeInput):
    """Clocks to type a moment by.

    chosen: which of two moments that they may mean (web/_which.html).
    """

    chosen = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        self.chosen = data.get(f"{name}_at", "")
        return super().value_from_datadict(data, files, name)


class Offer(NamedTuple):
    """One of two moments that clocks may mean. turn: which of the two it is, in words."""

    sent: str
    shown: datetime
    turn: str


class MomentField(forms.DateTimeField):
    """A moment as the page's clocks show it, or with an offset.

    Our own buttons send it with an offset. What the page showed means the moment that it was made
    from.

    offered: the two moments to choose from, if clocks that change show what was typed twice or
    never. A choice holds only for what was typed then.
    """

    offered: Sequence[Offer] = ()
    before: datetime | None = None

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        before = form.get_initial_for_field(self, field_name)
        self.before = before if isinstance(before, datetime) else None
        return super().get_bound_field(form, field_name)

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except forms.ValidationError as refusal:
            if refusal.code != "ambiguous_timezone" or not refusal.params:
                raise
            return self._one_of_two(refusal.params["datetime"])

    def _one_of_two(self, typed: datetime) -> datetime:
        """Return which of two moments was meant; refuse to guess."""
        zone = timezone.get_current_timezone()
        moments, is_skipped = moments_of(typed, zone)
        locals_ = [moment.astimezone(zone) for moment in moments]
        if not is_skipped and not self.widget.chosen:
            for local, moment in zip(locals_, moments, strict=True):
                if _shows(self.before, local):
                    return moment
        self.offered = [
            Offer(local.isoformat(), local.replace(tzinfo=None), clock.turn_of(local))
            for local in locals_
        ]
        for offer, moment in zip(self.offered, moments, strict=True):
            if offer.sent == self.widget.chosen:
                return moment
        skipped = _(
            "This time doesn’t exist: the clocks go forward past it. Choose one of these two, "
            "or enter another."
        )
        twice = _(
            "This time happens twice because the clocks go back. Choose which of the two you mean."
        )
        raise forms.ValidationError(skipped if is_skipped else twice) from None

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment is not None and not clock.is_stored(moment):
            raise forms.ValidationError(_("Enter a date between the years 2000 and 2099."))
        return moment


def _shows(before: datetime | None, local: datetime) -> bool:
    """Return whether the page showed this minute, in this turn."""
    if before is None:
        return False
    shown = before.astimezone(local.tzinfo) if before.tzinfo else before
    return (shown.replace(second=0, microsecond=0, tzinfo=None), shown.fold) == (
        local.replace(tzinfo=None),
        local.fold,
    )


def in_a_week() -> datetime:
    """Return a usual deadline, as the page's clocks show it."""
    day = timezone.localtime() + timedelta(days=7)
    return day.replace(hour=18, minute=0, second=0, microsecond=0, tzinfo=None)


def moment_field(label: Any, **options: Any) -> MomentField:
    return MomentField(
        label=label,
        widget=MomentInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        **options,
    )
