"""The page of a plan: one-on-ones, search, result and publishing."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from commontime.accounts import queries as accounts
from commontime.calendars import actions, limits, queries
from commontime.calendars.actions.checks import about_mails
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Meeting, Plan
from commontime.calendars.planning import plans
from commontime.calendars.queries.plans import not_planned
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.core.shapes import Fields
from commontime.core.text import some_of
from commontime.web import plan_result, words
from commontime.web.base import FORM, calendar_of, expensive, me, page, submit
from commontime.web.compression import gzipped
from commontime.web.fields import BufferField, length_field, range_field
from commontime.web.look import look
from commontime.web.moments import in_a_week, moment_field
from commontime.web.once import once
from commontime.web.plan_view import PlanView
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form

MOST_LISTED = 200
ANY_MINUTE = 0
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


class OneOnOnesForm(Form):
    deadline = moment_field(gettext_lazy("Answer by"))
    duration_minutes = length_field(required=False)
    buffer_minutes = BufferField(gettext_lazy("Minutes to keep free after each"))
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    people = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Only with these people"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, view: PlanView, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = view.calendar.owner_id
        others = [person for person in view.roster.active if person.user_id != owner]
        self.offer("people", [(person.user_id, person.name) for person in others])
        self.fields["duration_minutes"].widget.attrs["placeholder"] = str(
            view.calendar.duration_minutes
        )


class PlanForm(Form):
    """How to plan: which meetings, how important, and when."""

    align = forms.TypedChoiceField(
        label=gettext_lazy("Start times"), choices=list(GRIDS.items()), coerce=int
    )
    seconds = forms.TypedChoiceField(
        label=gettext_lazy("Search for at most"), choices=list(SEARCHES.items()), coerce=int
    )
    meetings = forms.Field(required=False)  # holds the errors of all rows together

    def __init__(self, view: PlanView, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_asked(view))
        self.view = view
        for pk in view.listed:
            self.fields[f"planned-{pk}"] = forms.BooleanField(required=False)
            self.fields[f"matters-{pk}"] = range_field("", limits.PRIORITY, required=False)
            self.fields[f"then-{pk}"] = moment_field("", required=False)

    def clean(self) -> Fields:
        """Return the arguments of `_plan`."""
        chosen = self._chosen()
        self._forgive(self.view.listed.keys() - set(chosen))
        if self.view.listed and not chosen:
            self.add_error("meetings", _("Tick at least one meeting."))
        priorities = self._typed("matters", chosen)
        return {
            "align": self.cleaned_data.get("align"),
            "seconds": self.cleaned_data.get("seconds"),
            "chosen": chosen,
            "typed": self._typed("then", chosen),
            "priorities": {pk: number for pk, number in priorities.items() if number > 1},
        }

    def _forgive(self, left_out: Set[UUID]) -> None:
        """Drop the errors of meetings that are left out."""
        for pk in left_out:
            for name in ("matters", "then"):
                self.errors.pop(f"{name}-{pk}", None)

    def _typed(self, name: str, chosen: Iterable[UUID]) -> dict[UUID, Any]:
        values = {pk: self.cleaned_data.get(f"{name}-{pk}") for pk in chosen}
        return {pk: value for pk, value in values.items() if value}

    def _chosen(self) -> list[UUID]:
        """Return the ticked meetings, and those newer than the page."""
        return [
            pk
            for pk in self.view.listed
            if self.cleaned_data.get(f"planned-{pk}") or f"matters-{pk}" not in self.data
        ]

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
        """Return a summary of the rows that differ, once folded."""
        planned = [row for row in self.rows if row.is_planned]
        left_out = len(self.rows) - len(planned)
        higher = sum(row.matters != "1" for row in planned)
        at_set_time = sum(bool(row.then) for row in planned)
        texts = {
            ngettext("%(n)d left out", "%(n)d left out", left_out): left_out,
            ngettext(
                "%(n)d with a higher priority", "%(n)d with a higher priority", higher
            ): higher,
            ngettext("%(n)d at a set time", "%(n)d at set times", at_set_time): at_set_time,
        }
        return " · ".join(text % {"n": number} for text, number in texts.items() if number)


def _plan_view(request: HttpRequest, calendar_id: UUID) -> PlanView:
    user, now = me(request), clock.now()
    calendar = calendar_of(request, calendar_id)
    queries.calendars.require_owner(user, calendar, _("plan meetings"))
    try:
        plan, roster = queries.plans.plan_for(user, calendar)
        plan.calendar = calendar
    except NotFound:
        plan, roster = None, queries.people.roster_of(calendar)
    asked_look = look(request.GET, calendar, accounts.setting_of(user), now)
    return PlanView(calendar, user, asked_look, now, plan, roster)


# The page -----------------------------------------------------------------------------------------


@gzipped
@require_http_methods(FORM)
@signed_in
@expensive
@once("one-on-ones", "publish")
def plan(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show a calendar's plan to its owner, and change it."""
    view = _plan_view(request, calendar_id)
    refusal = ""
    with timezone.override(view.look.zone):
        pairs, asking = _forms(request, view)
        if request.method == "POST":
            try:
                if target := _do(request.POST, view, pairs, asking):
                    return redirect(target)
            except Conflict as conflict:
                # It concerns the plan, not a form: show the page again, with the reason.
                refusal, view = conflict.detail, _plan_view(request, calendar_id)
        if asking.is_bound:
            view = replace(view, ticked=frozenset(_pins(request.POST)))
    context = {
        **_context(view, asking),
        "pairs": pairs,
        "form": next((form for form in (pairs, asking) if form.is_bound), None),
        "refusal": refusal,
        "detail": refusal,
        "notice": _notice(request),
    }
    response = page(request, "web/plans/plan.html", context)
    if refusal:
        response.status_code = 409
    return response


