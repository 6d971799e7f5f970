"""The best starts of a meeting, and how they rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.calendars.models import Meeting
from commontime.calendars.planning import outcomes, suggestions
from commontime.core import clock
from commontime.web.look import Look
from commontime.web.words import until, when

LONG = 120  # characters of reasons from which on they are folded


@dataclass(frozen=True, slots=True)
class Best:
    """A meeting with its best starts, and where its own page is."""

    meeting: Meeting
    ranked: Sequence[suggestions.Suggestion]
    people: int
    address: str
    is_more: bool = False
    nothing: str = ""  # said in place of starts


def best_times(found: Sequence[Best], shown: Look) -> SafeString:
    return mark_safe("".join(_meeting(best, shown) for best in found))  # noqa: S308 (each part is escaped)


def _meeting(best: Best, shown: Look) -> str:
    meeting = best.meeting
    title = escape(meeting.name)
    name = f'<a href="{escape(best.address)}">{title}</a>' if best.address else title
    head = f'<h3>{name}</h3><p class="soft">{escape(clock.length(meeting.duration))} · {escape(until(meeting.deadline, shown))}</p>'
    if not best.ranked:
        return f'<article class="best">{head}<p class="empty">{escape(best.nothing)}</p></article>'
    rows = "".join(
        f"<li{' class="all"' if is_for_all(ranked, best.people) else ''}>{start(ranked, meeting, best.people, shown, lower=why)}</li>"
        for ranked, why in zip(best.ranked, why_lower(best.ranked), strict=True)
    )
    said = escape(_("More times on the meeting’s page"))
    more = (
        f'<p class="more-starts"><a href="{escape(best.address)}">{said}</a></p>'
        if best.is_more
        else ""
    )
    return f'<article class="best">{head}<ol>{rows}</ol>{more}</article>'


def why_lower(found: Sequence[suggestions.Suggestion]) -> list[str]:
    """Say of each start that more people can come to than to one above it why it stands lower; of
    the others nothing.
    """
    said, fewest = [], math.inf
    for outcome in (each.outcome for each in found):
        missing = len(outcome.missing)
        stands_lower = missing and len(outcome.attending) > fewest
        said.append(
            ngettext(
                "%(n)d required person can’t come.", "%(n)d required people can’t come.", missing
            )
            % {"n": missing}
            if stands_lower
            else ""
        )
        fewest = min(fewest, len(outcome.attending))
    return said


def is_for_all(ranked: suggestions.Suggestion, people: int) -> bool:
    return len(ranked.outcome.attending) == people


def start(
    ranked: suggestions.Suggestion,
    meeting: Meeting,
    people: int,
    shown: Look,
    *,
    more: Sequence[str] = (),
    lower: str = "",
) -> SafeString:
    """Return what a list of starts shows of one: its place, when it is, who can and why it stands
    there; long reasons folded.

    more: what else there is to say, always folded. lower: why it stands below one to which fewer
    can come, never folded.
    """
    outcome = ranked.outcome
    stretch = escape(when(outcome.start, meeting.duration, shown))
    machine = outcome.start.isoformat()
    badge, reasons = "", ranked.reasons
    if is_for_all(ranked, people):
        all_can = escape(_("Everybody can come"))
        badge, reasons = (
            f'<span class="badge">{all_can}</span>',
            reasons[1:],
        )  # the first says just that
    why = f'<span class="why">{escape(" ".join(reasons))}</span>' if reasons else ""
    is_long = sum(map(len, reasons)) > LONG
    if is_long or more:
        seen = (
            1 + bool(outcome.unanswered) if is_long else None
        )  # how many can, and how many may yet
        first, rest = (
            " ".join([*reasons[:seen], *([lower] if is_long and lower else [])]),
            reasons[seen:] if seen else [],
        )
        listed = "".join(f"<li>{escape(reason)}</li>" for reason in [*rest, *more])
        asked = escape(_("Why"))
        why = f'<details class="why"><summary>{escape(first)} <u>{asked}</u></summary><ul>{listed}</ul></details>'
    return mark_safe(  # noqa: S308 (each part is escaped)
        f'<span class="rank" aria-hidden="true">{ranked.rank}</span><time datetime="{machine}">{stretch}</time>'
        f"{badge}{bar(outcome, people)}{why}"
    )


def bar(outcome: outcomes.Outcome, people: int) -> SafeString:
    """Return a bar with a part for each group of people; what it shows stands beside it in words."""
    parts, at = [], 0.0
    groups = [
        ("ideal", outcome.ideal),
        ("works", outcome.works),
        ("need", outcome.if_need_be),
        ("cannot", outcome.cannot),
        ("silent", outcome.unanswered),
    ]
    for kind, members in groups:
        width = 100 * len(members) / max(1, people)
        if width:
            parts.append(f'<rect class="{kind}" x="{at:.4g}" width="{width:.4g}" height="8"/>')
        at += width
    drawn = "".join(parts)
    return mark_safe(  # noqa: S308
        f'<svg class="bar-of-people" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    )
