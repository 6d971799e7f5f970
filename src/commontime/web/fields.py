"""Fields that several pages' forms have."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from commontime.calendars import limits
from commontime.core import clock
from commontime.core.text import clean_lines
from commontime.web import jinja

LEGACY = (
    "Etc/",
    "US/",
    "Canada/",
    "Brazil/",
    "Mexico/",
    "Chile/",
)  # other names of zones that are listed anyway


class ZoneInput(forms.TextInput):
    """A zone to type, or to pick from the known."""

    def __init__(self) -> None:
        super().__init__({"list": "zones", "autocomplete": "off", "spellcheck": "false"})

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        return super().render(name, value, dict(attrs or {}), renderer) + _zones()


@cache
def zone_names() -> list[str]:
    return [
        "UTC",
        *sorted(name for name in clock.zones() if "/" in name and not name.startswith(LEGACY)),
    ]


@cache
def _zones() -> SafeString:
    return jinja.render("web/zones.html", {"zones": zone_names()})


class PastedText(forms.CharField):
    """Several lines, often pasted: line ends become \\n, direction marks are dropped."""

    def to_python(self, value: Any) -> str:
        return clean_lines(super().to_python(value) or "")


def range_field(label: Any, allowed: limits.Range, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=allowed.least, max_value=allowed.most, **options
    )


def length_field(**options: Any) -> forms.IntegerField:
    return range_field(gettext_lazy("Length in minutes"), limits.DURATION_MINUTES, **options)


def quorum_field() -> forms.IntegerField:
    label = gettext_lazy("At least this many people must be able to come")
    return range_field(label, limits.QUORUM, required=False)


class BufferField(forms.IntegerField):
    """Minutes to keep free after a meeting. None typed means 0."""

    def __init__(self, label: Any) -> None:
        allowed = limits.BUFFER_MINUTES
        super().__init__(
            label=label, required=False, min_value=allowed.least, max_value=allowed.most
        )

    def clean(self, value: Any) -> int:
        return super().clean(value) or 0


def password_field(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=5000,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        **options,
    )


def new_password_field(label: Any) -> forms.CharField:
    return password_field(
        label,
        "new-password",
        help_text=gettext_lazy(
            "At least 8 characters, not just digits. A few random words work well."
        ),
    )


def username_field(**options: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "off"})
    return forms.CharField(label=gettext_lazy("Username"), max_length=150, widget=widget, **options)


def email_field() -> forms.CharField:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return forms.CharField(label=gettext_lazy("Email address"), max_length=254, widget=widget)


def name_field(label: Any, autocomplete: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, required=False, max_length=150, widget=widget)
