"""The tables with a cell for each half hour."""

from collections.abc import Iterable, Sequence
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
from commontime.web.words import day_name, day_of, levels, row_label, row_name


def _heads(days: Sequence[Day], shown: Look, prefix: str) -> str:
    cells, written = [], pgettext("a month", "M")
    for number, day in enumerate(days):
        at = datetime.combine(day.date, time())
        clocks = ""
        if day.hours != 24:
            hours = number_format(f"{day.hours:g}")
            whole, short = (
                escape(text % {"n": hours})
                for text in (_("%(n)s hours"), pgettext("short for hours", "%(n)s h"))
            )
            clocks = f'<abbr class="clocks" title="{whole}">{short}</abbr>'
        name = f'<abbr title="{escape(day_name(at))}">{escape(dateformat.format(at, "D"))}</abbr> <b>{at.day}</b>'
        month = f"<small>{escape(dateformat.format(at, written))}</small>"
        cells.append(f'<th scope="col" id="{prefix}{number}">{name} {month}{clocks}</th>')
    return f"<thead><tr><td></td>{''.join(cells)}</tr></thead>"


def day_options(shown: Look) -> SafeString:
    """Return the days as the options of a select."""
    return _options((str(day.date), day_of(day)) for day in shown.grid.days)


def row_options(shown: Look) -> SafeString:
    return _options((row_name(key), row_label(key, shown)) for key in shown.grid.rows)


def _options(choices: Iterable[tuple[str, str]]) -> SafeString:
    return mark_safe(  # noqa: S308
        "".join(f'<option value="{value}">{escape(name)}</option>' for value, name in choices)
    )


def day_ticks(shown: Look) -> SafeString:
    """Return the days as ticks, to choose several."""
    ticks = (
        f'<label class="tick"><input type="checkbox" name="to" value="{day.date}"> {escape(day_of(day))}</label>'
        for day in shown.grid.days
    )
    return mark_safe("".join(ticks))  # noqa: S308


def _table(
    shown: Look, prefix: str, cell: dict[tuple[int, Key], str], caption: str, attributes: str
) -> SafeString:
    found = shown.grid
    lines = []
    before: Key = (0, 0)
    for key in found.rows:
        turns, before = key[1] > before[1], key
        kind = (
            "hour again" if turns else "part" if key[0] % 60 else "hour"
        )  # only whole hours are seen, and where the clocks go back
        text = row_label(key, shown)
        row = "".join(
            cell.get((number, key), '<td class="gap"></td>') for number in range(len(found.days))
        )
        lines.append(
            f'<tr class="{kind}"><th scope="row"><span>{escape(text)}</span></th>{row}</tr>'
        )
    body = f"<tbody>{''.join(lines)}</tbody>"
    head = _heads(found.days, shown, prefix)
    return mark_safe(  # noqa: S308
        f'<table class="hours" {attributes}><caption class="heard">{escape(caption)}</caption>{head}{body}</table>'
    )


def paint_table(shown: Look, states: Sequence[State]) -> SafeString:
    """Return one's own times as a table of ticks, a cell each; `<availability-grid>` makes them
    something to paint on.
    """
    names, found = levels(), shown.grid
    heads = [day_name(datetime.combine(day.date, time()), short=True) for day in found.days]
    labels = {key: row_label(key, shown) for key in found.rows}
    cells, at = {}, 0
    for number, day in enumerate(found.days):
        twice = {minute for minute, again in day.cells if again}
        for key, (start, _end) in day.cells.items():
            state = states[at]
            at += 1
            kind = f"l{state.level}{' mixed' if state.mixed else ''}"
            hour = (
                shown.time(moment(start).astimezone(shown.zone)) if key[0] in twice else labels[key]
            )
            label = escape(f"{heads[number]} {hour}, {names[state.level]}")
            cells[number, key] = (
                f'<td class="{kind}"><input type="checkbox" name="at" value="{start}" aria-label="{label}"></td>'
            )
    return _table(shown, "p", cells, _("When I can come"), "")


def heat_table(shown: Look, found: Heat) -> SafeString:
    """Return the count in every cell, on a scale of steps that differ in lightness, with those who
    have not answered as a share of all.
    """
    cells, at, steps = {}, 0, scale(found)
    for number, day in enumerate(shown.grid.days):
        for key in day.cells:
            can, if_need_be = found.counts[at]
            at += 1
            cells[number, key] = (
                f'<td class="s{steps[can]}{" n" if if_need_be else ""}">{can or ""}</td>'
            )
    share = round(8 * found.silent / found.people) if found.people else 0
    share = max(share, 1) if found.silent else 0
    caption = _("How many of %(people)d can come") % {"people": found.people}
    return _table(shown, "h", cells, caption, f'data-silent="{share}"')
