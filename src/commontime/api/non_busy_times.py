"""Non-busy times and the availability that follows from them: shapes, then views."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import (
    etag_of,
    has_current,
    json_answer,
    json_list,
    no_content,
    not_modified,
)
from commontime.api.body import parse
from commontime.api.fields import LARGEST_USER_ID, Instant, Moment, Whole, instant, zone_of
from commontime.api.paging import page_of
from commontime.api.params import moment_param, whole_param
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries, rules
from commontime.calendars.models import Calendar, NonBusyTime
from commontime.calendars.planning import availability
from commontime.core import cache
from commontime.core.errors import InvalidInput

MOST_PIECES = 5000
MOST_NAMES = 20_000


class WindowInput(serializers.Serializer[Any]):
    start_time = Instant()
    end_time = Instant()
    preference_level = Whole(
        default=5,
        min_value=limits.PREFERENCE.least,
        max_value=limits.PREFERENCE.most,
        help_text="0 to 10, larger is better: 0-3 if need be, 4-7 works, 8-10 ideal.",
    )


class WindowChange(WindowInput):
    preference_level = Whole(
        required=False, min_value=limits.PREFERENCE.least, max_value=limits.PREFERENCE.most
    )


@extend_schema_field(WindowInput(many=True))
class WindowRows(serializers.Field[Any, Any, Any, Any]):
    """Rows read as WindowInput reads one, without a serializer's rounds for each of up to 2,000."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Send a list of times.")
        if len(data) > limits.MOST_WINDOWS:
            raise serializers.ValidationError(f"Send at most {limits.MOST_WINDOWS} times.")
        zone = self.context.get("zone") or UTC
        read, refused = [], {}
        for index, row in enumerate(data):
            try:
                read.append(_window(row, zone))
            except serializers.ValidationError as refusal:
                refused[index] = refusal.detail
        if refused:
            raise serializers.ValidationError(refused)  # type: ignore[arg-type]
        return read

    def to_representation(self, value: Any) -> Any:
        return value


def _window(row: Any, zone: Any) -> dict[str, Any]:
    """Return a row that is as it should be; any other is read again by the serializer, for its
    words.
    """
    try:
        preference = row.get("preference_level", 5)
        if type(preference) is int and 0 <= preference <= 10:
            start, end = instant(row["start_time"], zone), instant(row["end_time"], zone)
            return {"start_time": start, "end_time": end, "preference_level": preference}
    except (AttributeError, KeyError, serializers.ValidationError):
        pass
    serializer = WindowInput(data=row, context={"zone": zone})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class RangeInput(serializers.Serializer[Any]):
    windows = WindowRows()

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python, so the fields are named here.
        return {"from": Instant(), "to": Instant(), **super().get_fields()}


class WindowOutput(msgspec.Struct):
    id: UUID
    user: int
    calendar: UUID
    start_time: Moment
    end_time: Moment
    preference_level: int


class PersonOutput(msgspec.Struct):
    id: int
    username: str
    first_name: str
    last_name: str
    required: bool
    answered: bool


class Who(msgspec.Struct):
    """User ids of those who answered."""

    ideal: list[int]
    works: list[int]
    if_need_be: list[int]
    cannot: list[int]


class Piece(msgspec.Struct, omit_defaults=True):
    """`[start, end)`: the starts for which everything here holds for a meeting of
    `duration_minutes`.
    """

    start: Moment
    end: Moment
    available: int
    ideal: int
    works: int
    if_need_be: int
    missing_required: int
    preference_sum: int
    who: Who | None = None


Availability = msgspec.defstruct(
    "Availability",
    [
        ("calendar", UUID),
        ("from", Moment | None),
        ("to", Moment | None),
        ("duration_minutes", int),
        ("participants", int),
        ("answered", int),
        ("unanswered", int),
        ("people", list[PersonOutput] | None),
        ("names_left_out", bool),
        ("next_from", Moment | None),
        ("pieces", list[Piece]),
    ],
)


