"""The people of a calendar: participants and invitations."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from commontime.accounts.names import display_names
from commontime.calendars import actions, queries, rules
from commontime.calendars.models import Calendar, Invitation
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.web import inviting
from commontime.web.base import FORM, calendar_of, me, page, posted_id
from commontime.web.once import once
from commontime.web.sign_in import signed_in, signed_in_at
from commontime.web.typed import Form

MOST_SHOWN = 1000
NOBODY = gettext_noop("This person isn’t in this calendar.")


class InviteForm(Form):
    who = inviting.names_field(
        gettext_lazy("Usernames or email addresses"), help_text=inviting.SEVERAL
    )
    at_once = forms.BooleanField(
        label=gettext_lazy("Add them straight away, without asking (usernames only)"),
        required=False,
    )


@require_http_methods(FORM)
@signed_in
@once("invite", "remind", "revoke")
def people(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show who is in a calendar and who is invited. The owner changes both."""
    user, calendar = me(request), calendar_of(request, calendar_id)
    form = InviteForm(request.POST if request.POST.get("do") == "invite" else None)
    if form.is_bound:
        queries.calendars.require_owner(user, calendar, _("invite people"))
    elif request.method == "POST":
        _do_with_people(request, calendar)
        return redirect("web:people", calendar_id)
    done = inviting.submit_people(form, "who", _invite, calendar, by=user)
    if done is not None and not form.errors:
        here = reverse("web:people", args=[calendar_id])
        return redirect(here + inviting.as_query(done))
    new = inviting.new_in(request) if done is None else inviting.ids_of(done)
    is_owner = rules.may_manage(user, calendar)
    context = {"form": form if is_owner else None, **_context(calendar, is_owner, new)}
    return page(request, "web/calendars/people.html", context)


def _context(calendar: Calendar, is_owner: bool, new: set[str]) -> Fields:
    """Return what the page shows. new: ids of the participants and invitations just made."""
    participants = queries.people.participants_of(calendar).order_by("joined_at", "id")[:MOST_SHOWN]
    invitations = _waiting(calendar) if is_owner else []
    users = (participant.user for participant in participants)
    names = display_names([*users, *inviting.receivers(invitations)])
    added = [
        names[participant.user_id] for participant in participants if str(participant.pk) in new
    ]
    return {
        "calendar": calendar,
        "is_owner": is_owner,
        "participants": [(participant, names[participant.user_id]) for participant in participants],
        "waiting": inviting.links_in(invitations, names),
        "invited": inviting.invited_in(invitations, new, names),
        "added": inviting.named(added),
    }


def _waiting(calendar: Calendar) -> list[Invitation]:
    pending = calendar.invitations.filter(status="pending").select_related("receiver")
    return list(pending.order_by("created_at", "id")[:MOST_SHOWN])


def _invite(
    calendar: Calendar, *, by: Any, who: str, at_once: bool
) -> tuple[list[Any], inviting.Refused]:
    """Invite the typed people, as far as possible.

    at_once: add those with an account without asking them.
    """

    def act(person: inviting.Who) -> Any:
        if at_once and isinstance(person, User):
            return actions.add_participant(calendar, by=by, user=person)
        return inviting.invite(calendar.pk, person, by=by)

    return inviting.for_each(who, act, by=by, field="who")


def _do_with_people(request: HttpRequest, calendar: Calendar) -> None:
    """Carry out the button beside a person."""
    what = request.POST.get("do")
    if what == "revoke":
        _revoke(request)
    elif what in {"required", "optional", "remind"}:
        _do_with_participant(request, calendar, what)
    else:
        raise InvalidInput(_("Choose what to do."), field="do")


def _revoke(request: HttpRequest) -> None:
    invitation_id = posted_id(request, "invitation", _(NOBODY))
    invitation = queries.invitations.invitation_for(me(request), invitation_id)
    actions.revoke_invitation(invitation, by=me(request))


def _do_with_participant(request: HttpRequest, calendar: Calendar, what: str) -> None:
    user, participant_id = me(request), posted_id(request, "participant", _(NOBODY))
    participant = queries.people.participant_for(calendar, participant_id)
    if what == "remind":
        username = participant.user.username
        actions.send_letter(by=user, username=username, kind="reminder", calendar_id=calendar.pk)
    else:
        actions.edit_participant(participant, by=user, required=what == "required")


def _page_of(request: HttpRequest, calendar_id: UUID, participant_id: UUID) -> str:
    return reverse("web:calendar", args=[calendar_id])


@require_POST
@signed_in_at(_page_of)
def take_part(request: HttpRequest, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
    """Say that one takes part, after somebody added one."""
    calendar = calendar_of(request, calendar_id)
    participant = queries.people.participant_for(calendar, participant_id)
    actions.take_part(participant, by=me(request))
    return redirect("web:calendar", calendar_id)


@require_POST
@signed_in_at(_page_of)
@once()
def remove_participant(
    request: HttpRequest, calendar_id: UUID, participant_id: UUID
) -> HttpResponse:
    calendar = calendar_of(request, calendar_id)
    participant = queries.people.participant_for(calendar, participant_id)
    actions.remove_participant(participant, by=me(request))
    if participant.user_id == me(request).pk:
        return redirect("web:home")
    return redirect("web:people", calendar_id)
