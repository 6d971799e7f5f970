"""How many can come in each cell."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from commontime.calendars.planning import groups, outcomes
from commontime.layout import grid
from commontime.layout.instants import moment
from commontime.web.look import Look


@dataclass(frozen=True, slots=True)
class Heat:
    """How many can in each cell, in the grid's order of cells: (can, if need be). people: all;
    silent: who has not answered.
    """

    counts: list[tuple[int, int]]
    people: int
    silent: int


def heat(group: groups.Group, shown: Look) -> Heat:
    """Count in each cell who is free throughout it."""
    found = outcomes.counts(
        group, [moment(start) for start, _ in shown.grid.cells], timedelta(minutes=shown.step)
    )
    counts = [(if_need_be + works + ideal, if_need_be) for _, if_need_be, works, ideal in found]
    return Heat(counts, len(group.answered) + len(group.silent), len(group.silent))


def touching(windows: Iterable[grid.Window], start: float, end: float) -> list[grid.Window]:
    return [window for window in windows if window[0] <= end and window[1] >= start]


STEPS = 6  # of the scale; the last one is everybody


def scale(found: Heat) -> list[int]:
    """Return the step of each number of people, from nobody to everybody. Between them, the numbers
    that occur share the steps.

    In a small group each number has a step of its own, whatever occurs.
    """
    low, high = _range(found) or (0, 0)
    return [
        0,
        *(
            1 + (STEPS - 1) * (min(max(can, low), high) - low) // (high - low + 1)
            for can in range(1, found.people)
        ),
        STEPS,
    ]


def _range(found: Heat) -> tuple[int, int] | None:
    """Return between which numbers the steps are shared: the smallest and the largest that occurs
    between nobody and everybody.
    """
    if 1 < found.people <= STEPS:
        return 1, found.people - 1
    some = {can for can, _ in found.counts if 0 < can < found.people}
    return (min(some), max(some)) if some else None


def legend(found: Heat) -> SafeString:
    """Say what the shades mean, in numbers beside each."""
    steps, span = scale(found), _range(found)
    shades = [(0, _("nobody"))]
    for step, group in groupby(range(span[0], span[1] + 1) if span else (), key=steps.__getitem__):
        numbers = [*group]
        shades.append(
            (step, str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}")
        )
    shades.append((STEPS, _("all %(people)d") % {"people": found.people}))
    parts = [f'<li><i class="s{step}"></i>{escape(text)}</li>' for step, text in shades]
    if any(if_need_be for _, if_need_be in found.counts):
        need = escape(_("some only if need be"))
        parts.append(f'<li><span class="n">{found.people}</span>{need}</li>')
    if found.silent:
        unknown = escape(_("no answer yet"))
        parts.append(f'<li><i class="unknown"></i>{unknown}</li>')
    return mark_safe(f'<ul class="legend soft">{"".join(parts)}</ul>')  # noqa: S308


def summary(found: Heat) -> str:
    answered = found.people - found.silent
    said = _("%(answered)d of %(people)d answered.") % {
        "answered": answered,
        "people": found.people,
    }
    return said if answered else _("Nobody has answered yet.")


def names(outcome: outcomes.Outcome) -> list[tuple[str, list[str]]]:
    """Return groups of names for one cell: who can, if need be, who can't, and who has not
    answered.
    """
    groups = [
        (_("Can come"), [*outcome.ideal, *outcome.works]),
        (_("If need be"), outcome.if_need_be),
        (_("Can’t come"), outcome.cannot),
        (_("No answer yet"), outcome.unanswered),
    ]
    return [(title, [person.name for person in people]) for title, people in groups]
