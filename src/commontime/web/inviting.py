"""Several people at once, as one types or pastes them: to invite, or to keep as contacts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commontime.accounts.actions import names
from commontime.calendars import actions
from commontime.calendars.models import Invitation
from commontime.core.errors import InvalidInput, NotFound, Refusal, TooMany
from commontime.core.text import canonical
from commontime.web import words
from commontime.web.fields import PastedText

MOST = 100
MOST_NAMED = 12
LONGEST_SAID = 60  # characters of what was typed that a refusal repeats
SEVERAL = gettext_lazy("For several, separate them with commas, spaces or new lines.")
_QUOTED = re.compile(r'"[^"\n]*"(?=\s*<)')  # a name before its address, often with a comma in it
_ADDRESS = re.compile(r"<([^<>]*)>")
type Who = int | str  # an account, or an address
type Refused = list[tuple[str, str]]  # what was typed, and why nothing came of it


def names_field(label: Any, **options: Any) -> forms.CharField:
    widget = forms.Textarea(
        attrs={"rows": 2, "autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}
    )
    return PastedText(label=label, max_length=20_000, widget=widget, **options)


def pieces_in(text: str) -> list[list[str]]:
    """Return the user names and e-mail addresses in each piece of a text, each once; of “Ana
    <ana@example.org>” the address.
    """
    pieces = []
    for piece in re.split(r"[,;\n]", _QUOTED.sub("", text)):
        found: list[str] = []
        *before, rest = _ADDRESS.split(piece)  # by turns what an address is called, and the address
        for number, part in enumerate(before):
            found += [word for word in part.split() if number % 2 or "@" in word]
        once = {canonical(word): word for word in reversed([*found, *rest.split()])}
        pieces.append(list(reversed(once.values())))
    return [piece for piece in pieces if piece]


@dataclass(frozen=True, slots=True)
class Meant:
    """Who is meant by what was typed: what each is called, and the names that mean nobody."""

    found: dict[Who, str]
    refused: Refused


def meant(text: str, *, by: User, field: str) -> Meant:
    """Look the names up, before anything is done, so that guesses count. Once there were too many,
    no more are looked up.

    A piece of which a word means nobody may be what somebody is called: of “Tom Baker” nobody is
    meant, not even a user “tom”.
    """
    pieces = pieces_in(text)
    if text and not pieces:
        raise InvalidInput(_("Enter at least one name."), field=field)
    if len({canonical(word) for piece in pieces for word in piece}) > MOST:
        raise InvalidInput(
            _("Add at most %(n)d at a time. You can add the others afterwards.") % {"n": MOST},
            field=field,
        )
    found: dict[Who, str] = {}
    refused: Refused = []
    stopped = ""
    for piece in pieces:
        whom: dict[Who, str] = {}
        unknown, why = [], ""
        for word in piece:
            if "@" in word:
                whom[word.lower()] = word
                continue
            try:
                if not stopped:
                    whom[names.find(word, by=by).pk] = word
            except NotFound:
                unknown.append(word)
            except TooMany as refusal:
                stopped = refusal.detail
            why = stopped
        if why := why or _nobody_called(unknown, piece):
            refused.append((" ".join(piece), why))
        else:
            found |= whom
    return Meant(found, refused)


def _nobody_called(unknown: Sequence[str], piece: Sequence[str]) -> str:
    if not unknown:
        return ""
    if len(piece) == 1:
        return _("Nobody here has this username.")
    names = named([_short(word) for word in unknown])
    return _(
        "Nobody here has the username %(names)s, so none of these people was added. Enter "
        "usernames or email addresses."
    ) % {"names": names}


@transaction.atomic
def one_by_one[Done](
    whom: Mapping[Who, str], act: Callable[[Who], Done]
) -> tuple[list[Done], Refused]:
    """Act for each of them, all in one transaction. Returns what was done, and what was refused."""
    done, refused = [], []
    for who, name in whom.items():
        try:
            done.append(act(who))
        except Refusal as refusal:
            refused.append((name, refusal.detail))
    return done, refused


def invite(calendar_id: UUID, who: Who, *, by: User) -> Any:
    """Invite an account, or the holder of an address, who gets a mail with a link."""
    if isinstance(who, str):
        return actions.invite_address(calendar_id, by=by, email=who)
    return actions.invite_person(calendar_id, by=by, receiver=who)


def sentences(refused: Refused) -> list[str]:
    return [_("%(name)s: %(why)s") % {"name": _short(name), "why": why} for name, why in refused]


def _short(name: str) -> str:
    return Truncator(name).chars(LONGEST_SAID)


def keep_refused(form: forms.Form, field: str, refused: Refused) -> None:
    """Leave in the field what was refused, with the reasons beside it."""
    form.data = dict(form.data.items()) | {field: "\n".join(name for name, _why in refused)}
    for sentence in sentences(refused):
        form.add_error(field, sentence)


def named(names: Sequence[str]) -> str:
    return words.some(names, MOST_NAMED)


def as_query(done: Iterable[Any]) -> str:
    """Return the query that has the page after this one say what was done."""
    new = ",".join(str(each.pk) for each in done)
    return f"?new={new}" if new else ""


def new_in(request: HttpRequest) -> set[str]:
    """Return the ids that `as_query` wrote."""
    return set(request.GET.get("new", "").split(",")) - {""}


def receiver_in(invitation: Invitation, names: Mapping[int, str]) -> str:
    """Return what to call the receiver, where people are called as in `names`."""
    if invitation.receiver_id is None:
        return invitation.email
    return names[invitation.receiver_id]


def receivers(invitations: Iterable[Invitation]) -> list[User]:
    return [invitation.receiver for invitation in invitations if invitation.receiver]


def invited_in(invitations: Iterable[Invitation], new: set[str], names: Mapping[int, str]) -> str:
    """Return the names of those whose invitations are new."""
    return named(
        [receiver_in(invitation, names) for invitation in invitations if str(invitation.pk) in new]
    )
