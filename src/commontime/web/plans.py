"""Many meetings at once: one-on-ones, the search for a plan while it runs, its timetable, and
publishing it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commontime.accounts import queries as accounts
from commontime.accounts.names import full_name
from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Calendar, Meeting, Plan
from commontime.calendars.planning import groups, plans
from commontime.calendars.queries.people import Roster
from commontime.core import cache, clock
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.layout import timetable
from commontime.web import words
from commontime.web.base import CLOCKS, FORM, calendar_of, me, page, signed_in, submit
from commontime.web.calendar_view import meeting_address
from commontime.web.compression import gzipped
from commontime.web.look import FIRST_WEEKDAY, Look, look
from commontime.web.moments import moment_field

MOST_NAMES = 3
MOST_LISTED = 200
ANY_MINUTE = 0
TYPED = "%Y-%m-%dT%H:%M"
GRIDS = {
    15: gettext_lazy("on the quarter hour"),
    30: gettext_lazy("on the half hour"),
    60: gettext_lazy("on the hour"),
    5: gettext_lazy("every five minutes"),
    ANY_MINUTE: gettext_lazy("at any minute"),
}
SEARCHES = {
    10: gettext_lazy("10 seconds"),
    30: gettext_lazy("half a minute"),
    120: gettext_lazy("2 minutes"),
    300: gettext_lazy("5 minutes"),
}
MATTERS = {
    1: gettext_lazy("normal priority"),
    2: gettext_lazy("higher priority"),
    4: gettext_lazy("top priority"),
}  # by priority


class OneOnOnesForm(forms.Form):
    deadline = moment_field(gettext_lazy("Answer by"))
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        required=False,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
    )
    buffer_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes to keep free after each"),
        required=False,
        min_value=limits.BUFFER_MINUTES.least,
        max_value=limits.BUFFER_MINUTES.most,
    )
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    people = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Only with these people"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, view: "PlanView", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [
            person
            for person in view.roster.people
            if person.user_id != view.calendar.owner_id and person.is_active
        ]
        self.fields["people"].choices = [(person.user_id, person.name) for person in others]  # type: ignore[attr-defined]
        self.fields["duration_minutes"].widget.attrs["placeholder"] = str(
            view.calendar.duration_minutes
        )

    def clean_buffer_minutes(self) -> int:
        return self.cleaned_data["buffer_minutes"] or 0


class PlanForm(forms.Form):
    """How to plan, and for each open meeting whether it is planned, how much it matters, and when
    it must be, if it must.
    """

    align = forms.TypedChoiceField(
        label=gettext_lazy("Start times"), choices=list(GRIDS.items()), coerce=int
    )
    seconds = forms.TypedChoiceField(
        label=gettext_lazy("Search for at most"), choices=list(SEARCHES.items()), coerce=int
    )
    meetings = forms.Field(
        required=False
    )  # nothing to type: what is refused of all the rows stands there

    def __init__(self, view: "PlanView", data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_asked(view))
        self.view = view
        for pk in view.listed:
            self.fields[f"planned-{pk}"] = forms.BooleanField(required=False)
            self.fields[f"matters-{pk}"] = forms.IntegerField(
                required=False, min_value=limits.PRIORITY.least, max_value=limits.PRIORITY.most
            )
            self.fields[f"then-{pk}"] = moment_field("", required=False)

    def clean(self) -> dict[str, Any]:
        """Return what `_plan` takes. A row whose tick is gone is left out, whatever else stands in
        it.
        """
        given = self.cleaned_data
        chosen = [
            pk
            for pk in self.view.listed
            if given.get(f"planned-{pk}") or f"matters-{pk}" not in self.data
        ]
        for pk in self.view.listed.keys() - set(chosen):
            for name in ("matters", "then"):
                self.errors.pop(f"{name}-{pk}", None)
        if self.view.listed and not chosen:
            self.add_error("meetings", _("Tick at least one meeting."))
        return {
            "align": given.get("align"),
            "seconds": given.get("seconds"),
            "chosen": chosen,
            "typed": {pk: then for pk in chosen if (then := given.get(f"then-{pk}"))},
            "priorities": {
                pk: matters for pk in chosen if (matters := given.get(f"matters-{pk}") or 1) > 1
            },
        }

    @property
    def plain(self) -> list[forms.BoundField]:
        return [self["align"], self["seconds"]]

    @cached_property
    def rows(self) -> "list[Row]":
        return [_row(self, meeting) for meeting in self.view.listed.values()]

    @property
    def refuses_rows(self) -> bool:
        return bool(self["meetings"].errors) or any(row.errors for row in self.rows)

    @property
    def chosen(self) -> str:
        """How the rows differ from planning everything alike, for where they are folded."""
        planned = [row for row in self.rows if row.is_planned]
        left_out, more = len(self.rows) - len(planned), sum(row.matters != "1" for row in planned)
        then = sum(bool(row.then) for row in planned)
        said = [
            left_out and ngettext("%(n)d left out", "%(n)d left out", left_out) % {"n": left_out},
            more
            and ngettext("%(n)d with a higher priority", "%(n)d with a higher priority", more)
            % {"n": more},
            then and ngettext("%(n)d at a set time", "%(n)d at set times", then) % {"n": then},
        ]
        return " · ".join(words for words in said if words)


# What a page knows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlanView:
    """A calendar's meetings and its last plan, as its owner looks at them now."""

    calendar: Calendar
    user: Any
    look: Look
    now: datetime
    plan: Plan | None
    roster: Roster
    ticked: frozenset[UUID] | None = (
        None  # what was ticked in a timetable that is shown again; None: as the plan was asked for
    )

    def address(self, name: str = "web:plan", **more: str) -> str:
        return f"{reverse(name, args=[self.calendar.pk])}{self.look.query(**more)}"

    @property
    def here(self) -> str:
        return self.address()

    @cached_property
    def meetings(self) -> dict[UUID, Meeting]:
        found = {
            meeting.pk: meeting
            for meeting in queries.meetings.meetings_of(self.calendar).order_by("created_at", "id")
        }
        for meeting in found.values():
            meeting.calendar = self.calendar
        return found

    @cached_property
    def open(self) -> dict[UUID, Meeting]:
        return {pk: meeting for pk, meeting in self.meetings.items() if meeting.final_time is None}

    @cached_property
    def listed(self) -> dict[UUID, Meeting]:
        """The open meetings that can be planned at once; none while that is done."""
        return {} if self.is_running else dict(islice(self.open.items(), limits.MOST_PLANNED))

    @cached_property
    def question(self) -> plans.Question:
        return (
            msgspec.convert(self.plan.question, plans.Question) if self.plan else plans.Question()
        )

    @cached_property
    def answer(self) -> plans.Answer | None:
        return plans.answer_for(self.user, self.plan) if self.plan and self.plan.answer else None

    @cached_property
    def placed(self) -> list[plans.Placement]:
        """What has a place and is still there."""
        return (
            [placed for placed in self.answer.placed if placed.meeting in self.meetings]
            if self.answer
            else []
        )

    @property
    def pinned(self) -> Set[UUID]:
        return self.question.pinned.keys() if self.ticked is None else self.ticked

    @property
    def is_running(self) -> bool:
        return self.plan is not None and self.plan.status == PlanStatus.RUNNING

    @property
    def tag(self) -> str:
        plan = self.plan
        state = plan and (plan.pk, plan.status, plan.seconds, plan.stop_wanted)
        return cache.tag_of(
            (self.calendar.pk, state, str(self.look.zone), self.look.h12, get_language())
        )


