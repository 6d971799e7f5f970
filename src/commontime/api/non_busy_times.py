"""Non-busy times, and the availability that follows from them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
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
from commontime.api.docs import means
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
from commontime.core.shapes import Fields

LEVELS = "0 to 10, larger is better: 0-3 if need be, 4-7 works, 8-10 ideal."
MOST_PIECES = 5000
MOST_NAMES = 20_000


class WindowInput(serializers.Serializer[Any]):
    start_time = Instant()
    end_time = Instant()
    preference_level = Whole(
        default=5,
        within=limits.PREFERENCE,
        help_text=LEVELS,
    )


class WindowChange(WindowInput):
    preference_level = Whole(required=False, within=limits.PREFERENCE)


@extend_schema_field(WindowInput(many=True))
class WindowRows(serializers.Field[Any, Any, Any, Any]):
    """Reads up to 2,000 rows as WindowInput reads one. It makes no serializer for each."""

    def to_internal_value(self, data: Any) -> list[Fields]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Send a list of times.")
        if len(data) > limits.MOST_WINDOWS:
            raise serializers.ValidationError(f"Send at most {limits.MOST_WINDOWS} times.")
        zone = self.context.get("zone") or UTC
        windows, refusals = [], {}
        for index, row in enumerate(data):
            try:
                windows.append(_window(row, zone))
            except serializers.ValidationError as refusal:
                refusals[index] = refusal.detail
        if refusals:
            raise serializers.ValidationError(refusals)  # type: ignore[arg-type]
        return windows

    def to_representation(self, value: Any) -> Any:
        return value


def _window(row: Any, zone: Any) -> Fields:
    """Read a row, quickly if it is valid. Otherwise the serializer says its refusals."""
    try:
        preference = row.get("preference_level", 5)
        if limits.PREFERENCE.has(preference):
            start, end = instant(row["start_time"], zone), instant(row["end_time"], zone)
            return {"start_time": start, "end_time": end, "preference_level": preference}
    except (AttributeError, KeyError, serializers.ValidationError):
        pass
    serializer = WindowInput(data=row, context={"zone": zone})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class RangeInput(serializers.Serializer[Any]):
    windows = WindowRows()

    def get_fields(self) -> Fields:
        # `from` is a keyword of Python, so no attribute can have this name.
        return {"from": Instant(), "to": Instant(), **super().get_fields()}


class WindowOutput(msgspec.Struct):
    id: UUID
    user: int
    calendar: UUID
    start_time: Moment
    end_time: Moment
    preference_level: Annotated[int, means(LEVELS)]


class PersonOutput(msgspec.Struct):
    id: int
    username: str
    first_name: str
    last_name: str
    required: Annotated[bool, means("Whether meetings need this person.")]
    answered: Annotated[bool, means("Whether they have given any times.")]


class Who(msgspec.Struct):
    """Everybody who has answered, as user ids."""

    ideal: list[int]
    works: list[int]
    if_need_be: list[int]
    cannot: list[int]


class Piece(msgspec.Struct, omit_defaults=True):
    """The starts from `start` until before `end`, for all of which the same people can come."""

    start: Moment
    end: Moment
    available: Annotated[
        int, means("How many can come: `ideal`, `works` and `if_need_be` together.")
    ]
    ideal: Annotated[int, means("How many find these starts ideal (level 8 to 10).")]
    works: Annotated[int, means("How many they work for (level 4 to 7).")]
    if_need_be: Annotated[int, means("How many can come only if need be (level 0 to 3).")]
    missing_required: Annotated[
        int, means("How many required people have answered but can't come.")
    ]
    preference_sum: Annotated[int, means("The preference levels of all who can come, added up.")]
    who: Annotated[
        Who | None, means("Who they are. Missing if the calendar hides it, or names are left out.")
    ] = None


Availability = msgspec.defstruct(
    "Availability",
    [
        ("calendar", UUID),
        ("from", Moment | None),
        ("to", Moment | None),
        ("duration_minutes", int),
        ("participants", Annotated[int, means("How many people are in the calendar.")]),
        ("answered", Annotated[int, means("How many of them have given times.")]),
        ("unanswered", Annotated[int, means("How many haven't; no piece counts them.")]),
        (
            "people",
            Annotated[
                list[PersonOutput] | None,
                means("Everybody; null if the calendar hides it, or names are left out."),
            ],
        ),
        (
            "names_left_out",
            Annotated[bool, means("Whether names are missing because the answer is too large.")],
        ),
        (
            "next_from",
            Annotated[
                Moment | None, means("Where to go on: send it as `from`. null if this is all.")
            ],
        ),
        ("pieces", list[Piece]),
    ],
)


def show(window: NonBusyTime) -> Fields:
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
            docs.whole("user", "Only those of this user.", limits.Range(1, LARGEST_USER_ID)),
            docs.moment("from", "Only those that end after this."),
            docs.moment("to", "Only those that start before this."),
            *docs.PAGING,
        ],
        responses={200: list[WindowOutput], 403: "not_allowed"},
    )
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """List people's times, as far as the calendar's `visibility` shows them."""
        calendar = request.auth.calendar()
        start, end = _range(request, calendar)
        whose = whole_param(request, "user", limits.Range(1, LARGEST_USER_ID))
        query = queries.windows.window_rows(
            request.user, calendar, whose=whose, start=start, end=end
        )
        rows, links = page_of(request, query)
        windows = (
            WindowOutput(id_, user, calendar_id, start, end, preference)
            for id_, user, start, end, preference in rows
        )
        return json_list(windows, links)

    @extend_schema(
        request=WindowInput,
        responses={
            201: WindowOutput,
            403: "not_allowed",
            409: "answers_closed calendar_finalized overlapping_window",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Add a time when you're free.

        One person's times in a calendar never overlap, but may touch. Each has at most 31 days, and
        there are at most 2,000.
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
        """Replace your times between `from` and `to`, all or nothing.

        Times that reach beyond them are cut there. A refused row is named by its index:
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
        """Change a time of your own."""
        calendar = request.auth.calendar()
        window = queries.windows.window_for(request.user, calendar, window_id)
        data = parse(WindowChange, request, partial=True, zone=zone_of(calendar.time_zone))
        return json_answer(request, show(actions.edit_window(window, by=request.user, **data)))

    patch = put

    @extend_schema(
        responses={204: None, 403: "not_allowed", 409: "answers_closed calendar_finalized"}
    )
    def delete(self, request: Request, calendar_id: UUID, window_id: UUID) -> HttpResponse:
        """Remove a time of your own."""
        calendar = request.auth.calendar()
        window = queries.windows.window_for(request.user, calendar, window_id)
        actions.remove_window(window, by=request.user)
        return no_content()


