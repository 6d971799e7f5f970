"""Several people typed or pasted at once."""

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
from commontime.calendars import actions, queries
from commontime.calendars.enums import InvitationStatus
from commontime.calendars.models import Invitation
from commontime.core.errors import InvalidInput, NotFound, Refusal, TooMany
from commontime.core.text import canonical, some_of, visible
from commontime.web.base import submit
from commontime.web.fields import PastedText

MOST = 100
MOST_NAMED = 12
LONGEST_SAID = 60  # characters of what was typed that a refusal repeats
SEVERAL = gettext_lazy("For several, separate them with commas, spaces or new lines.")
_QUOTED = re.compile(r'"[^"\n]*"(?=\s*<)')  # a name before its address, often with a comma in it
_ADDRESS = re.compile(r"<([^<>]*)>")
type Who = User | str  # an account, or an address
type Refused = list[tuple[str, str]]  # what was typed, and why nothing came of it


def names_field(label: Any, **options: Any) -> forms.CharField:
    widget = forms.Textarea(
        attrs={"rows": 2, "autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}
    )
    return PastedText(label=label, max_length=20_000, widget=widget, **options)


def pieces_in(text: str) -> list[list[str]]:
    """Return the usernames and addresses in each piece of a text.

    Of “Ana <ana@example.org>” that is the address. No name or address has invisible characters;
    they come along with pasted text.
    """
    pieces = []
    for piece in re.split(r"[,;\n，、；،؛]", _QUOTED.sub("", visible(text))):
        unique = {canonical(word): word for word in reversed(_words_in(piece))}
        pieces.append(list(reversed(unique.values())))
    return [piece for piece in pieces if piece]


def _words_in(piece: str) -> list[str]:
    *parts, rest = _ADDRESS.split(piece)  # alternately a name and its address
    addresses = [
        word
        for number, part in enumerate(parts)
        for word in part.split()
        if number % 2 or "@" in word
    ]
    return addresses + rest.split()


@dataclass(frozen=True, slots=True)
class People:
    """The people a text names, and the pieces that were refused.

    known: with the words for them.
    """

    known: dict[Who, str]
    refused: Refused


def look_up(text: str, *, by: User, field: str) -> People:
    """Look up all typed names before anything else, so guesses count.

    A piece with an unknown word names nobody: “Tom Baker” is not the user “tom”. Once there were
    too many guesses, no more names are looked up.
    """
    pieces = pieces_in(text)
    if text and not pieces:
        raise InvalidInput(_("Enter at least one name."), field=field)
    require_few(len({canonical(word) for piece in pieces for word in piece}), field=field)
    search = _Search(by)
    for piece in pieces:
        search.add(piece)
    return People(search.known, search.refused)


def require_few(count: int, *, field: str) -> None:
    if count > MOST:
        raise InvalidInput(
            _("Add at most %(n)d at a time. You can add the others afterwards.") % {"n": MOST},
            field=field,
        )


class _Search:
    """Looks up pieces, until there were too many guesses."""

    def __init__(self, by: User) -> None:
        self.by = by
        self.known: dict[Who, str] = {}
        self.refused: Refused = []
        self.stopped = ""  # why no more names are looked up

    def add(self, piece: Sequence[str]) -> None:
        people: dict[Who, str] = {}
        unknown = []
        for word in piece:
            if (person := self._find(word)) is None:
                unknown.append(word)
            else:
                people[person] = word
        if self.stopped and any("@" not in word for word in piece):
            self.refused.append((" ".join(piece), self.stopped))
        elif unknown:
            self.refused.append((" ".join(piece), _nobody_called(unknown, piece)))
        else:
            self.known |= people

    def _find(self, word: str) -> Who | None:
        if "@" in word:
            return word.lower()
        try:
            return None if self.stopped else names.find(word, by=self.by)
        except NotFound:
            return None
        except TooMany as refusal:
            self.stopped = refusal.detail
            return None


def _nobody_called(unknown: Sequence[str], piece: Sequence[str]) -> str:
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
    """Act for each person in one transaction. Return the results and the refusals."""
    done, refused = [], []
    for who, name in whom.items():
        try:
            done.append(act(who))
        except Refusal as refusal:
            refused.append((name, refusal.detail))
    return done, refused


def for_each[Done](
    text: str, act: Callable[[Who], Done], *, by: User, field: str
) -> tuple[list[Done], Refused]:
    """Look up the people in a text, and act for each."""
    people = look_up(text, by=by, field=field)
    done, refused = one_by_one(people.known, act)
    return done, people.refused + refused


def submit_people(
    form: forms.Form,
    field: str,
    action: Callable[..., tuple[list[Any], Refused]],
    *args: Any,
    **kwargs: Any,
) -> list[Any] | None:
    """Submit a form with people, and return the new rows.

    None if the form is not sent or is refused. Who was refused alone stays in the field.
    """
    result = submit(form, action, *args, **kwargs)
    if result is None:
        return None
    done, refused = result
    if refused:
        keep_refused(form, field, refused)
    return done


def invite(calendar_id: UUID, who: Who, *, by: User) -> Any:
    """Invite an account or an address. An address gets a link."""
    if isinstance(who, str):
        return actions.invite_address(calendar_id, by=by, email=who)
    return actions.invite_person(calendar_id, by=by, receiver=who)


def sentences(refused: Refused) -> list[str]:
    return [_("%(name)s: %(why)s") % {"name": _short(name), "why": why} for name, why in refused]


def _short(name: str) -> str:
    return Truncator(name).chars(LONGEST_SAID)


def keep_refused(form: forms.Form, field: str, refused: Refused) -> None:
    """Leave the refused pieces in the field, with their reasons."""
    form.data = dict(form.data.items()) | {field: "\n".join(name for name, _why in refused)}
    for sentence in sentences(refused):
        form.add_error(field, sentence)


def named(names: Sequence[str]) -> str:
    return some_of(names, MOST_NAMED)


def as_query(done: Iterable[Any]) -> str:
    """Return the query that says which rows are new."""
    new = ",".join(str(row.pk) for row in done)
    return f"?new={new}" if new else ""


def ids_of(done: Iterable[Any]) -> set[str]:
    return {str(row.pk) for row in done}


def new_in(request: HttpRequest) -> set[str]:
    """Return the ids that `as_query` wrote."""
    return set(request.GET.get("new", "").split(",")) - {""}


def receiver_in(invitation: Invitation, names: Mapping[int, str]) -> str:
    """Return the name or the address of an invitation's receiver."""
    if invitation.receiver_id is None:
        return invitation.email
    return names[invitation.receiver_id]


def receivers(invitations: Iterable[Invitation]) -> list[User]:
    return [invitation.receiver for invitation in invitations if invitation.receiver]


def links_in(
    invitations: Iterable[Invitation], names: Mapping[int, str]
) -> list[tuple[Invitation, str, str]]:
    """Return the invitations that wait, each with its receiver and the link for them.

    The owner alone may see them: whoever holds a link is the person invited.
    """
    return [
        (invitation, receiver_in(invitation, names), queries.invitations.link_to(invitation))
        for invitation in invitations
        if invitation.status == InvitationStatus.PENDING
    ]


def invited_in(invitations: Iterable[Invitation], new: set[str], names: Mapping[int, str]) -> str:
    """Return the receivers of the new invitations as text."""
    return named(
        [receiver_in(invitation, names) for invitation in invitations if str(invitation.pk) in new]
    )
