"""A meeting’s page: its best starts, and who comes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from commontime.calendars import actions, exchange, queries, rules
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups, outcomes, reasons, suggestions
from commontime.calendars.queries.people import Person
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotFound, TooMany
from commontime.core.shapes import Fields
from commontime.web import best_times, jinja, words
from commontime.web.base import FORM, expensive, meeting_of, page, posted_id, submit
from commontime.web.calendar_view import meeting_address
from commontime.web.compression import gzipped
from commontime.web.meeting_edit import as_shown, ask, change
from commontime.web.meeting_forms import FixForm, SuggestForm, WhatIfForm
from commontime.web.meeting_starts import change_of_best, listed_starts
from commontime.web.meeting_view import MeetingView, meeting_view
from commontime.web.once import once
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form, Typed

MOST_NAMES = 100
QUARTER = 15
NOTICES = {
    "reminded": gettext_lazy("A reminder is on its way."),
    "suggested": gettext_lazy("Your suggestion is in the list."),
    "withdrawn": gettext_lazy("The time has been withdrawn. The meeting is open again."),
    "nobody": gettext_lazy(
        "You didn’t tick anybody, so no reminder was sent. Tick the people to remind below."
    ),
}


@gzipped
@require_http_methods(FORM)
@signed_in
@expensive
@once()
def meeting(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
    """Show a meeting, and do what a button on its page says."""
    view = meeting_view(request, calendar_id, meeting_id)
    refused = _typed_form(request)
    with timezone.override(view.look.zone):
        if request.method == "POST":
            done = _do(request, view)
            if isinstance(done, HttpResponse):
                return done
            refused = done
        people = view.group.people if view.with_names else []
        what_if = WhatIfForm(people, request.GET if view.supposes else None)
        supposed = _supposed(view, what_if)
    form = refused or (what_if if what_if.errors else None)
    return page(
        request,
        "web/meetings/meeting.html",
        {**_context(request, view), "supposed": supposed, "form": form, "what_if": what_if},
    )


def _typed_form(request: HttpRequest) -> Form | None:
    """Return the start typed before one had to sign in again."""
    if not isinstance(request.POST, Typed):
        return None
    form = {"suggest": SuggestForm, "fix": FixForm}.get(request.POST.get("do", ""))
    return form(request.POST) if form else None


def _unticked(request: HttpRequest, silent: Sequence[Person]) -> set[str]:
    """Return whom one had unticked before signing in again."""
    if not isinstance(request.POST, Typed) or request.POST.get("do") != "remind":
        return set()
    return {person.username for person in silent} - {*request.POST.getlist("who")}


@gzipped
@require_safe
@signed_in
@expensive
def live(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
    """Answer an open page; 304 if nothing changed."""
    view = meeting_view(request, calendar_id, meeting_id)
    if unchanged := get_conditional_response(request, etag=view.tag):
        return unchanged
    response = page(request, "web/meetings/meeting.html#live", _context(request, view))
    response["ETag"] = view.tag
    return response


def _context(request: HttpRequest, view: MeetingView) -> Fields:
    return {
        **_head(request, view),
        **_answers(request, view),
        **_rights(view),
        **_best(view),
        "fixed": _fixed(view) if view.is_fixed else None,
        "explain": None if view.explains else _explaining(request),
    }


def _head(request: HttpRequest, view: MeetingView) -> Fields:
    """Return what the meeting is, and where its page is."""
    meeting, look = view.meeting, view.look
    live = reverse("web:meeting_live", args=[meeting.calendar_id, meeting.pk])
    return {
        "tag": view.tag,
        "live": f"{live}{look.query(**view.asks)}",
        "meeting": meeting,
        "calendar": meeting.calendar,
        "title": meeting.name,
        "place": meeting.location or meeting.calendar.location,
        "length": clock.length(meeting.duration),
        "until": words.until(meeting.deadline, look),
        "look": look,
        "asked": look.asked.items(),
        "home_query": look.query(zone=meeting.calendar.time_zone),
        "here": view.here,
        "notice": NOTICES.get(request.GET.get("done", "")),
    }


def _answers(request: HttpRequest, view: MeetingView) -> Fields:
    """Return whom the meeting is for, and who has not answered."""
    silent = view.group.silent
    return {
        "people": _people(view.meeting, view.group),
        "silent": silent[:MOST_NAMES],
        "unticked": _unticked(request, silent),
        "more_silent": max(0, len(silent) - MOST_NAMES),
        "answered": len(view.group.answered),
    }


def _rights(view: MeetingView) -> Fields:
    """Return what the person may do here."""
    calendar, is_over = view.meeting.calendar, view.meeting.deadline <= view.now
    is_open = not view.is_fixed and not calendar.is_finalized
    return {
        "is_owner": view.is_owner,
        "frozen": calendar.is_finalized,
        "is_over": is_over,
        "may_fix": view.may_fix,
        "may_suggest": is_open and (view.is_owner or not is_over),
        "may_suppose": rules.may_suppose(view.user, calendar, view.group.places)
        and (view.is_owner or not view.is_fixed),
    }


def _best(view: MeetingView) -> Fields:
    """Return the best starts, and what could change the first."""
    may_rank = rules.may_rank(view.user, view.meeting, view.group.ids, view.group.places)
    # Only one best start is explained: what is supposed, or what is.
    explains = not view.is_fixed and not view.supposes
    starts, change = [], None
    if may_rank and (view.is_owner or not view.is_fixed):
        starts = listed_starts(view, view.meeting, view.free)
    if may_rank and explains:
        change = change_of_best(view, view.meeting, view.free)
    return {
        "starts": starts,
        "nothing": reasons.no_times_yet(view.group) if may_rank else reasons.answers_are_hidden(),
        "explains": explains,
        "change": change,
    }


def _explaining(request: HttpRequest) -> str:
    """Return the address that asks what could change the best start."""
    asked = request.GET.copy()
    asked["explain"] = "1"
    return f"?{asked.urlencode()}#change"


def _people(meeting: Meeting, group: groups.Group) -> list[Person] | None:
    """Return whom the meeting is for. None: everybody in its calendar."""
    return (
        None
        if meeting.for_everyone
        else sorted(group.people, key=lambda person: (not person.required, person.name))[
            :MOST_NAMES
        ]
    )


def _fixed(view: MeetingView) -> Fields:
    """Return the meeting's time, and who comes."""
    meeting = view.meeting
    assert meeting.final_time is not None
    outcome = outcomes.outcomes_at(view.group, [meeting.final_time], meeting.duration)[0]
    bar = best_times.bar(outcome, len(view.group.people))
    return {
        "when": _when(view, meeting.final_time),
        "moment": meeting.final_time.isoformat(),
        "is_past": meeting.final_time + meeting.duration <= view.now,
        "bar": jinja.render("web/bar.html", {"bar": bar}),
        **_who_comes(view, outcome),
    }


