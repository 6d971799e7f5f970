"""The heat map: how many people can come in each cell."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from commontime.calendars.planning import groups, outcomes
from commontime.layout.instants import moment
from commontime.web import jinja
from commontime.web.look import Look


@dataclass(frozen=True, slots=True)
class Heat:
    """How many people can come in each cell of a grid.

    counts: (can come, of these if need be), in the grid's order; people: all; silent: without an
    answer.
    """

    counts: list[tuple[int, int]]
    people: int
    silent: int


def heat(group: groups.Group, look: Look) -> Heat:
    """Count in each cell who is free throughout it."""
    rows = outcomes.counts(
        group, [moment(start) for start, _ in look.grid.cells], timedelta(minutes=look.step)
    )
    counts = [(if_need_be + works + ideal, if_need_be) for _, if_need_be, works, ideal in rows]
    return Heat(counts, len(group.answered) + len(group.silent), len(group.silent))


STEPS = 6  # of the scale; the last one is everybody


def scale(heat: Heat) -> list[int]:
    """Return the step of each number of people. 0 is for nobody, the last for everybody.

    The numbers that occur share the steps between; in a small group each has its own.
    """
    low, high = _range(heat) or (0, 0)
    between = [
        1 + (STEPS - 1) * (min(max(can, low), high) - low) // (high - low + 1)
        for can in range(1, heat.people)
    ]
    return [0, *between, STEPS]


def _range(heat: Heat) -> tuple[int, int] | None:
    """Return the range of numbers between nobody and everybody."""
    if 1 < heat.people <= STEPS:
        return 1, heat.people - 1
    numbers = {can for can, _ in heat.counts if 0 < can < heat.people}
    return (min(numbers), max(numbers)) if numbers else None


class Shade(NamedTuple):
    """A step of the scale, and its numbers of people."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Legend:
    shades: list[Shade]
    people: int
    has_if_need_be: bool
    has_silent: bool

    @property
    def html(self) -> SafeString:
        return jinja.render("web/legend.html", {"legend": self})


def legend(heat: Heat) -> Legend:
    """Say what the shades mean, in numbers beside each."""
    steps, span = scale(heat), _range(heat)
    shades = [Shade(0, _("nobody"))]
    for step, group in groupby(range(span[0], span[1] + 1) if span else (), key=steps.__getitem__):
        first, *others = group
        shades.append(Shade(step, f"{first}–{others[-1]}" if others else str(first)))
    shades.append(Shade(STEPS, _("all %(people)d") % {"people": heat.people}))
    has_if_need_be = any(if_need_be for _, if_need_be in heat.counts)
    return Legend(shades, heat.people, has_if_need_be, bool(heat.silent))


def summary(heat: Heat) -> str:
    answered = heat.people - heat.silent
    if not answered:
        return _("Nobody has answered yet.")
    numbers = {"answered": answered, "people": heat.people}
    return _("%(answered)d of %(people)d answered.") % numbers


def groups_of(outcome: outcomes.Outcome) -> list[tuple[str, list[str]]]:
    """Return the people of a cell in titled groups."""
    people = [
        (_("Can come"), [*outcome.ideal, *outcome.works]),
        (_("If need be"), outcome.if_need_be),
        (_("Can’t come"), outcome.cannot),
        (_("No answer yet"), outcome.unanswered),
    ]
    return [(title, [person.name for person in members]) for title, members in people]