def show(window: NonBusyTime) -> dict[str, Any]:
    return {
        "id": window.pk,
        "user": window.user_id,
        "calendar": window.calendar_id,
        "start_time": window.start_time,
        "end_time": window.end_time,
        "preference_level": window.preference_level,
    }


class Windows(View):
    @extend_schema(
        parameters=[
            docs.whole("user", "Only those of this user.", least=1, most=LARGEST_USER_ID),
            docs.moment("from", "Only those that end after this."),
            docs.moment("to", "Only those that start before this."),
            *docs.PAGING,
        ],
        responses={200: list[WindowOutput], 403: "not_allowed"},
    )
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """List the times people gave, as far as the calendar's `visibility` shows them."""
        calendar = request.auth.calendar()
        start, end = _range(request, calendar)
        whose = whole_param(request, "user", least=1, most=LARGEST_USER_ID)
        found, links = page_of(
            request,
            queries.windows.window_rows(request.user, calendar, whose=whose, start=start, end=end),
        )
        times = (
            WindowOutput(id_, user, calendar_id, start, end, preference)
            for id_, user, start, end, preference in found
        )
        return json_list(times, links)

    @extend_schema(
        request=WindowInput,
        responses={
            201: WindowOutput,
            403: "not_allowed",
            409: "answers_closed calendar_finalized overlapping_window",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Say that one is free from start to end.

        One person's times in a calendar never overlap; touching is fine. At most 31 days each, at
        most 2,000.
        """
        calendar = request.auth.calendar()
        window = actions.add_window(
            calendar, by=request.user, **_window(request.data, zone_of(calendar.time_zone))
        )
        return json_answer(
            request,
            show(window),
            status=201,
            location=f"/calendars/{calendar_id}/nonbusytimes/{window.pk}/",
        )

    @extend_schema(
        request=RangeInput,
        responses={
            200: list[WindowOutput],
            403: "not_allowed",
            409: "answers_closed calendar_finalized overlapping_window",
        },
    )
    def put(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Replace one's times between `from` and `to`, all or nothing.

        Times that reach over the edges are cut there. A refused row is named by its index, as
        `windows.3.end_time`.
        """
        calendar = request.auth.calendar()
        data = parse(RangeInput, request, zone=zone_of(calendar.time_zone))
        windows = actions.replace_windows(
            calendar, by=request.user, start=data["from"], end=data["to"], windows=data["windows"]
        )
        return json_list(map(show, windows))


class WindowOne(View):
    single = True

    @extend_schema(responses={200: WindowOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID, window_id: UUID) -> HttpResponse:
        """Show a time."""
        calendar = request.auth.calendar()
        return json_answer(
            request, show(queries.windows.window_for(request.user, calendar, window_id))
        )

    @extend_schema(
        request=docs.partial(WindowChange),
        responses={
            200: WindowOutput,
            403: "not_allowed",
            409: "answers_closed calendar_finalized overlapping_window",
        },
    )
    def put(self, request: Request, calendar_id: UUID, window_id: UUID) -> HttpResponse:
        """Change one's own time."""
        calendar = request.auth.calendar()
        window = queries.windows.window_for(request.user, calendar, window_id)
        data = parse(WindowChange, request, partial=True, zone=zone_of(calendar.time_zone))
        return json_answer(request, show(actions.edit_window(window, by=request.user, **data)))

    patch = put

    @extend_schema(
        responses={204: None, 403: "not_allowed", 409: "answers_closed calendar_finalized"}
    )
    def delete(self, request: Request, calendar_id: UUID, window_id: UUID) -> HttpResponse:
        """Take back one's own time."""
        calendar = request.auth.calendar()
        window = queries.windows.window_for(request.user, calendar, window_id)
        actions.remove_window(window, by=request.user)
        return no_content()


class AvailabilityView(View):
    """The group's exact availability, computed once for each version of the calendar and answered
    from memory until something changes.
    """

    @extend_schema(
        parameters=[
            docs.moment(
                "from", "By default the start of the calendar's window, or of the first time given."
            ),
            docs.moment("to", "By default the end."),
            docs.whole(
                "duration_minutes",
                "How long the meeting lasts; by default 1, which is the availability of each "
                "minute.",
                least=limits.DURATION_MINUTES.least,
                most=limits.DURATION_MINUTES.most,
            ),
        ],
        responses={200: Availability, 403: "not_allowed"},
    )
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Show when how many can come, exactly, at most 400 days at once.

        A piece holds the starts of a meeting of `duration_minutes` for which the same people can
        come. Names are there if the calendar's `visibility` allows; a very large answer leaves them
        out (`names_left_out`) or goes on from `next_from`.
        """
        calendar = request.auth.calendar()
        start, end = _range(request, calendar)
        minutes = (
            whole_param(
                request,
                "duration_minutes",
                least=limits.DURATION_MINUTES.least,
                most=limits.DURATION_MINUTES.most,
            )
            or 1
        )
        with_people = rules.may_see_windows_of_others(request.user, calendar)
        key = ("availability", calendar.pk, calendar.version, start, end, minutes, with_people)
        body = cache.get(key, lambda: _availability(calendar, start, end, minutes, with_people))
        etag = cache.get(("etag", key), lambda: etag_of(body))
        if has_current(request, etag):
            return not_modified(etag)
        return json_answer(request, body, etag=etag)


def _availability(
    calendar: Calendar,
    start: datetime | None,
    end: datetime | None,
    minutes: int,
    with_people: bool,
) -> bytes:
    crowd = availability.crowd_of(calendar)
    known = availability.known_range(calendar, crowd)
    start, end = start or (known[0] if known else end), end or (known[1] if known else start)
    found = None
    if start and end and start < end:
        most_names = MOST_NAMES if with_people else 0
        found = availability.availability_of(
            crowd,
            earliest=start,
            latest=end,
            duration=timedelta(minutes=minutes),
            most_names=most_names,
        )
    tells = with_people and (found is None or found.levels is not None)
    answer: dict[str, Any] = {
        "calendar": calendar.pk,
        "from": start,
        "to": end,
        "duration_minutes": minutes,
        "participants": len(crowd.answered) + crowd.silent,
        "answered": len(crowd.answered),
        "unanswered": crowd.silent,
        "people": _people(calendar) if tells else None,
        "names_left_out": with_people and not tells,
        "next_from": found.edges[MOST_PIECES]
        if found and len(found.counts) > MOST_PIECES
        else None,
        "pieces": _pieces(found, crowd.answered) if found else [],
    }
    return msgspec.json.encode(answer)


def _people(calendar: Calendar) -> list[PersonOutput]:
    people = queries.people.roster_of(calendar).people
    return [
        PersonOutput(p.user_id, p.username, p.first_name, p.last_name, p.required, bool(p.packed))
        for p in people
    ]


def _pieces(found: availability.Availability, users: list[int]) -> list[Piece]:
    pieces = [
        Piece(start, end, if_need_be + works + ideal, ideal, works, if_need_be, missing, preference)
        for start, end, (_, if_need_be, works, ideal), missing, preference in zip(
            found.edges[:MOST_PIECES],
            found.edges[1:],
            found.counts,
            found.missing,
            found.preference,
            strict=False,
        )
    ]
    for piece, levels in zip(pieces, found.levels or (), strict=False):
        lists: list[list[int]] = [[], [], [], []]
        for user, level in zip(users, levels, strict=True):
            lists[level].append(user)
        cannot, if_need_be, works, ideal = map(sorted, lists)
        piece.who = Who(ideal, works, if_need_be, cannot)
    return pieces


def _range(request: Request, calendar: Calendar) -> tuple[datetime | None, datetime | None]:
    zone = zone_of(calendar.time_zone)
    start, end = moment_param(request, "from", zone), moment_param(request, "to", zone)
    if start and end and end <= start:
        raise InvalidInput("The range must end after it starts.", field="to")
    return start, end
