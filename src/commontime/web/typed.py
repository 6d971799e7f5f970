"""What somebody typed before they had to sign in again.

The sign-in page carries it in a hidden field, so nothing is stored here. Signed in again, the
person finds it in the form, not sent yet. Nobody else gets it: each form holds a mark of who looked
at it.
"""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.core import signing
from django.forms.utils import ErrorDict
from django.http import HttpRequest, QueryDict
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

MARK = "typed_by"  # the field of a form with the mark of who looked at it
FIELD = "typed"  # the field of the sign-in page with what was typed
LONGEST = 500_000  # characters of that; with more, a form would be too long to send
LASTS = 24 * 3600  # seconds
_SALT = "commontime.web.typed"
_NEVER = {"csrfmiddlewaretoken", MARK}


class Typed(QueryDict):
    """The fields of an unsent form, as `request.POST`."""


class Form(forms.Form):
    """A form of a page. With `Typed` data it shows them, and can't be sent."""

    def offer(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        """Set what a field lets people choose from."""
        cast(Any, self.fields[name]).choices = list(choices)

    def is_valid(self) -> bool:
        return not isinstance(self.data, Typed) and super().is_valid()

    def full_clean(self) -> None:
        if isinstance(self.data, Typed):
            self._errors, self.cleaned_data = ErrorDict(), {}
        else:
            for field in self.fields.values():
                say_plainly(field)
            super().full_clean()


def say_plainly(field: forms.Field) -> None:
    """Have a field say what is wrong in our words; Django's sound like a program."""
    field.error_messages["required"] = _("This can’t be blank.")
    if isinstance(field, forms.IntegerField) and field.min_value is not None:
        wanted = _("Choose a whole number from %(least)d to %(most)d.") % {
            "least": field.min_value,
            "most": field.max_value,
        }
        field.error_messages |= dict.fromkeys(("invalid", "min_value", "max_value"), wanted)


def mark_of(user: User) -> str:
    return salted_hmac(_SALT, str(user.pk), algorithm="sha256").hexdigest()


def is_by(request: HttpRequest, user: User) -> bool:
    """Return whether this person looked at the form's page."""
    return constant_time_compare(request.POST.get(MARK, ""), mark_of(user))


def fields_of(request: HttpRequest) -> Typed:
    """Return what was typed, without passwords."""
    typed = Typed(mutable=True)
    for name, values in request.POST.lists():
        if name not in _NEVER and "password" not in name:
            typed.setlist(name, values)
    typed._mutable = False
    return typed


def pack(request: HttpRequest) -> str:
    """Return what was typed, signed, for the sign-in page. "": it is too long or unmarked."""
    if FIELD in request.POST:  # from a sign-in page, which carries it already
        return request.POST[FIELD]
    if MARK not in request.POST:
        return ""
    packed = signing.dumps(
        [request.POST[MARK], fields_of(request).urlencode()], salt=_SALT, compress=True
    )
    return packed if len(packed) <= LONGEST else ""


def of(request: HttpRequest, user: User) -> Typed | None:
    """Return what this person typed, or their sign-in page carried. None: it is another's."""
    if packed := request.POST.get(FIELD, ""):
        return unpack(packed, user)
    return fields_of(request) if is_by(request, user) else None


def unpack(packed: str, user: User) -> Typed | None:
    """Return what this person typed. None: it was somebody else, or too long ago."""
    try:
        mark, fields = signing.loads(packed, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    if not constant_time_compare(mark, mark_of(user)):
        return None
    return cast(Typed, Typed(fields))


def show(request: HttpRequest, typed: Typed) -> None:
    """Show the page as on a GET, with its form as typed."""
    asking: Any = request
    asking.method, asking.POST = "GET", typed
