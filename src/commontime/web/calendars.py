"""A calendar's page, and what its owner does with it: people, meetings, settings."""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commontime.accounts import queries as accounts
from commontime.accounts.names import full_name
from commontime.calendars import actions, queries, rules
from commontime.calendars.enums import MeetingStatus, Visibility
from commontime.calendars.models import Calendar
from commontime.calendars.planning import groups
from commontime.core import cache, clock
from commontime.core.errors import InvalidInput, NotAllowed, NotFound
from commontime.layout import grid
from commontime.layout.wall_clock import moments_of
from commontime.web import availability, fragments, inviting
from commontime.web.base import FORM, kept_page, me, page, signed_in, submit
from commontime.web.fields import ZoneInput

MOST_SHOWN = 1000
LONGEST_MEETING = 31 * 24 * 60
TEXTS = {
    "works": gettext_lazy("works"),
    "need": gettext_lazy("if need be"),
    "ideal": gettext_lazy("ideal"),
    "none": gettext_lazy("not available"),
    "part": gettext_lazy("partly"),
    "to": gettext_lazy("to"),
    "saving": gettext_lazy("Saving…"),
    "saved": gettext_lazy("Saved"),
    "undone": gettext_lazy("Undone"),
    "lost": gettext_lazy(
        "Not saved: the server can’t be reached. Your times are kept here and will be sent again "
        "automatically."
    ),
    "slow": gettext_lazy(
        "Not saved: the server isn’t responding. Your times are kept here and will be sent again "
        "automatically."
    ),
    "out": gettext_lazy(
        "Not saved: you’re signed out. Your times are kept here and will be saved once you sign in "
        "again."
    ),
    "refused": gettext_lazy("Not saved:"),
    "failed": gettext_lazy(
        "Not saved: something went wrong. Your times are kept here and will be sent again "
        "automatically."
    ),
    "begin": gettext_lazy(
        "Tap the first box, then the last. Across several days, all of them are filled."
    ),
    "end": gettext_lazy("Now tap the last box."),
    "cells": gettext_lazy("selected"),
    "can": gettext_lazy("Can come"),
    "maybe": gettext_lazy("If need be"),
    "cannot": gettext_lazy("Can’t come"),
    "silent": gettext_lazy("No answer yet"),
    "nobody": gettext_lazy("nobody"),
}


# The page -----------------------------------------------------------------------------------------


