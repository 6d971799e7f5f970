"""The best times of meetings as pages show them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds, comparing, groups, outcomes, reasons, suggestions
from commontime.core import clock
from commontime.layout.instants import next_quarter
from commontime.web import jinja
from commontime.web.look import Look
from commontime.web.words import until, when

LONGEST_UNFOLDED = 120  # characters of reasons; longer ones are folded


class Part(NamedTuple):
    """A part of a bar, in hundredths of its width."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Start:
    """A start in a list. why: stands below it; folded: the reasons that unfold from there."""

    rank: int
    moment: str
    when: str
    is_for_all: bool
    bar: Sequence[Part]
    why: str
    folded: Sequence[str]

    @property
    def html(self) -> SafeString:
        return jinja.render("web/start.html", {"start": self})


@dataclass(frozen=True, slots=True)
class BestTimes:
    """A meeting and its best starts. nothing: what is said in place of starts."""

    title: str
    address: str
    length: str
    until: str
    starts: Sequence[Start]
    has_more: bool = False
    nothing: str = ""


def best_times(
    meeting: Meeting,
    suggested: Sequence[suggestions.Suggestion],
    people: int,
    look: Look,
    *,
    address: str = "",
    has_more: bool = False,
    nothing: str = "",
) -> BestTimes:
    starts = [
        start(suggestion, meeting, people, look, rank=suggestion.rank, lower=lower)
        for suggestion, lower in zip(suggested, why_lower(suggested), strict=True)
    ]
    return BestTimes(
        title=meeting.name,
        address=address,
        length=clock.length(meeting.duration),
        until=until(meeting.deadline, look),
        starts=starts,
        has_more=has_more,
        nothing=nothing,
    )


def start(
    suggestion: suggestions.Suggestion,
    meeting: Meeting,
    people: int,
    look: Look,
    *,
    rank: int,
    more: Sequence[str] = (),
    lower: str = "",
) -> Start:
    """Return what a list says of a start.

    more: further reasons, always folded. lower: why it is below a start to which fewer can come,
    never folded.
    """
    outcome = suggestion.outcome
    is_for_all = len(outcome.attending) == people
    # The badge says the first reason where everybody can come.
    why = suggestion.reasons[1:] if is_for_all else suggestion.reasons
    folded = list(more)
    if sum(map(len, why)) > LONGEST_UNFOLDED:
        n = 1 + bool(outcome.unanswered)  # how many can come, and how many may yet
        folded[:0] = why[n:]
        why = [*why[:n], *([lower] if lower else [])]
    return Start(
        rank=rank,
        moment=outcome.start.isoformat(),
        when=when(outcome.start, meeting.duration, look),
        is_for_all=is_for_all,
        bar=bar(outcome, people),
        why=" ".join(why),
        folded=folded,
    )


def why_lower(suggested: Sequence[suggestions.Suggestion]) -> list[str]:
    """Say why each start is below one to which fewer can come.

    Nothing is said of the others.
    """
    sentences, fewest = [], math.inf
    for outcome in (suggestion.outcome for suggestion in suggested):
        missing, attending = len(outcome.missing), len(outcome.attending)
        sentence = ""
        if missing and attending > fewest:
            sentence = ngettext(
                "%(n)d required person can’t come.", "%(n)d required people can’t come.", missing
            ) % {"n": missing}
        sentences.append(sentence)
        fewest = min(fewest, attending)
    return sentences


def bar(outcome: outcomes.Outcome, people: int) -> list[Part]:
    """Return a part for each group of people. Words beside the bar say the same."""
    parts, x = [], 0.0
    groups_ = [
        ("ideal", outcome.ideal),
        ("works", outcome.works),
        ("need", outcome.if_need_be),
        ("cannot", outcome.cannot),
        ("silent", outcome.unanswered),
    ]
    for kind, members in groups_:
        width = 100 * len(members) / max(1, people)
        if width:
            parts.append(Part(kind, f"{x:.4g}", f"{width:.4g}"))
        x += width
    return parts


def at_round_times(
    suggested: Sequence[suggestions.Suggestion],
    meeting: Meeting,
    group: groups.Group,
    with_names: bool,
) -> list[suggestions.Suggestion]:
    """Move computed starts to a quarter of an hour that is as good."""
    rounded = _rounded(suggested, meeting, group)
    taken = {suggestion.outcome.start for suggestion in suggested}
    starts = []
    for suggestion in suggested:
        outcome = rounded.get(suggestion.outcome.start)
        if (
            outcome
            and outcome.start not in taken
            and bounds.allow(meeting, outcome.start)
            and comparing.are_as_good([outcome, suggestion.outcome], group, meeting)
        ):
            taken.add(outcome.start)
            why = reasons.reasons_for(outcome, group, meeting, with_names=with_names)
            suggestion = suggestions.Suggestion(suggestion.rank, outcome, None, why)
        starts.append(suggestion)
    return starts


def _rounded(
    suggested: Sequence[suggestions.Suggestion], meeting: Meeting, group: groups.Group
) -> dict[datetime, outcomes.Outcome]:
    """Return the outcomes at the next quarters, by start."""
    computed = [suggestion.outcome.start for suggestion in suggested if suggestion.stored is None]
    later = {start: quarter for start in computed if (quarter := next_quarter(start)) != start}
    if not later:
        return {}
    at_quarters = outcomes.outcomes_at(group, list(later.values()), meeting.duration)
    return dict(zip(later, at_quarters, strict=True))
