"""Fields for moments, as clocks show them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from commontime.core import clock
from commontime.layout.wall_clock import moments_of


class MomentInput(forms.DateTimeInput):
    """Clocks to type a moment by, and beside them the choice between two that they may mean
    (web/_which.html).
    """

    chosen = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        self.chosen = data.get(f"{name}_at", "")
        return super().value_from_datadict(data, files, name)


class MomentField(forms.DateTimeField):
    """A moment as typed by the page's clocks, or with an offset as our own buttons send it.

    offered: the two moments from which to choose one, if clocks that change show what was typed
    twice or never. A choice holds for what it was made of only.
    """

    offered: Sequence[
        tuple[str, datetime, str]
    ] = ()  # how it is sent, what clocks show then, and which of two that is

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
        except forms.ValidationError as refusal:
            if refusal.code != "ambiguous_timezone" or not refusal.params:
                raise
            zone = timezone.get_current_timezone()
            moments, is_skipped = moments_of(refusal.params["datetime"], zone)
            locals_ = [moment.astimezone(zone) for moment in moments]
            self.offered = [
                (local.isoformat(), local.replace(tzinfo=None), clock.turn_of(local))
                for local in locals_
            ]
            for local, moment in zip(locals_, moments, strict=True):
                if local.isoformat() == self.widget.chosen:
                    return moment
            skipped = _(
                "This time doesn’t exist: the clocks go forward past it. Choose one of these two, "
                "or enter another."
            )
            twice = _(
                "This time happens twice because the clocks go back. Choose which of the two you "
                "mean."
            )
            raise forms.ValidationError(skipped if is_skipped else twice) from None
        return moment

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment is not None and not clock.EARLIEST <= moment < clock.LATEST:
            raise forms.ValidationError(_("Enter a date between the years 2000 and 2099."))
        return moment


def moment_field(label: Any, **options: Any) -> MomentField:
    return MomentField(
        label=label,
        widget=MomentInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        **options,
    )