def _who_comes(view: MeetingView, outcome: outcomes.Outcome) -> Fields:
    """Return the people by their answers, and always one's own answer.

    People are named as far as the calendar's visibility allows.
    """
    answers = [
        ("yes", _("Yes"), [*outcome.ideal, *outcome.works]),
        ("need", _("If need be"), outcome.if_need_be),
        ("no", _("No"), outcome.cannot),
        ("silent", _("No answer yet"), outcome.unanswered),
    ]
    titles = {person.user_id: title for _kind, title, people in answers for person in people}

    def names(people: Sequence[Person]) -> str:
        return ", ".join(person.name for person in people) if view.with_names else ""

    return {
        "groups": [(kind, title, len(people), names(people)) for kind, title, people in answers],
        "own": titles.get(view.user.pk, ""),
    }


def _supposed(view: MeetingView, form: WhatIfForm) -> Fields | None:
    """Answer what would be if. None: nobody asks, or it makes no sense."""
    if not form.is_valid():
        return None
    what_if = _what_if(form.cleaned_data)
    try:
        imagined, group = suggestions.suppose(view.meeting, view.free, what_if, by=view.user)
    except InvalidInput as refusal:
        for name in refusal.fields:
            form.add_error(name if name in form.fields else None, refusal.detail)
        return None
    return {
        "starts": listed_starts(view, imagined, group, what_if.align),
        "words": _in_words(view, what_if, imagined),
        # A start that was found for another length is not offered to be fixed at this one.
        "may_fix": view.may_fix and imagined.duration == view.meeting.duration,
        "change": change_of_best(view, imagined, group, what_if.align),
    }


def _what_if(given: Fields) -> suggestions.WhatIf:
    return suggestions.WhatIf(
        without=frozenset(given["without"]),
        duration_minutes=given["duration_minutes"],
        earliest=given["earliest"],
        latest=given["latest"],
        quorum=given["quorum"],
        align=QUARTER if given["quarter"] else None,
    )


