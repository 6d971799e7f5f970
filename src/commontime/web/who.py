"""Who can come in a cell of the heat map."""

import json
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from commontime.calendars.planning import outcomes
from commontime.calendars.queries.people import Person
from commontime.core import cache
from commontime.core.shapes import Fields
from commontime.layout.grid import Grid
from commontime.layout.instants import moment
from commontime.web import heat_map, words
from commontime.web.calendar_view import CalendarView, calendar_view
from commontime.web.compression import gzipped
from commontime.web.sign_in import signed_in


@gzipped
@require_safe
@signed_in
def who(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Send who can come in each cell, row by row."""
    view = calendar_view(request, calendar_id)
    key = ("who", view.key)
    tag = cache.tag_of(key)
    if unchanged := get_conditional_response(request, etag=tag):
        return unchanged
    body = cache.get(key, partial(_who, view))
    return HttpResponse(body, content_type="application/json", headers={"ETag": tag})


def _who(view: CalendarView) -> str:
    """Return JSON: {"people": names, "cells": [[start, end, levels]]}.

    levels: a digit a person. Without names it is [can, if need be, can't, silent], and "people" is
    missing.
    """
    table = view.look.grid
    cells = [day.cells[key] for key in table.rows for day in table.days if key in day.cells]
    starts = [moment(start) for start, _end in cells]
    in_cells = outcomes.outcomes_at(view.group, starts, timedelta(minutes=table.step))
    if not view.with_names:
        return json.dumps({"cells": _with_cells(cells, map(_counts, in_cells))})
    people = view.group.people
    codes = (_code(people, outcome) for outcome in in_cells)
    names = [person.name for person in people]
    return json.dumps({"people": names, "cells": _with_cells(cells, codes)})


def _with_cells(cells: Iterable[tuple[int, int]], values: Iterable[Any]) -> list[list[Any]]:
    return [[*cell, value] for cell, value in zip(cells, values, strict=True)]


def _code(people: Iterable[Person], outcome: outcomes.Outcome) -> str:
    levels = _levels(outcome)
    return "".join(levels.get(person.user_id, "-") for person in people)


def _counts(outcome: outcomes.Outcome) -> list[int]:
    can = len(outcome.ideal) + len(outcome.works)
    return [can, len(outcome.if_need_be), len(outcome.cannot), len(outcome.unanswered)]


def _levels(outcome: outcomes.Outcome) -> dict[int, str]:
    lists = (
        ("0", outcome.cannot),
        ("1", outcome.if_need_be),
        ("2", outcome.works),
        ("3", outcome.ideal),
    )
    return {person.user_id: level for level, people in lists for person in people}


def who_at(view: CalendarView, day: str, row: str) -> Fields | None:
    """Return who can come in an address's cell.

    That is for a page without scripts.
    """
    cell = _cell_at(view.look.grid, day, row)
    if cell is None:
        return None
    start, end = cell
    length = timedelta(seconds=end - start)
    outcome = outcomes.outcomes_at(view.group, [moment(start)], length)[0]
    groups = [
        (title, len(names), ", ".join(names) if view.with_names else "")
        for title, names in heat_map.groups_of(outcome)
    ]
    return {"when": words.when(moment(start), length, view.look), "groups": groups}


def _cell_at(grid: Grid, day: str, row: str) -> tuple[int, int] | None:
    columns = {str(column.date): column.cells for column in grid.days}
    cells = {words.row_name(key): cell for key, cell in columns.get(day, {}).items()}
    return cells.get(row)