class AvailabilityView(View):
    expensive = ("GET",)
    # Computed once for each version of the calendar, and answered from memory after that.

    @extend_schema(
        parameters=[
            docs.moment("from", "By default where the calendar's window or the first time begins."),
            docs.moment("to", "By default where the calendar's window or the last time ends."),
            docs.whole(
                "duration_minutes",
                "How long the meeting lasts. By default 1: when people are free, to the minute.",
                limits.DURATION_MINUTES,
            ),
        ],
        responses={200: Availability, 403: "not_allowed"},
    )
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Show exactly when how many can come, for at most 400 days.

        A piece holds the starts of a meeting of `duration_minutes` for which the same people can
        come. Names are there if the calendar's `visibility` allows it. A very large answer leaves
        them out (`names_left_out`) or is cut (`next_from`).
        """
        calendar = request.auth.calendar()
        start, end = _range(request, calendar)
        minutes = whole_param(request, "duration_minutes", limits.DURATION_MINUTES) or 1
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
    most_names = MOST_NAMES if with_people else 0
    profile = _profile(crowd, start, end, timedelta(minutes=minutes), most_names)
    has_names = with_people and (profile is None or profile.levels is not None)
    answer: Fields = {
        "calendar": calendar.pk,
        "from": start,
        "to": end,
        "duration_minutes": minutes,
        "participants": len(crowd.answered) + crowd.silent,
        "answered": len(crowd.answered),
        "unanswered": crowd.silent,
        "people": _people(calendar) if has_names else None,
        "names_left_out": with_people and not has_names,
        "next_from": _next_from(profile),
        "pieces": _pieces(profile, crowd.answered) if profile else [],
    }
    return msgspec.json.encode(answer)


def _profile(
    crowd: availability.Crowd,
    start: datetime | None,
    end: datetime | None,
    duration: timedelta,
    most_names: int,
) -> availability.Availability | None:
    if start is None or end is None or end <= start:
        return None
    return availability.availability_of(
        crowd, earliest=start, latest=end, duration=duration, most_names=most_names
    )


def _people(calendar: Calendar) -> list[PersonOutput]:
    return [
        PersonOutput(p.user_id, p.username, p.first_name, p.last_name, p.required, bool(p.packed))
        for p in queries.people.roster_of(calendar).people
    ]


def _next_from(profile: availability.Availability | None) -> datetime | None:
    is_cut = profile is not None and len(profile.counts) > MOST_PIECES
    return profile.edges[MOST_PIECES] if profile and is_cut else None


def _pieces(profile: availability.Availability, users: list[int]) -> list[Piece]:
    """Return the first pieces of the profile. users: ids, in the order of its levels."""
    columns = (
        profile.edges[:MOST_PIECES],
        profile.edges[1:],
        profile.counts,
        profile.missing,
        profile.preference,
    )
    pieces = [
        Piece(start, end, if_need_be + works + ideal, ideal, works, if_need_be, missing, preference)
        for start, end, (_, if_need_be, works, ideal), missing, preference in zip(
            *columns, strict=False
        )
    ]
    for piece, levels in zip(pieces, profile.levels or (), strict=False):
        piece.who = _who(users, levels)
    return pieces


def _who(users: list[int], levels: list[int]) -> Who:
    by_level: list[list[int]] = [[], [], [], []]
    for user, level in zip(users, levels, strict=True):
        by_level[level].append(user)
    cannot, if_need_be, works, ideal = map(sorted, by_level)
    return Who(ideal, works, if_need_be, cannot)


def _range(request: Request, calendar: Calendar) -> tuple[datetime | None, datetime | None]:
    zone = zone_of(calendar.time_zone)
    start, end = moment_param(request, "from", zone), moment_param(request, "to", zone)
    if start and end and end <= start:
        raise InvalidInput("The range must end after it starts.", field="to")
    return start, end
