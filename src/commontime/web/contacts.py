"""The page of contacts, and of invitations received and sent."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.accounts.names import display_names
from commontime.calendars import actions as calendar_actions
from commontime.calendars import queries as calendars
from commontime.calendars.models import Invitation
from commontime.contacts import actions, queries
from commontime.contacts.models import Contact
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web import inviting
from commontime.web.base import FORM, me, page, posted_id
from commontime.web.once import once
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

MOST_CONTACTS = 1000
MOST_INVITATIONS = 50


class ContactForm(Form):
    contactee = inviting.names_field(gettext_lazy("Usernames"), help_text=inviting.SEVERAL)


@require_http_methods(FORM)
@signed_in
@once()
def people(request: HttpRequest) -> HttpResponse:
    """Show contacts and invitations; add and remove contacts."""
    user, what = me(request), request.POST.get("do")
    form = ContactForm(request.POST if what == "add" else None)
    if request.method == "POST" and not form.is_bound:
        _do(request, what)
        return redirect("web:contacts")
    done = inviting.submit_people(form, "contactee", _add, by=user)
    if done is not None and not form.errors:
        return redirect(reverse("web:contacts") + inviting.as_query(done))
    new = inviting.new_in(request) if done is None else inviting.ids_of(done)
    return page(request, "web/contacts/people.html", {"form": form, **_context(user, new)})


def _context(user: User, new: set[str]) -> Fields:
    """Return what the page shows. new: ids of the contacts just added."""
    contacts = list(queries.contacts_of(user)[:MOST_CONTACTS])
    shared = _shared(user, (contact.contactee_id for contact in contacts))
    received, sent = (_invitations(user, box) for box in ("received", "sent"))
    names = display_names(
        [
            *(contact.contactee for contact in contacts),
            *(invitation.sender for invitation in received),
            *inviting.receivers(sent),
        ]
    )
    return {
        "contacts": [
            (contact, names[contact.contactee_id], shared[contact.contactee_id])
            for contact in contacts
        ],
        "added": inviting.named(
            [names[contact.contactee_id] for contact in contacts if str(contact.pk) in new]
        ),
        "received": [(invitation, names[invitation.sender_id]) for invitation in received],
        "sent": [(invitation, inviting.receiver_in(invitation, names)) for invitation in sent],
    }


def _invitations(user: User, box: str) -> QuerySet[Invitation]:
    invitations = calendars.invitations.invitations_for(user, box)
    return invitations.order_by("-created_at", "id")[:MOST_INVITATIONS]


def _add(*, by: User, contactee: str) -> tuple[list[Contact], inviting.Refused]:
    """Add the typed people as contacts, as far as possible."""

    def act(who: inviting.Who) -> Contact:
        if isinstance(who, str):
            raise InvalidInput(
                _(
                    "Add contacts by username. To invite somebody by email address, use a "
                    "calendar’s People page."
                )
            )
        return actions.add_contact(who, by=by)

    return inviting.for_each(contactee, act, by=by, field="contactee")


def _do(request: HttpRequest, what: str | None) -> None:
    """Carry out the button beside a person."""
    user = me(request)
    match what:
        case "remove":
            actions.remove_contact(request.POST.get("username", "").replace("\x00", ""), by=user)
        case "revoke":
            invitation_id = posted_id(request, "invitation", _("There is no such invitation."))
            invitation = calendars.invitations.invitation_for(user, invitation_id)
            calendar_actions.revoke_invitation(invitation, by=user)
        case _:
            raise InvalidInput(_("Choose what to do."), field="do")


def _shared(user: User, people: Iterable[int]) -> dict[int, list[Any]]:
    """Return the calendars that the user shares with each person."""
    shared = defaultdict(list)
    for participant in calendars.people.seats_shared_by(user, list(people)):
        shared[participant.user_id].append(participant.calendar)
    return shared
