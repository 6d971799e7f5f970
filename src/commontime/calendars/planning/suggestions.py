"""The best starts of one meeting, stored and computed together, with reasons in words."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from commontime import engine
from commontime.calendars import limits, rules
from commontime.calendars.models import Meeting, ScheduleSuggestion
from commontime.calendars.planning.bounds import known_ticks
from commontime.calendars.planning.comparing import Comparison, best_first, compare
from commontime.calendars.planning.groups import Group, minutes_of
from commontime.calendars.planning.outcomes import Outcome, outcomes_at
from commontime.calendars.planning.reasons import answers_are_hidden, near_miss, reasons_for
from commontime.calendars.planning.round_times import round_times
from commontime.core.errors import InvalidInput, NotAllowed


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What to suppose about a meeting without changing it.

    None and nobody leave it as it is.

    earliest, latest: bounds in place of its own and its calendar's. align: only starts on multiples
    of so many minutes, by clocks in the calendar's zone.
    """

    without: frozenset[int] = frozenset()
    duration_minutes: int | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    quorum: int | None = None
    align: int | None = None


def suppose(meeting: Meeting, group: Group, what_if: WhatIf, *, by: User) -> tuple[Meeting, Group]:
    """Return the meeting and its people as they would be."""
    _require_may_suppose(by, meeting, group, what_if)
    _check_numbers(what_if)
    meeting, calendar = copy(meeting), copy(meeting.calendar)
    if what_if.earliest:
        meeting.earliest, calendar.window_start = what_if.earliest, None
    if what_if.latest:
        meeting.latest, calendar.window_end = what_if.latest, None
    limits.check_bounds(meeting.earliest, meeting.latest)
    meeting.duration_minutes = what_if.duration_minutes or meeting.duration_minutes
    meeting.quorum = what_if.quorum or meeting.quorum
    meeting.calendar = calendar
    return meeting, _without(group, what_if.without)


def _require_may_suppose(by: User, meeting: Meeting, group: Group, what_if: WhatIf) -> None:
    if what_if.without and not rules.may_see_windows_of_others(by, meeting.calendar):
        # The counts with and without somebody, side by side, are that person's answer.
        raise NotAllowed(
            _(
                "This calendar shows only how many people can come. Leaving somebody out would "
                "reveal their answer."
            )
        )
    may = (
        rules.may_rank(by, meeting, group.ids, group.places)
        if what_if == WhatIf()
        else rules.may_suppose(by, meeting.calendar, group.places)
    )
    if not may:
        raise NotAllowed(answers_are_hidden())


def _without(group: Group, left_out: frozenset[int]) -> Group:
    if unknown := left_out - group.ids:
        raise InvalidInput(
            _("The person with the id %(id)d isn’t part of this meeting.") % {"id": min(unknown)},
            field="without",
        )
    return replace(
        group,
        answered=[person for person in group.answered if person.user_id not in left_out],
        silent=[person for person in group.silent if person.user_id not in left_out],
    )


def _check_numbers(what_if: WhatIf) -> None:
    for field, allowed in (
        ("duration_minutes", limits.DURATION_MINUTES),
        ("quorum", limits.QUORUM),
        ("align", limits.ALIGN_MINUTES),
    ):
        if (value := getattr(what_if, field)) is not None:
            limits.check_whole(value, allowed, field=field)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A start worth showing, with its rank, outcome and reasons.

    stored: the suggestion that somebody made, if any. beside: how it compares with the others.
    """

    rank: int
    outcome: Outcome
    stored: ScheduleSuggestion | None
    reasons: list[str]
    beside: Comparison | None = None


def best_starts(
    meeting: Meeting, group: Group, *, now: datetime, limit: int, align: int | None = None
) -> list[datetime]:
    """Return the best starts, best first.

    The order: quorum reached, fewest required people missing, most attending, fewest only if need
    be, best liked, earliest.
    """
    if not group.answered:
        return []
    earliest, latest_end = known_ticks(meeting, group, now=now)
    if latest_end <= earliest:
        return []
    profile = engine.profile(
        group.free,
        minutes_of(meeting.duration),
        required=group.required,
        earliest=earliest,
        latest_end=latest_end,
    )
    marks = round_times(meeting.calendar, align, earliest, latest_end)
    slots = engine.best(profile, limit, rule=engine.rule_for(meeting.quorum), align=marks)
    return [engine.moment_of(slot.start) for slot in slots if sum(slot.everyone[1:])]


def rank(
    meeting: Meeting,
    group: Group,
    stored: Sequence[ScheduleSuggestion],
    *,
    now: datetime,
    limit: int,
    with_names: bool,
    align: int | None = None,
) -> list[Suggestion]:
    """Rank stored and computed starts together, best first.

    All stored ones, and at most `limit` computed ones.
    """
    by_start = {suggestion.suggested_time: suggestion for suggestion in stored}
    computed = best_starts(meeting, group, now=now, limit=limit, align=align)
    starts = list(dict.fromkeys([*by_start, *computed]))
    ordered = best_first(outcomes_at(group, starts, meeting.duration), group, meeting)
    comparisons = compare(ordered, group, meeting, with_names=with_names)
    listed = [
        Suggestion(
            place,
            outcome,
            by_start.get(outcome.start),
            reasons_for(outcome, group, meeting, with_names=with_names),
            beside,
        )
        for place, (outcome, beside) in enumerate(zip(ordered, comparisons, strict=True), 1)
    ]
    if with_names and listed and listed[0].outcome.missing:
        where = known_ticks(meeting, group, now=now)
        listed[0].reasons.extend(near_miss(listed[0].outcome, group, meeting, where, align))
    return listed