# the token of its forms is masked anew each time, and the length is blurred, so lengths tell
# nothing
@gzip_page
@require_safe
@signed_in
def calendar(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show a calendar to its people; who is only invited is sent to where they can answer."""
    try:
        seen = availability.sight(request, calendar_id)
    except NotAllowed:
        return redirect("web:home")
    return kept_page(
        request, "web/calendars/calendar.html", seen.key, partial(_context, request, seen)
    )


def _context(request: HttpRequest, seen: availability.Sight) -> dict[str, Any]:
    shown, cells = seen.look, seen.look.grid.cells
    states = grid.states(seen.windows, cells)
    scheduled = [
        meeting for meeting in seen.meetings if meeting.status(seen.now) == MeetingStatus.SCHEDULED
    ]
    scheduled.sort(key=lambda meeting: (meeting.final_time, meeting.pk))
    return {
        "calendar": seen.calendar,
        "look": shown,
        "twice": (twice := shown.twice) and fragments.as_attribute(twice),
        "is_owner": rules.may_manage(seen.user, seen.calendar),
        "closed": seen.is_closed,
        "table": _part(
            "paint", partial(fragments.paint_table, shown, states), shown.key, tuple(states)
        ),
        "live": availability.live_part(seen),
        "texts": _part("texts", _texts),
        "fixed": [
            _fixed(meeting, seen) for meeting in scheduled if groups.is_for(meeting, seen.user.pk)
        ],
        "others": [
            _fixed(meeting, seen)
            for meeting in scheduled
            if not groups.is_for(meeting, seen.user.pk)
        ],
        "days": _part("days", partial(fragments.day_options, shown), shown.key),
        "day_ticks": _part("ticks", partial(fragments.day_ticks, shown), shown.key),
        "before": shown.query(**{"from": str(shown.before)}) if shown.before else "",
        "after": shown.query(**{"from": str(shown.after)}) if shown.after else "",
        "outside": _is_outside(seen, cells),
        "all_hours": shown.query(hours="all"),
        "usual_hours": shown.query(hours=""),
        "finer": shown.query(step="" if shown.step == 15 else "15"),
        "home_query": shown.query(zone=seen.calendar.time_zone),
        "query": shown.query(),
        "nothing_ticked": request.GET.get("ticked") == "none",
        "at": availability.who_at(seen, request.GET.get("day", ""), request.GET.get("row", "")),
        "rows": _part("rows", partial(fragments.row_options, shown), shown.key),
        "asked": shown.asked.items(),
        "language": {"en": "en-GB"}.get(get_language() or "en", get_language()),
        "leave": _seat_to_leave(seen),
        "invited": _invited(request, seen),
    }


def _part(name: str, make: Callable[[], str], *key: Hashable) -> SafeString:
    """Return a part that looks the same whenever the key and the language are, made once."""
    return mark_safe(cache.get((name, get_language(), *key), make))  # noqa: S308 (fragments are escaped where they are made)


def _texts() -> str:
    return fragments.as_attribute({name: str(text) for name, text in TEXTS.items()})


def _invited(request: HttpRequest, seen: availability.Sight) -> str:
    """Return whom the owner has just invited with this calendar."""
    new = inviting.new_in(request)
    if not new or not rules.may_manage(seen.user, seen.calendar):
        return ""
    return inviting.invited_in(
        seen.calendar.invitations.select_related("receiver").order_by("created_at", "id"), new
    )


def _seat_to_leave(seen: availability.Sight) -> Any:
    if seen.user.pk == seen.calendar.owner_id or seen.calendar.is_finalized:
        return None
    return queries.people.participants_of(seen.calendar).filter(user=seen.user).first()


def _fixed(meeting: Any, seen: availability.Sight) -> dict[str, Any]:
    return {
        "title": meeting.name,
        "place": meeting.location or seen.calendar.location,
        "moment": meeting.final_time.isoformat(),
        "when": fragments.when(meeting.final_time, meeting.duration, seen.look),
        "address": availability.meeting_address(meeting),
    }


def _is_outside(seen: availability.Sight, cells: list[tuple[int, int]]) -> bool:
    """Return whether one gave times on these days that no cell shows."""
    begin, end = seen.look.span

    def overlap(spans: list[tuple[int, int]]) -> float:
        return sum(
            max(0, min(last, stop) - max(first, start))
            for first, last in spans
            for start, stop, _level in near
        )

    near = [window for window in seen.windows if window[0] < end and window[1] > begin]
    if not near or not cells:
        return bool(near)
    days = [
        (min(spans)[0], max(spans)[1])
        for day in seen.look.grid.days
        if (spans := list(day.cells.values()))
    ]
    return overlap([(begin, end)]) > overlap(days)


# People -------------------------------------------------------------------------------------------


class InviteForm(forms.Form):
    who = inviting.names_field(
        gettext_lazy("Usernames or email addresses"), help_text=inviting.SEVERAL
    )
    at_once = forms.BooleanField(
        label=gettext_lazy("Add them straight away, without asking (usernames only)"),
        required=False,
    )


@require_http_methods(FORM)
@signed_in
def people(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Who takes part and who is invited. Its owner invites, reminds, removes, and says who is
    required.
    """
    user = me(request)
    shown = queries.calendars.calendar_for(user, calendar_id)
    here = reverse("web:people", args=[calendar_id])
    is_owner = rules.may_manage(user, shown)
    form = InviteForm(request.POST if request.POST.get("do") == "invite" else None)
    if form.is_bound and not is_owner:
        raise NotAllowed(_("Only the organiser can invite people."))
    if request.method == "POST" and not form.is_bound:
        _do_with_people(request, shown)
        return redirect(here)
    new = inviting.new_in(request)
    if result := submit(form, _invite, shown, by=user):
        done, refused = result
        if not refused:
            return redirect(here + inviting.as_query(done))
        inviting.keep_refused(form, "who", refused)
        new = {str(each.pk) for each in done}
    waiting = (
        shown.invitations.filter(status="pending")
        .select_related("receiver")
        .order_by("created_at", "id")
    )
    participants = queries.people.participants_of(shown).order_by("joined_at", "id")[:MOST_SHOWN]
    invitations = waiting[:MOST_SHOWN] if is_owner else []
    context = {
        "calendar": shown,
        "is_owner": is_owner,
        "form": form if is_owner else None,
        "participants": participants,
        "waiting": invitations,
        "invited": inviting.invited_in(invitations, new),
        "added": inviting.named(
            [full_name(each.user) for each in participants if str(each.pk) in new]
        ),
    }
    return page(request, "web/calendars/people.html", context)


def _invite(
    calendar: Calendar, *, by: Any, who: str, at_once: bool
) -> tuple[list[Any], inviting.Refused]:
    """Invite whom one can of those that were typed; those with an account get a seat at once, if
    that was ticked.
    """

    def act(each: inviting.Who) -> Any:
        if at_once and isinstance(each, int):
            return actions.add_participant(calendar, by=by, user=each)
        return inviting.invite(calendar.pk, each, by=by)

    meant = inviting.meant(who, by=by, field="who")
    done, refused = inviting.one_by_one(meant.found, act)
    return done, meant.refused + refused


def _do_with_people(request: HttpRequest, shown: Calendar) -> None:
    """Do what the button beside a person says."""
    user, what = me(request), request.POST.get("do")
    if what == "revoke":
        invitation = queries.invitations.invitation_for(user, _id(request.POST.get("invitation")))
        actions.revoke_invitation(invitation, by=user)
        return
    if what not in {"required", "optional", "remind"}:
        raise InvalidInput(_("Choose what to do."), field="do")
    participant = queries.people.participant_for(user, shown, _id(request.POST.get("participant")))
    if what == "remind":
        if not rules.may_manage(user, shown):
            raise NotAllowed(_("Only the organiser can remind people."))
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


@require_POST
@signed_in
def remove_participant(
    request: HttpRequest, calendar_id: UUID, participant_id: UUID
) -> HttpResponse:
    shown = queries.calendars.calendar_for(me(request), calendar_id)
    participant = queries.people.participant_for(me(request), shown, participant_id)
    actions.remove_participant(participant, by=me(request))
    if participant.user_id == me(request).pk:
        return redirect("web:home")
    return redirect("web:people", calendar_id)


# Meetings -----------------------------------------------------------------------------------------


class MomentInput(forms.DateTimeInput):
    """Clocks to type a moment by, and beside them the choice between two that they may mean
    (web/which.html).
    """

    chosen = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        self.chosen = data.get(f"{name}_at", "")
        return super().value_from_datadict(data, files, name)


class MomentField(forms.DateTimeField):
    """A moment as typed by the page's clocks, or with an offset as our own buttons send it.

    offered: the two moments from which to choose one, if clocks that change show what was typed
    twice or never. A choice holds for what it was made of only.
    """

    offered: Sequence[
        tuple[str, datetime, str]
    ] = ()  # how it is sent, what clocks show then, and which of two that is

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
        except forms.ValidationError as refusal:
            if refusal.code != "ambiguous_timezone" or not refusal.params:
                raise
            zone = timezone.get_current_timezone()
            moments, is_skipped = moments_of(refusal.params["datetime"], zone)
            locals_ = [moment.astimezone(zone) for moment in moments]
            self.offered = [
                (local.isoformat(), local.replace(tzinfo=None), clock.which(local))
                for local in locals_
            ]
            for local, moment in zip(locals_, moments, strict=True):
                if local.isoformat() == self.widget.chosen:
                    return moment
            skipped = _(
                "This time doesn’t exist: the clocks go forward past it. Choose one of these two, "
                "or enter another."
            )
            twice = _(
                "This time happens twice because the clocks go back. Choose which of the two you "
                "mean."
            )
            raise forms.ValidationError(skipped if is_skipped else twice) from None
        return moment

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment is not None and not clock.EARLIEST <= moment < clock.LATEST:
            raise forms.ValidationError(_("Enter a date between the years 2000 and 2099."))
        return moment


def moment_field(label: Any, **options: Any) -> MomentField:
    return MomentField(
        label=label,
        widget=MomentInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        **options,
    )


FIRST = {"title", "deadline", "duration_minutes", "location"}  # what a new meeting mostly needs


class MeetingForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=200)
    deadline = moment_field(gettext_lazy("Answer by"))
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        required=False,
        min_value=1,
        max_value=LONGEST_MEETING,
    )
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=200)
    earliest = moment_field(gettext_lazy("Not before"), required=False)
    latest = moment_field(gettext_lazy("Must end by"), required=False)
    quorum = forms.IntegerField(
        label=gettext_lazy("At least this many people must be able to come"),
        required=False,
        min_value=1,
        max_value=100_000,
    )
    required = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Must come"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    optional = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Welcome"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    auto_finalize = forms.BooleanField(
        label=gettext_lazy("Confirm the best time automatically at the deadline"), required=False
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, calendar: Calendar, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(person.user_id, person.name) for person in groups.people_of(calendar)]
        for name in ("required", "optional"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields["duration_minutes"].widget.attrs["placeholder"] = str(calendar.duration_minutes)


@require_http_methods(FORM)
@signed_in
def new_meeting(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Look for a time for another meeting."""
    user = me(request)
    shown = queries.calendars.calendar_for(user, calendar_id)
    if not rules.may_manage(user, shown):
        raise NotAllowed(_("Only the organiser can add meetings."))
    zone = accounts.setting_of(user).time_zone
    with timezone.override(zone):
        soon = (timezone.localtime() + timedelta(days=7)).replace(hour=18, minute=0, tzinfo=None)
        form = MeetingForm(shown, request.POST or None, initial={"deadline": soon})
        if submit(form, actions.create_meeting, shown, by=user):
            return redirect("web:calendar", calendar_id)
    parts = (
        [field for field in form if field.name in FIRST],
        [field for field in form if field.name not in FIRST],
    )
    context = {"calendar": shown, "form": form, "zone": zone, "first": parts[0], "more": parts[1]}
    return page(request, "web/calendars/new_meeting.html", context)


# Settings -----------------------------------------------------------------------------------------


VISIBILITIES = {
    Visibility.OPEN: gettext_lazy("Everybody sees who can come when"),
    Visibility.COUNTS: gettext_lazy("Everybody sees only how many can come"),
    Visibility.OWNER: gettext_lazy("Only I see who can come; the others see how many"),
}


class CalendarForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    location = forms.CharField(label=gettext_lazy("Place"), required=False, max_length=200)
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("Length of a meeting in minutes"), min_value=1, max_value=LONGEST_MEETING
    )
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64, widget=ZoneInput())
    window_start = moment_field(gettext_lazy("From"), required=False)
    window_end = moment_field(gettext_lazy("To"), required=False)
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees the answers"),
        choices=list(VISIBILITIES.items()),
        widget=forms.RadioSelect,
    )


@require_http_methods(FORM)
@signed_in
def settings(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Change a calendar, finish or reopen its planning, hand it over, duplicate or delete it."""
    user = me(request)
    shown = queries.calendars.calendar_for(user, calendar_id)
    if not rules.may_manage(user, shown):
        raise NotAllowed(_("Only the organiser can change this calendar."))
    what = request.POST.get("do", "edit")
    if request.method == "POST" and what != "edit":
        return redirect(_do_with_calendar(request, shown, what))
    typed = request.POST.get("time_zone", "")
    with timezone.override(typed if typed in clock.zones() else shown.time_zone):
        form = CalendarForm(request.POST or None, initial=_as_typed(shown))
        if submit(form, actions.edit_calendar, shown, by=user):
            return redirect("web:calendar", calendar_id)
    others = [
        person
        for person in groups.people_of(shown)
        if person.user_id != user.pk and person.is_active
    ]
    return page(
        request, "web/calendars/settings.html", {"calendar": shown, "form": form, "others": others}
    )


def _as_typed(calendar: Calendar) -> dict[str, Any]:
    """Return the calendar's fields as its owner would type them: moments by the calendar's own
    clocks.
    """
    fields = {name: getattr(calendar, name) for name in CalendarForm.base_fields}
    for name in ("window_start", "window_end"):
        # Without a zone, so that the page does not turn them to the zone of who looks at it.
        fields[name] = fields[name] and fields[name].astimezone(
            ZoneInfo(calendar.time_zone)
        ).replace(tzinfo=None)
    return fields


def _do_with_calendar(request: HttpRequest, shown: Calendar, what: str) -> str:
    """Do what a button says, and return where to go then."""
    user, here = me(request), reverse("web:calendar", args=[shown.pk])
    match what:
        case "finish" | "reopen":
            actions.edit_calendar(shown, by=user, is_finalized=what == "finish")
        case "transfer":
            actions.transfer_calendar(shown, by=user, to=_whole(request.POST.get("user"), "user"))
        case "duplicate":
            copy = actions.duplicate_calendar(
                shown, by=user, shift_days=_whole(request.POST.get("shift_days"), "shift_days")
            )
            return reverse("web:calendar", args=[copy.pk])
        case "delete":
            actions.delete_calendar(shown, by=user)
            return reverse("web:home")
        case _:
            raise InvalidInput(_("Choose what to do."), field="do")
    return here


def _whole(text: str | None, field: str) -> int:
    try:
        if not text or len(text) > 10:
            raise ValueError
        return int(text)
    except ValueError:
        raise InvalidInput(_("Enter a whole number."), field=field) from None
