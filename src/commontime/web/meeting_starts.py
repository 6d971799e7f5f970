"""The starts that a meeting’s page lists."""

from dataclasses import dataclass

from commontime.accounts.names import full_name, told_apart
from commontime.calendars import queries, rules
from commontime.calendars.models import Meeting, ScheduleSuggestion
from commontime.calendars.planning import comparing, groups, suggestions
from commontime.calendars.queries.people import Roster
from commontime.web import best_times
from commontime.web.best_times import at_round_times
from commontime.web.changing import MOST_AT_ONCE, Change, beside, change_of
from commontime.web.meeting_view import MeetingView

MOST_STARTS = 10
MOST_SUGGESTIONS = 100


@dataclass(frozen=True, slots=True)
class ListedStart:
    """A start in a list. is_own: the suggestion is one that the person looking can take back."""

    start: best_times.Start
    suggestion: ScheduleSuggestion | None
    author: str
    is_own: bool


def listed_starts(
    view: MeetingView, meeting: Meeting, group: groups.Group, align: int | None = None
) -> list[ListedStart]:
    """Return the best and suggested starts of a meeting, real or supposed."""
    ranked = [
        suggestion
        for suggestion in _ranked(view, meeting, group, align)
        if suggestion.outcome.start != meeting.final_time
    ]
    comparisons = comparing.compare(
        [suggestion.outcome for suggestion in ranked], group, meeting, with_names=view.with_names
    )
    rows = zip(ranked, comparisons, best_times.why_lower(ranked), strict=True)
    return [
        ListedStart(
            best_times.start(
                suggestion,
                meeting,
                len(group.people),
                view.look,
                rank=rank,
                more=beside(comparison, len(group.silent)),
                lower=lower,
            ),
            suggestion.stored,
            _author(suggestion.stored, view.of_calendar.roster),
            _may_withdraw(view, meeting, suggestion.stored),
        )
        for rank, (suggestion, comparison, lower) in enumerate(rows, start=1)
    ]


def _ranked(
    view: MeetingView, meeting: Meeting, group: groups.Group, align: int | None
) -> list[suggestions.Suggestion]:
    stored = (
        queries.meetings.suggestions_of(meeting)
        .filter(suggested_time__gt=view.now)
        .select_related("author")[:MOST_SUGGESTIONS]
    )
    ranked = suggestions.rank(
        meeting,
        group,
        list(stored),
        now=view.now,
        limit=MOST_STARTS,
        with_names=view.with_names,
        align=align,
    )
    return ranked if align else at_round_times(ranked, meeting, group, view.with_names)


def _may_withdraw(
    view: MeetingView, meeting: Meeting, suggestion: ScheduleSuggestion | None
) -> bool:
    if suggestion is None:
        return False
    suggestion.meeting = meeting
    return rules.may_withdraw(view.user, suggestion)


def _author(suggestion: ScheduleSuggestion | None, roster: Roster) -> str:
    """Return the author's name. They may have left the calendar."""
    if suggestion is None or suggestion.author is None:
        return ""
    author = suggestion.author
    if author.pk in roster.by_id:
        return roster.by_id[author.pk].name
    people = [
        (
            person.user_id,
            f"{person.first_name} {person.last_name}".strip() or person.username,
            person.username,
        )
        for person in roster.people
    ]
    return told_apart([*people, (author.pk, full_name(author), author.username)])[author.pk]


def change_of_best(
    view: MeetingView, meeting: Meeting, group: groups.Group, align: int | None = None
) -> Change | None:
    """Return what could change the best start. Of many people it takes a while, so then only if the
    address asks for it.
    """
    return (
        change_of(view.of_calendar, meeting, group, align)
        if view.explains or len(group.people) <= MOST_AT_ONCE
        else None
    )
