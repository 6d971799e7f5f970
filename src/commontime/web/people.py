"""The people of a calendar: participants and invitations."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from commontime.accounts.names import display_names
from commontime.calendars import actions, queries, rules
from commontime.calendars.models import Calendar
from commontime.core.errors import InvalidInput, NotFound
from commontime.web import inviting
from commontime.web.base import FORM, calendar_of, me, page, submit
from commontime.web.once import once
from commontime.web.sign_in import signed_in, signed_in_at
from commontime.web.typed import Form

MOST_SHOWN = 1000


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
    user = me(request)
    shown = calendar_of(request, calendar_id)
    here = reverse("web:people", args=[calendar_id])
    is_owner = rules.may_manage(user, shown)
    form = InviteForm(request.POST if request.POST.get("do") == "invite" else None)
    if form.is_bound:
        queries.calendars.require_owner(user, shown, _("invite people"))
    if request.method == "POST" and not form.is_bound:
        _do_with_people(request, shown)
        return redirect(here)
    new = inviting.new_in(request)
    if result := submit(form, _invite, shown, by=user):
        done, refused = result
        if not refused:
            return redirect(here + inviting.as_query(done))
        inviting.keep_refused(form, "who", refused)
        new = {str(row.pk) for row in done}
    context = {"form": form if is_owner else None, **_context(shown, is_owner, new)}
    return page(request, "web/calendars/people.html", context)


def _context(calendar: Calendar, is_owner: bool, new: set[str]) -> dict[str, Any]:
    """Return what the page shows. new: ids of the participants and invitations just made."""
    waiting = (
        calendar.invitations.filter(status="pending")
        .select_related("receiver")
        .order_by("created_at", "id")
    )
    participants = queries.people.participants_of(calendar).order_by("joined_at", "id")[:MOST_SHOWN]
    invitations = waiting[:MOST_SHOWN] if is_owner else []
    users = (participant.user for participant in participants)
    names = display_names([*users, *inviting.receivers(invitations)])
    return {
        "calendar": calendar,
        "is_owner": is_owner,
        "participants": [(participant, names[participant.user_id]) for participant in participants],
        "waiting": [
            (invitation, inviting.receiver_in(invitation, names)) for invitation in invitations
        ],
        "invited": inviting.invited_in(invitations, new, names),
        "added": inviting.named(
            [
                names[participant.user_id]
                for participant in participants
                if str(participant.pk) in new
            ]
        ),
    }


def _invite(
    calendar: Calendar, *, by: Any, who: str, at_once: bool
) -> tuple[list[Any], inviting.Refused]:
    """Invite the typed people, as far as possible.

    at_once: add those with an account without asking them.
    """

    def act(person: inviting.Who) -> Any:
        if at_once and isinstance(person, int):
            return actions.add_participant(calendar, by=by, user=person)
        return inviting.invite(calendar.pk, person, by=by)

    people = inviting.look_up(who, by=by, field="who")
    done, refused = inviting.one_by_one(people.known, act)
    return done, people.refused + refused


def _do_with_people(request: HttpRequest, shown: Calendar) -> None:
    """Carry out the button beside a person."""
    user, what = me(request), request.POST.get("do")
    if what == "revoke":
        invitation = queries.invitations.invitation_for(user, _id(request.POST.get("invitation")))
        actions.revoke_invitation(invitation, by=user)
        return
    if what not in {"required", "optional", "remind"}:
        raise InvalidInput(_("Choose what to do."), field="do")
    participant = queries.people.participant_for(shown, _id(request.POST.get("participant")))
    if what == "remind":
        actions.send_letter(
            by=user, username=participant.user.username, kind="reminder", calendar_id=shown.pk
        )
    else:
        actions.edit_participant(participant, by=user, required=what == "required")


def _id(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound(_("This person isn’t in this calendar.")) from None


def _page_of(request: HttpRequest, calendar_id: UUID, participant_id: UUID) -> str:
    return reverse("web:calendar", args=[calendar_id])


@require_POST
@signed_in_at(_page_of)
@once()
def remove_participant(
    request: HttpRequest, calendar_id: UUID, participant_id: UUID
) -> HttpResponse:
    shown = calendar_of(request, calendar_id)
    participant = queries.people.participant_for(shown, participant_id)
    actions.remove_participant(participant, by=me(request))
    if participant.user_id == me(request).pk:
        return redirect("web:home")
    return redirect("web:people", calendar_id)