def _forms(request: HttpRequest, view: PlanView) -> tuple[OneOnOnesForm, PlanForm]:
    what = request.POST.get("do")
    return (
        OneOnOnesForm(
            view, request.POST if what == "one-on-ones" else None, initial={"deadline": in_a_week()}
        ),
        PlanForm(view, request.POST if what == "plan" else None),
    )


@gzipped
@require_safe
@signed_in
def live(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Answer an open page: how far the search is. 304: nothing changed."""
    view = _plan_view(request, calendar_id)
    if unchanged := get_conditional_response(request, etag=view.tag):
        return unchanged
    response = page(request, "web/plans/plan.html#result", _context(view, PlanForm(view)))
    response["ETag"] = view.tag
    return response


def _do(post: QueryDict, view: PlanView, pairs: OneOnOnesForm, asking: PlanForm) -> str:
    """Carry out a button. Return the page to go to, nothing if a form was refused."""
    user = view.user
    match post.get("do"):
        case "one-on-ones":
            made = submit(pairs, actions.create_one_on_ones, view.calendar, by=user)
            return "" if made is None else view.address(made=str(len(made[0])))
        case "plan":
            return view.here if submit(asking, _plan, view, by=user, ticked=_pins(post)) else ""
        case "stop":
            actions.stop_plan(_plan_on_page(post, view), by=user)
        case "publish":
            actions.apply_plan(view.calendar, by=user, seen=_plan_on_page(post, view).pk)
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
    """Plan as the form says.

    A typed time wins over a tick in the timetable. Meetings that are left out keep neither.
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


def _plan_on_page(post: QueryDict, view: PlanView) -> Plan:
    """Return the plan on the page that sent this form."""
    if view.plan is None:
        raise not_planned()
    if post.get("plan") not in (None, str(view.plan.pk)):
        raise Conflict(
            _("A newer plan has replaced the one you saw. Look at this one first."),
            code="changed_meanwhile",
        )
    return view.plan


def _pins(post: QueryDict) -> dict[UUID, datetime]:
    """Read the ticked pins.

    Each has its meeting and its time, so that a plan made meanwhile moves no pin.
    """
    try:
        pairs = [value.split(" ", 1) for value in post.getlist("pin")[: limits.MOST_PLANNED]]
        pinned = {UUID(meeting): datetime.fromisoformat(start) for meeting, start in pairs}
    except ValueError:
        pass
    else:
        if all(start.tzinfo and clock.is_stored(start) for start in pinned.values()):
            return pinned
    raise InvalidInput(_("This time isn’t part of the plan. Load the page again."), field="pin")


def _asked(view: PlanView) -> Fields:
    """Return what was asked last, as the form can ask again."""
    question = view.question
    align, seconds = question.align_minutes or ANY_MINUTE, int(question.seconds)
    asked: Fields = {
        "align": align if align in GRIDS else 15,
        "seconds": seconds if seconds in SEARCHES else 30,
    }
    chosen, times = _chosen_last(view), _times_typed_last(view)
    for pk in view.listed:
        asked[f"planned-{pk}"] = not chosen or pk in chosen
        asked[f"matters-{pk}"] = question.priorities.get(pk, 1)
        asked[f"then-{pk}"] = times.get(pk)
    return asked


def _times_typed_last(view: PlanView) -> dict[UUID, datetime]:
    """Return the set times ahead that no tick stands for."""
    in_timetable = _pinned_in_timetable(view)
    return {
        pk: view.look.local(start).replace(tzinfo=None)
        for pk, start in view.question.pinned.items()
        if start > view.now and pk not in in_timetable
    }


def _chosen_last(view: PlanView) -> Set[UUID]:
    """Return the meetings chosen last; none means all.

    After publishing, the meetings that the plan left open are there to be planned next.
    """
    if view.plan is not None and view.plan.status == PlanStatus.APPLIED:
        return set()
    return view.listed.keys() & set(view.question.meetings)


def _pinned_in_timetable(view: PlanView) -> set[UUID]:
    """Return the meetings that have a tick in the timetable."""
    if view.plan is None or view.plan.status != PlanStatus.DONE:
        return set()
    return {placement.meeting for placement in view.placed}


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


def _context(view: PlanView, asking: PlanForm) -> Fields:
    return {**_frame(view, asking), **_state(view), **_result(view)}


def _frame(view: PlanView, asking: PlanForm) -> Fields:
    """Return what the page shows with and without a plan."""
    return {
        "calendar": view.calendar,
        "look": view.look,
        "asked": view.look.asked.items(),
        "home_query": view.look.query(zone=view.calendar.time_zone),
        "here": view.here,
        "live": view.address("web:plan_live"),
        "tag": view.tag,
        "frozen": view.calendar.is_finalized,
        "open": len(view.open),
        "unlisted": len(view.open) - len(view.listed),
        "others": len(view.roster.by_id) - 1,
        "asking": asking,
    }


def _state(view: PlanView) -> Fields:
    """Return how far the plan is, and who gets mail."""
    plan = view.plan
    status = PlanStatus(plan.status) if plan else None
    mail_counts = []
    if status in (PlanStatus.DONE, PlanStatus.APPLIED):
        meetings = [view.meetings[placement.meeting] for placement in view.placed]
        mail_counts = plans.mail_counts(meetings, view.roster)
    return {
        "plan": plan,
        "status": status,
        "elapsed": round(plan.seconds) if plan else 0,
        "limit": round(view.question.seconds),
        "told": mail_counts[:MOST_LISTED],
        "mails": sum(number for _person, number in mail_counts),
        "kept_back": about_mails([person for person, _number in mail_counts], by=view.user),
    }


def _result(view: PlanView) -> Fields:
    """Return what the plan found."""
    answer = view.answer
    omissions = [] if answer is None or view.is_running else answer.unplaced[:MOST_LISTED]
    unplaced = [plan_result.omission(view, omitted) for omitted in omissions]
    return {
        **_worth(view),
        "weeks": [] if view.is_running else plan_result.weeks(view),
        "unplaced": unplaced,
        "asks_something": any(omitted["asks"] for omitted in unplaced),
    }


def _worth(view: PlanView) -> Fields:
    """Return how good the plan is."""
    answer, text = view.answer, _("A time for %(placed)d of %(wanted)d")
    if answer is None:
        said = text % {"placed": 0, "wanted": 0}
        return {"said": said, "proved": False, "gap": "", "quality": "", "counts": []}
    wanted = len(answer.placed) + len(answer.unplaced)
    return {
        "said": text % {"placed": len(view.placed), "wanted": wanted},
        "proved": answer.proved and bool(answer.placed),
        "gap": words.percent(answer.gap),
        "quality": plan_result.quality(answer, view.question),
        "counts": plan_result.counts(answer, view.question),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """An open meeting to choose. choices: names of priorities; then: its set time as typed."""

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
    return Row(
        pk=meeting.pk,
        title=plan_result.title_of(form.view, meeting),
        who=_who(form.view, meeting),
        is_planned=bool(form[f"planned-{meeting.pk}"].value()),
        matters=priority,
        choices=_priorities(priority),
        then=then.field.widget.format_value(then.value()) or "",
        errors=[*matters.errors, *then.errors],
    )


def _priorities(chosen: str) -> dict[str, str]:
    """Return the names of the priorities to choose from."""
    names = {str(number): str(name) for number, name in MATTERS.items()}
    if chosen.isdecimal():  # another one was asked for over the API
        names.setdefault(chosen, _("priority %(n)s") % {"n": chosen})
    return names


def _who(view: PlanView, meeting: Meeting) -> str:
    """Return a meeting's other people, unless its title names them."""
    if meeting.for_everyone:
        return _("everybody")
    named = meeting.attendees.keys() - {view.user.pk}
    names = some_of(
        sorted(view.roster.by_id[user].name for user in named if user in view.roster.by_id),
        plan_result.NAMES_LIMIT,
    )
    return "" if names == plan_result.title_of(view, meeting) else names