def _in_words(view: MeetingView, what_if: suggestions.WhatIf, imagined: Meeting) -> list[str]:
    """Say what is supposed, each in a few words."""
    without = [person.name for person in view.group.people if person.user_id in what_if.without]
    sentences = [
        without and _("without %(names)s") % {"names": ", ".join(without)},
        what_if.duration_minutes and clock.length(imagined.duration),
        what_if.quorum and _("at least %(n)d can come") % {"n": what_if.quorum},
        what_if.earliest and _("not before %(when)s") % {"when": _at(view, what_if.earliest)},
        what_if.latest and _("ends by %(when)s") % {"when": _at(view, what_if.latest)},
        what_if.align and _("only on the quarter hour"),
    ]
    return [sentence for sentence in sentences if sentence]


def _at(view: MeetingView, moment: datetime) -> str:
    local = view.look.local(moment)
    return f"{words.day_name(local, short=True)}, {view.look.time(local)}"


def _do(request: HttpRequest, view: MeetingView) -> HttpResponse | Form:
    """Do what a button says.

    Return where to go then, a question, or the form that was refused.
    """
    user, meeting = view.user, as_shown(view.meeting, request.POST)
    match request.POST.get("do"):
        case "suggest":
            return _suggest(request, view, meeting)
        case "take-back":
            return _take_back(request, view)
        case "fix":
            return _fix(request, view, meeting)
        case "withdraw":
            actions.edit_meeting(meeting, by=user, strict=True, final_time=None)
            return redirect(_with(view, done="withdrawn"))
        case "remind":
            return _remind_ticked(request, view)
        case "delete":
            actions.delete_meeting(meeting, by=user)
            return redirect("web:calendar", meeting.calendar_id)
    raise InvalidInput(_("Choose what to do."), field="do")


def _suggest(request: HttpRequest, view: MeetingView, meeting: Meeting) -> HttpResponse | Form:
    form = SuggestForm(request.POST)
    if not submit(form, actions.suggest_time, meeting, by=view.user):
        return form
    return redirect(_with(view, done="suggested"))


def _take_back(request: HttpRequest, view: MeetingView) -> HttpResponse:
    suggestion = queries.meetings.suggestion_for(
        view.meeting, posted_id(request, "suggestion", _("This meeting has no such suggestion."))
    )
    actions.withdraw_suggestion(suggestion, by=view.user)
    return redirect(view.here)


def _fix(request: HttpRequest, view: MeetingView, meeting: Meeting) -> HttpResponse | Form:
    form, heard = FixForm(request.POST), request.POST.get("anyway", "")
    doubts = submit(form, change, meeting, by=view.user, heard=heard)
    if doubts is None:
        return form
    if doubts:
        when = _when(view, form.cleaned_data["final_time"])
        return ask(request, meeting, doubts, view.here, when=when)
    return redirect(view.here)


def _remind_ticked(request: HttpRequest, view: MeetingView) -> HttpResponse:
    usernames = request.POST.getlist("who")
    if not usernames:
        return redirect(_with(view, done="nobody"))
    _remind(view, usernames)
    return redirect(_with(view, done="reminded"))


def _remind(view: MeetingView, names: Sequence[str]) -> None:
    """Write to those named who have not answered. Who was written to often enough today is left
    out, unless that is everybody.
    """
    queries.calendars.require_owner(view.user, view.meeting.calendar, _("remind people"))
    wanted = [
        person
        for person in view.group.silent
        if person.username in names and person.user_id != view.user.pk
    ]
    refusal: TooMany | None = None
    sent = 0
    for person in wanted:
        try:
            actions.send_letter(
                by=view.user,
                username=person.username,
                kind="reminder",
                calendar_id=view.meeting.calendar_id,
            )
            sent += 1
        except TooMany as too_many:
            refusal = too_many
    if not wanted:
        raise NotFound(_("None of these people still needs a reminder."))
    if refusal and not sent:
        raise refusal


def _when(view: MeetingView, moment: datetime) -> str:
    return words.when(moment, view.meeting.duration, view.look)


def _with(view: MeetingView, **more: str) -> str:
    return f"{meeting_address(view.meeting)}{view.look.query(**more)}"


@require_safe
@signed_in
def invite(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
    """The meeting as a file for one's own calendar."""
    meeting = meeting_of(request, calendar_id, meeting_id)
    if meeting.final_time is None:
        raise Conflict(_("This meeting has no confirmed time yet."), code="not_scheduled")
    body = exchange.invite_file(exchange.Snapshot.of(meeting))
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )
