"""The two tables with a cell for each half hour.

Python writes no other markup. A template takes too long for them: for the 196 cells of a week
Django's 18 ms, this 0.9. Whatever people wrote is escaped; everything else here is ours.
"""

from collections.abc import Sequence
from datetime import datetime, time

from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from commontime.layout.grid import Day, Key, State
from commontime.layout.instants import moment
from commontime.web.heat_map import Heat, scale
from commontime.web.look import Look
from commontime.web.words import day_name, levels, row_label

type Cells = dict[tuple[int, Key], str]  # by the number of the day, and the row


def paint_table(
    look: Look, states: Sequence[State], ticked: frozenset[str] = frozenset()
) -> SafeString:
    """Return one's times as ticks, which `<availability-grid>` improves."""
    labels = {key: row_label(key, look) for key in look.grid.rows}
    names, cells, in_order = levels(), {}, iter(states)
    for number, day in enumerate(look.grid.days):
        head = day_name(datetime.combine(day.date, time()), short=True)
        hours = _hours_of(day, labels, look)
        for key, (start, _end) in day.cells.items():
            state = next(in_order)
            label = escape(f"{head} {hours[key]}, {names[state.level]}")
            cells[number, key] = (
                f'<td class="l{state.level}{" mixed" if state.mixed else ""}">'
                f'<input type="checkbox" name="at" value="{start}" aria-label="{label}"'
                f"{' checked' if str(start) in ticked else ''}></td>"
            )
    return _table(look, "p", cells, _("When I can come"), "")


def _hours_of(day: Day, labels: dict[Key, str], look: Look) -> dict[Key, str]:
    """Return a day's hours; those that clocks show twice with their turn."""
    twice = {minute for minute, again in day.cells if again}
    if not twice:
        return labels
    return labels | {
        key: look.time(look.local(moment(start)))
        for key, (start, _end) in day.cells.items()
        if key[0] in twice
    }


def heat_table(look: Look, heat: Heat) -> SafeString:
    """Return how many can come in each cell, in shades.

    They differ in lightness. `data-silent` says how many eighths of the people have not answered.
    """
    cells, in_order, steps = {}, iter(heat.counts), scale(heat)
    for number, day in enumerate(look.grid.days):
        for key in day.cells:
            can, if_need_be = next(in_order)
            cells[number, key] = (
                f'<td class="s{steps[can]}{" n" if if_need_be else ""}">{can or ""}</td>'
            )
    eighths = max(round(8 * heat.silent / heat.people), 1) if heat.silent else 0
    caption = _("How many of %(people)d can come") % {"people": heat.people}
    return _table(look, "h", cells, caption, f'data-silent="{eighths}"')


def _table(look: Look, prefix: str, cells: Cells, caption: str, attributes: str) -> SafeString:
    return mark_safe(  # noqa: S308 (each part is escaped)
        f'<table class="hours" {attributes}><caption class="heard">{escape(caption)}</caption>'
        f"{_head(look.grid.days, prefix)}<tbody>{_rows(look, cells)}</tbody></table>"
    )


def _rows(look: Look, cells: Cells) -> str:
    days, rows = range(len(look.grid.days)), []
    before: Key = (0, 0)
    for key in look.grid.rows:
        goes_back, before = key[1] > before[1], key
        # Only whole hours are labelled in sight, and where the clocks go back.
        kind = "hour again" if goes_back else "part" if key[0] % 60 else "hour"
        label = escape(row_label(key, look))
        row = "".join(cells.get((number, key), '<td class="gap"></td>') for number in days)
        rows.append(f'<tr class="{kind}"><th scope="row"><span>{label}</span></th>{row}</tr>')
    return "".join(rows)


def _head(days: Sequence[Day], prefix: str) -> str:
    months = pgettext("a month", "M")
    cells = []
    for number, day in enumerate(days):
        at = datetime.combine(day.date, time())
        weekday, month = (escape(dateformat.format(at, written)) for written in ("D", months))
        cells.append(
            f'<th scope="col" id="{prefix}{number}"><abbr title="{escape(day_name(at))}">{weekday}'
            f"</abbr> <b>{at.day}</b> <small>{month}</small>{_clocks(day)}</th>"
        )
    return f"<thead><tr><td></td>{''.join(cells)}</tr></thead>"


def _clocks(day: Day) -> str:
    """Return a day's number of hours if clocks change."""
    if day.hours == 24:
        return ""
    hours = {"n": number_format(f"{day.hours:g}")}
    whole, short = _("%(n)s hours"), pgettext("short for hours", "%(n)s h")
    return f'<abbr class="clocks" title="{escape(whole % hours)}">{escape(short % hours)}</abbr>'