def _plan_view(request: HttpRequest, calendar_id: UUID) -> PlanView:
    user, now = me(request), clock.now()
    calendar = calendar_of(request, calendar_id)
    queries.calendars.require_owner(user, calendar, _("plan meetings"))
    try:
        plan, roster = queries.plans.plan_for(user, calendar)
        plan.calendar = calendar
    except NotFound:
        plan, roster = None, queries.people.roster_of(calendar)
    shown = look(request.GET, calendar, accounts.setting_of(user), now)
    return PlanView(calendar, user, shown, now, plan, roster)


# The page -----------------------------------------------------------------------------------------


@gzipped
@require_http_methods(FORM)
@signed_in
def plan(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show the calendar's plan to its owner, and do what a button on its page says."""
    view = _plan_view(request, calendar_id)
    post = request.POST if request.method == "POST" else None
    refusal = ""
    with timezone.override(view.look.zone):
        pairs = OneOnOnesForm(
            view,
            post if post and post.get("do") == "one-on-ones" else None,
            initial=_soon(),
        )
        asking = PlanForm(view, post if post and post.get("do") == "plan" else None)
        if post is not None:
            try:
                if target := _do(post, view, pairs, asking):
                    return redirect(target)
            except Conflict as conflict:
                # Of the plan, not of a form: the page as it is now, and why.
                refusal, view = conflict.detail, _plan_view(request, calendar_id)
            if asking.is_bound:
                view = replace(view, ticked=frozenset(_pins(post)))
    form = next((each for each in (pairs, asking) if each.is_bound), None)
    shown = {
        **_context(view, asking),
        "pairs": pairs,
        "form": form,
        "refusal": refusal,
        "detail": refusal,
        "notice": _notice(request),
    }
    response = page(request, "web/plans/plan.html", shown)
    if refusal:
        response.status_code = 409
    return response


@gzipped
@require_safe
@signed_in
def live(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """How far the search is, for a page that is open; 304 as long as nothing changed."""
    view = _plan_view(request, calendar_id)
    if unchanged := get_conditional_response(request, etag=view.tag):
        return unchanged
    response = render(request, "web/plans/plan.html#result", _context(view, PlanForm(view)))
    response["ETag"] = view.tag
    return response


def _do(post: QueryDict, view: PlanView, pairs: OneOnOnesForm, asking: PlanForm) -> str:
    """Do what a button says. Returns where to go then; nothing if a form was refused."""
    user = view.user
    match post.get("do"):
        case "one-on-ones":
            made = submit(pairs, actions.create_one_on_ones, view.calendar, by=user)
            return "" if made is None else view.address(made=str(len(made[0])))
        case "plan":
            return view.here if submit(asking, _plan, view, by=user, ticked=_pins(post)) else ""
        case "stop":
            actions.stop_plan(_shown(post, view), by=user)
        case "publish":
            actions.apply_plan(view.calendar, by=user, seen=_shown(post, view).pk)
        case _:
            raise InvalidInput(_("Choose what to do."), field="do")
    return view.here


def _plan(
    view: PlanView,
    *,
    by: Any,
    ticked: dict[UUID, datetime],
    align: int,
    seconds: int,
    chosen: list[UUID],
    typed: dict[UUID, datetime],
    priorities: dict[UUID, int],
) -> plans.PlanDetails:
    """Plan as the form says. A time that was typed goes before a tick in the timetable, and neither
    holds for what is left out.
    """
    left_out = view.listed.keys() - set(chosen)
    question = plans.Question(
        meetings=() if len(chosen) == len(view.open) else tuple(chosen),
        pinned={pk: start for pk, start in (ticked | typed).items() if pk not in left_out},
        priorities=priorities,
        align_minutes=align or None,
        seconds=seconds,
    )
    try:
        return actions.make_plan(view.calendar, by=by, question=question)
    except InvalidInput as refusal:
        if meeting := refusal.extra.get("meeting"):
            raise InvalidInput(refusal.detail, field=f"then-{meeting}") from None
        raise


def _shown(post: QueryDict, view: PlanView) -> Plan:
    """Return the plan that the person saw when they pressed the button."""
    if view.plan is None:
        raise NotFound(_("Nothing has been planned in this calendar yet."))
    if post.get("plan") not in (None, str(view.plan.pk)):
        raise Conflict(
            _("A newer plan has replaced the one you saw. Look at this one first."),
            code="changed_meanwhile",
        )
    return view.plan


def _pins(post: QueryDict) -> dict[UUID, datetime]:
    """Read what was ticked: a meeting and when it was view, so that a plan made meanwhile moves no
    pin.
    """
    try:
        pairs = [value.split(" ", 1) for value in post.getlist("pin")[: limits.MOST_PLANNED]]
        pinned = {UUID(meeting): datetime.fromisoformat(start) for meeting, start in pairs}
    except ValueError:
        pass
    else:
        if all(
            start.tzinfo and clock.EARLIEST <= start < clock.LATEST for start in pinned.values()
        ):
            return pinned
    raise InvalidInput(_("This time isn’t part of the plan. Load the page again."), field="pin")


def _soon() -> dict[str, Any]:
    return {
        "deadline": (timezone.localtime() + timedelta(days=7)).replace(
            hour=18, minute=0, second=0, microsecond=0, tzinfo=None
        )
    }


def _asked(view: PlanView) -> dict[str, Any]:
    """Return what was asked last, as far as the form can ask it and it still makes sense."""
    question, is_done = view.question, view.plan is not None and view.plan.status == PlanStatus.DONE
    align, seconds = question.align_minutes or ANY_MINUTE, int(question.seconds)
    asked: dict[str, Any] = {
        "align": align if align in GRIDS else 15,
        "seconds": seconds if seconds in SEARCHES else 30,
    }
    # What a published plan left open is there to be planned next.
    is_published = view.plan is not None and view.plan.status == PlanStatus.APPLIED
    chosen = set() if is_published else view.listed.keys() & set(question.meetings)
    in_timetable = (
        {placed.meeting for placed in view.placed} if is_done else set()
    )  # it has a tick there
    for pk in view.listed:
        asked[f"planned-{pk}"] = not chosen or pk in chosen
        asked[f"matters-{pk}"] = question.priorities.get(pk, 1)
        then = question.pinned.get(pk)
        if then and then > view.now and pk not in in_timetable:
            asked[f"then-{pk}"] = then.astimezone(view.look.zone).strftime(TYPED)
    return asked


def _notice(request: HttpRequest) -> str:
    made = request.GET.get("made", "")
    if not made.isascii() or not made.isdecimal() or len(made) > 4:
        return ""
    if int(made) == 0:
        return _("You already have a one-on-one with everybody.")
    return ngettext(
        "%(n)d one-on-one is waiting for a time.",
        "%(n)d one-on-ones are waiting for a time.",
        int(made),
    ) % {"n": int(made)}


# What is shown ------------------------------------------------------------------------------------


def _context(view: PlanView, asking: PlanForm) -> dict[str, Any]:
    answer, plan = view.answer, view.plan
    status = PlanStatus(plan.status) if plan else None
    told = (
        plans.mail_counts([view.meetings[placed.meeting] for placed in view.placed], view.roster)
        if status == PlanStatus.DONE
        else []
    )
    wanted = len(answer.placed) + len(answer.unplaced) if answer else 0
    count = {"placed": len(view.placed), "wanted": wanted}
    unplaced = (
        []
        if view.is_running
        else [_unplaced(view, each) for each in (answer.unplaced if answer else ())][:MOST_LISTED]
    )
    return {
        "calendar": view.calendar,
        "clock": CLOCKS[
            "h12" if view.look.h12 else "h23"
        ],  # the live part is shown without a page around it
        "look": view.look,
        "asked": view.look.asked.items(),
        "home_query": view.look.query(zone=view.calendar.time_zone),
        "here": view.here,
        "live": view.address("web:plan_live"),
        "tag": view.tag,
        "plan": plan,
        "status": status,
        "frozen": view.calendar.is_finalized,
        "open": len(view.open),
        "unlisted": len(view.open) - len(view.listed),
        "others": len(view.roster.by_id) - 1,
        "asking": asking,
        "said": _("A time for %(placed)d of %(wanted)d") % count,
        "proved": answer.proved and bool(answer.placed) if answer else False,
        "gap": f"{100 * answer.gap:.3g}" if answer else "",
        "quality": quality(answer, view.question) if answer else "",
        "counts": counts(answer, view.question) if answer else [],
        "elapsed": round(plan.seconds) if plan else 0,
        "limit": round(view.question.seconds),
        "weeks": [] if view.is_running else _weeks(view),
        "unplaced": unplaced,
        "asks_something": any(each["asks"] for each in unplaced),
        "told": told[:MOST_LISTED],
        "mails": sum(number for _person, number in told),
    }


def quality(answer: plans.Answer, question: plans.Question) -> str:
    """Say how good a plan is: proved best, or where, and by how much at most, another might be
    better.
    """
    if answer.proved and not answer.placed:
        return _("Proven: with the answers so far, none of them can have a time.")
    if answer.proved:
        return _("Optimal, proven: no plan is better.")
    value, bound = answer.value, answer.bound
    said = {"value": value.priority, "bound": bound.priority}
    if value.priority != bound.priority:
        if question.priorities:
            return (
                _(
                    "Not proven to be the best: counted by priority it places %(value)d; no plan "
                    "can place more than %(bound)d."
                )
                % said
            )
        return (
            _(
                "Not proven to be the best: it places %(value)d meetings, and no plan can place "
                "more than %(bound)d."
            )
            % said
        )
    first = _("No plan finds a time for more meetings.")
    if value.optional != bound.optional:
        said = {"value": value.optional, "bound": bound.optional}
        return (
            first
            + " "
            + _("%(value)d optional people can come; no plan has more than %(bound)d.") % said
        )
    if value.if_need_be != bound.if_need_be:
        said = {"value": value.if_need_be, "bound": bound.if_need_be}
        return (
            first
            + " "
            + _("%(value)d can come only if need be; no plan has fewer than %(bound)d.") % said
        )
    if value.works != bound.works:
        said = {"value": value.works, "bound": bound.works}
        return (
            first
            + " "
            + _("For %(value)d the time works but isn’t ideal; no plan has fewer than %(bound)d.")
            % said
        )
    better = _(
        "Only how well people like their times could still improve, by at most %(percent)s%%."
    )
    return f"{first} {better % {'percent': f'{100 * answer.gap:.3g}'}}"


def counts(answer: plans.Answer, question: plans.Question) -> list[tuple[Any, int, str]]:
    """Return what a plan is worth, in the order of importance, each with what no plan can beat."""
    value, bound = answer.value, answer.bound
    more, less = _("at most %(n)d"), _("at least %(n)d")
    rows = [
        (
            _("Meetings with a time, by priority")
            if question.priorities
            else _("Meetings with a time"),
            value.priority,
            bound.priority,
            more,
        ),
        (_("Optional people who can come"), value.optional, bound.optional, more),
        (_("Only if need be"), value.if_need_be, bound.if_need_be, less),
        (_("Works, but isn’t ideal"), value.works, bound.works, less),
        (_("Total preference"), value.preference, bound.preference, more),
    ]
    return [(title, got, words % {"n": limit}) for title, got, limit, words in rows if got or limit]


@dataclass(frozen=True, slots=True)
class Line:
    """A meeting in the timetable. pin: what its tick sends."""

    title: str
    address: str
    hours: str
    moment: str
    without: str
    pin: str
    is_pinned: bool


def _weeks(
    view: PlanView,
) -> list[
    tuple[
        str,
        timetable.Week[Line],
        list[tuple[int, str]],
        list[tuple[date, str, list[timetable.Slot[Line]]]],
    ]
]:
    """Return each week with its name, the hours beside it, and its days with their names."""
    entries = [_entry(view, placed) for placed in view.placed]
    first_weekday = FIRST_WEEKDAY[accounts.setting_of(view.user).week_start]
    found = []
    for week in timetable.weeks(entries, view.look.zone, first_weekday):
        days = [
            (day.date, words.day_name(_noon(day.date), short=True), day.slots) for day in week.days
        ]
        name = (
            _("From %(first)s to %(last)s") % {"first": days[0][1], "last": days[-1][1]}
            if len(days) > 1
            else days[0][1]
        )
        hours = [
            (number, view.look.written(_noon(week.days[0].date).replace(hour=hour)))
            for number, hour in enumerate(week.hours)
        ]
        found.append((name, week, hours, days))
    return found


def _entry(view: PlanView, placed: plans.Placement) -> timetable.Entry[Line]:
    meeting = view.meetings[placed.meeting]
    start, end = (
        moment.astimezone(view.look.zone)
        for moment in (placed.start, placed.start + meeting.duration)
    )
    here = placed.attending
    missing = [
        p.name
        for p in groups.attendees_of(meeting, view.roster)
        if here is not None and p.packed and p.user_id not in here
    ]
    return timetable.Entry(
        placed.start,
        placed.start + meeting.duration,
        Line(
            title=_title(view, meeting),
            address=meeting_address(meeting),
            hours=view.look.times(start, end),
            moment=placed.start.isoformat(),
            without=words.some(missing, MOST_NAMES),
            pin=f"{placed.meeting} {placed.start.isoformat()}",
            is_pinned=placed.meeting in view.pinned,
        ),
    )


def _title(view: PlanView, meeting: Meeting) -> str:
    """Return its name; of a one-on-one only the other's name, because the owner's own stands before
    it in each.
    """
    return meeting.name.removeprefix(f"{full_name(view.user)} & ")


def _unplaced(view: PlanView, unplaced: plans.Omission) -> dict[str, Any]:
    """Return a meeting without a time, why, and the least that one would have to ask of whom."""
    meeting = view.meetings.get(unplaced.meeting)
    titles: Mapping[UUID, str] = {pk: _title(view, each) for pk, each in view.meetings.items()}
    wanted = [each for each in unplaced.ask if each.user in view.roster.by_id]
    said = [
        _("%(name)s: %(when)s")
        % {
            "name": view.roster.by_id[each.user].name,
            "when": words.when(each.start, each.end - each.start, view.look),
        }
        for each in wanted
    ]
    start, end = (
        (unplaced.start, unplaced.start + meeting.duration)
        if meeting and unplaced.start and wanted
        else (None, None)
    )
    is_whole = all(
        (each.start, each.end) == (start, end) for each in wanted
    )  # each is asked for all of it
    return {
        "title": _title(view, meeting) if meeting else _("A deleted meeting"),
        "address": meeting_address(meeting) if meeting else "",
        "why": plans.why_unplaced(unplaced, view.roster.by_id, titles),
        "asks": said if start else [],
        "all_then": ", ".join(view.roster.by_id[each.user].name for each in wanted)
        if start and is_whole
        else "",
        "then": words.when(start, meeting.duration, view.look) if meeting and start else "",
    }


@dataclass(frozen=True, slots=True)
class Row:
    """An open meeting to choose. choices: its priorities with their names; then: what is typed, or
    was asked for last.
    """

    pk: UUID
    title: str
    who: str
    is_planned: bool
    matters: str
    choices: dict[str, str]
    then: str
    errors: list[str]


def _row(form: PlanForm, meeting: Meeting) -> Row:
    matters, then = (form[f"{name}-{meeting.pk}"] for name in ("matters", "then"))
    priority = str(matters.value() or 1)
    choices = {str(number): str(name) for number, name in MATTERS.items()}
    if priority.isdecimal():  # another one was asked for over the API
        choices.setdefault(priority, _("priority %(n)s") % {"n": priority})
    return Row(
        pk=meeting.pk,
        title=_title(form.view, meeting),
        who=_who(form.view, meeting),
        is_planned=bool(form[f"planned-{meeting.pk}"].value()),
        matters=priority,
        choices=choices,
        then=then.value() or "",
        errors=[*matters.errors, *then.errors],
    )


def _who(view: PlanView, meeting: Meeting) -> str:
    """Return whom the meeting is for beside who looks, unless its title says so."""
    if meeting.for_everyone:
        return _("everybody")
    named = meeting.attendees.keys() - {view.user.pk}
    names = words.some(
        sorted(view.roster.by_id[user].name for user in named if user in view.roster.by_id),
        MOST_NAMES,
    )
    return "" if names == _title(view, meeting) else names


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))
