"""The first page, and the signed-in person's home."""

import re
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commontime.calendars import actions, queries
from commontime.core.errors import InvalidInput
from commontime.mail import backends
from commontime.mail import queries as mail
from commontime.web.base import FORM, me, page, refusing, signed_in


@require_safe
@refusing
def welcome(request: HttpRequest) -> HttpResponse:
    if request.user:
        return redirect("/app/")
    return page(request, "web/home/welcome.html")


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    context = {
        "calendars": queries.calendar_list_for(me(request), {"owner", "participant"}).order_by("-created_at", "id")[:100],
        "invitations": queries.invitations_for(me(request), "received").filter(status="pending").order_by("-created_at")[:100],
        "keeps_letters": backends.mail_folder() is not None,
    }
    return page(request, "web/home/home.html", context)


@require_safe
@signed_in
def letters(request: HttpRequest) -> HttpResponse:
    """List the mails to the signed-in person that were written to files because there is no mail server."""
    kept = mail.letters_kept_for(me(request).email)
    return page(request, "web/home/letters.html", {"letters": [(letter, _with_links(letter.text)) for letter in kept]})


def _with_links(text: str) -> list[tuple[bool, str]]:
    """Return the text in parts, with those that are addresses of ours marked; what people typed becomes no link."""
    ours = re.escape(settings.COMMONTIME_BASE_URL)
    return [(number % 2 == 1, part) for number, part in enumerate(re.split(rf"({ours}/\S*)", text))]


@require_POST
@signed_in
def answer_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Accept or decline, by the button that was pressed."""
    invitation = queries.invitation_for(me(request), invitation_id)
    match request.POST.get("status"):
        case "accepted":
            actions.accept_invitation(invitation, by=me(request))
            return redirect(f"/app/calendars/{invitation.calendar_id}/")
        case "declined":
            actions.decline_invitation(invitation, by=me(request))
            return redirect("/app/")
    raise InvalidInput("Choose whether to accept or to decline.", field="status")


@require_http_methods(FORM)
@signed_in
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation to an address; its button accepts it for whoever is signed in."""
    invitation = actions.invitation_of_link(token)
    if request.method == "POST":
        accepted = actions.accept_invitation_link(token, by=me(request))
        return redirect(f"/app/calendars/{accepted.calendar_id}/")
    return page(request, "web/home/join.html", {"invitation": invitation})
