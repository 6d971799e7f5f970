"""The parts of the calendar page that have a cell for each half hour: written in Python, because a
template takes as long for one cell as this for a hundred. All text that people wrote goes through
`escape`; everything else is ours.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from commontime.calendars.models import Meeting
from commontime.calendars.planning import outcomes, suggestions
from commontime.core import clock
from commontime.layout import grid
from commontime.layout.grid import Day, Key, State
from commontime.layout.instants import moment
from commontime.web.looking import Heat, Look

STEPS = 6  # of the scale; the last one is everybody
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


def levels() -> dict[int, str]:
    return {0: _("not available"), 1: _("if need be"), 2: _("works"), 3: _("ideal")}


# Days and times -----------------------------------------------------------------------------------


def day_name(day: date, *, short: bool = False) -> str:
    return dateformat.format(
        day, pgettext("a date", "D j M") if short else pgettext("a date", "l j F")
    )


def dated(day: datetime) -> str:
    """Return the day as people say it: "Mon 4 May", with the year if it is not this one."""
    year = "" if day.year == clock.now().astimezone(day.tzinfo).year else f" {day.year}"
    return f"{day_name(day, short=True)}{year}"


def when(start: datetime, length: timedelta, shown: Look) -> str:
    """Return day and time as people say it: "Mon 4 May, 9:00–10:30", with the year if it is another
    than the one looked at.
    """
    first, last = (moment.astimezone(shown.zone) for moment in (start, start + length))
    later = "" if last.date() == first.date() else f"{day_name(last, short=True)} "
    year = "" if first.year == shown.first.year else f" {first.year}"
    return f"{day_name(first, short=True)}{year}, {shown.times(first, last, later=later)}"


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


def row_label(key: Key, shown: Look) -> str:
    minute, again = key
    text = shown.written(time(minute // 60, minute % 60)).replace(" ", "\xa0")
    return _("%(time)s again") % {"time": text} if again else text


def row_name(key: Key) -> str:
    """Return how an address or a form names a row."""
    return f"{key[0]}.{key[1]}"


def day_of(day: Day) -> str:
    return day_name(datetime.combine(day.date, time()))


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


# Everybody ----------------------------------------------------------------------------------------


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


# Best times ---------------------------------------------------------------------------------------


def best_times(found: Sequence[Best], shown: Look) -> SafeString:
    return mark_safe("".join(_meeting(best, shown) for best in found))  # noqa: S308 (each part is escaped)


def _meeting(best: Best, shown: Look) -> str:
    meeting = best.meeting
    title = escape(meeting.name)
    name = f'<a href="{escape(best.address)}">{title}</a>' if best.address else title
    head = f'<h3>{name}</h3><p class="soft">{escape(clock.length(meeting.duration))} · {escape(until(meeting.deadline, shown))}</p>'
    if not best.ranked:
        return f'<article class="best">{head}<p class="empty">{escape(best.nothing or nothing_yet())}</p></article>'
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


def until(deadline: datetime, shown: Look) -> str:
    if deadline <= clock.now():
        return _("The deadline has passed")
    local = deadline.astimezone(shown.zone)
    return _("Answer by %(day)s, %(time)s") % {"day": dated(local), "time": shown.time(local)}


def nothing_yet() -> str:
    return _("No time fits yet. The best times appear here as more people answer.")


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


def some(names: Sequence[str], most: int) -> str:
    """Return the names in a row, of more than so many the first."""
    more = len(names) - most
    shown = ", ".join(names[:most])
    return _("%(names)s and %(n)d more") % {"names": shown, "n": more} if more > 0 else shown


def as_attribute(value: object) -> SafeString:
    """Return JSON to stand between the quotes of an attribute."""
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def total(windows: Sequence[grid.Window]) -> str:
    """Return how long these are together, in words."""
    return clock.hours(
        timedelta(minutes=round(sum(end - start for start, end, _level in windows) / 60))
    )
