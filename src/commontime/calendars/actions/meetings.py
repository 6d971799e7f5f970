from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from commontime.calendars import planning, queries, tasks
from commontime.calendars.actions.checks import LONGEST_DURATION, Caution, heed, require_owner, require_running
from commontime.calendars.models import Calendar, Meeting, MeetingAttendee
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotFound

# What a calendar program shows; a change of it raises SEQUENCE once the meeting has its final time.
SHOWN = ("title", "description", "location", "duration_minutes")


@transaction.atomic
def create_meeting(
    calendar: Calendar, *, by: User, deadline: datetime, required: Sequence[int] = (), optional: Sequence[int] = (), **fields: Any
) -> Meeting:
    """Look for a time for a meeting. Without named attendees it is for everybody in the calendar."""
    require_owner(by, calendar, "add meetings")
    require_running(calendar)
    meeting = Meeting(calendar=calendar, deadline=deadline, **fields)
    _check(meeting, new_deadline=True)
    meeting.save(force_insert=True)
    _name_attendees(meeting, required, optional)
    return meeting


@transaction.atomic
def edit_meeting(meeting: Meeting, *, by: User, strict: bool = False, **changes: Any) -> tuple[Meeting, list[Caution]]:
    """Change a meeting; what is absent stays. `final_time` fixes or moves it, None withdraws it.

    Attendees hear of a final time, of its move and of its end; SEQUENCE grows only when what their calendars show changes
    (RFC 5546, 2.1.4). A final time that is probably not wanted is a caution, or with `strict` a Conflict.
    """
    require_owner(by, meeting.calendar, "change its meetings")
    require_running(meeting.calendar)
    attendees: dict[str, Sequence[int]] = {name: changes.pop(name) for name in ("required", "optional") if name in changes}
    before = {field: getattr(meeting, field) for field in (*SHOWN, "final_time", "deadline")}
    old_duration = meeting.duration
    changes = {field: value for field, value in changes.items() if getattr(meeting, field) != value}
    named_before = planning.named_in(meeting)
    renames = bool(attendees) and _wanted(attendees, named_before) != named_before
    if not changes and not renames:
        return meeting, []
    for field, value in changes.items():
        setattr(meeting, field, value)
    _check(meeting, new_deadline="deadline" in changes)
    cautions: list[Caution] = []
    if meeting.final_time and (meeting.final_time != before["final_time"] or meeting.duration != old_duration):
        cautions = _cautions(meeting)
        heed(cautions, strict=strict)
    # SEQUENCE starts at 0 with the first request and grows with each later change that people's calendars show.
    was_told = before["final_time"] is not None or meeting.sequence > 0
    tells = meeting.final_time != before["final_time"] or (meeting.final_time is not None and any(f in changes for f in SHOWN))
    grows = tells and was_told
    if "deadline" in changes or (before["final_time"] and not meeting.final_time):
        changes["announced_at"] = meeting.announced_at = None
    seen = Meeting.objects.filter(pk=meeting.pk, version=meeting.version)
    if not seen.update(version=F("version") + 1, sequence=F("sequence") + int(grows), **changes):
        if not Meeting.objects.filter(pk=meeting.pk).exists():
            raise NotFound("There is no such meeting, or you are not part of its calendar.")
        raise Conflict("Somebody changed this meeting at the same moment. Read it again.", code="changed_meanwhile")
    meeting.version += 1
    meeting.sequence += grows
    if renames:
        _name_attendees(meeting, **_split(_wanted(attendees, named_before)), replace=True)
    if tells:
        _tell(meeting, before, old_duration)
    elif renames and meeting.final_time:
        tasks.tell_attendees_changed(meeting, named_before)
    return meeting, cautions


def _tell(meeting: Meeting, before: dict[str, Any], old_duration: timedelta) -> None:
    if meeting.final_time is None:
        tasks.tell_cancelled(meeting, start=before["final_time"], duration=old_duration)
    elif before["final_time"] is None:
        tasks.tell_scheduled(meeting)
    else:
        tasks.tell_moved(meeting, earlier=before["final_time"])


@transaction.atomic
def delete_meeting(meeting: Meeting, *, by: User) -> None:
    """Delete a meeting; if it had a final time, its attendees get a cancel request."""
    require_owner(by, meeting.calendar, "delete its meetings")
    require_running(meeting.calendar)
    if not Meeting.objects.filter(pk=meeting.pk, version=meeting.version).delete()[0]:
        if Meeting.objects.filter(pk=meeting.pk).exists():
            raise Conflict("Somebody changed this meeting at the same moment. Read it again.", code="changed_meanwhile")
        raise NotFound("There is no such meeting, or you are not part of its calendar.")
    if meeting.final_time:
        meeting.sequence += 1
        tasks.tell_cancelled(meeting, start=meeting.final_time, duration=meeting.duration)


@transaction.atomic
def finish_deadline(meeting: Meeting) -> None:
    """Do what is due at a meeting's deadline, once: set the best time if the owner wanted that and the quorum is met, and tell the owner."""
    now = clock.now()
    claimed = Meeting.objects.filter(pk=meeting.pk, announced_at=None, final_time=None, deadline__lte=now)
    if not claimed.update(announced_at=now):
        return
    group = planning.group_for(meeting)
    top = planning.ranked(meeting, group, list(queries.suggestions_of(meeting)), now=now, limit=3, named=True)[:3]
    best = top[0].outcome if top else None
    quorum = meeting.quorum if meeting.quorum is not None else len([p for p in group.people if p.required])
    if meeting.auto_finalize and best and len(best.attending) >= quorum and not meeting.calendar.is_finalized and not best.missing:
        seen = Meeting.objects.filter(pk=meeting.pk, version=meeting.version)
        if seen.update(version=F("version") + 1, sequence=F("sequence") + int(meeting.sequence > 0), final_time=best.start):
            meeting.final_time = best.start
            meeting.sequence += meeting.sequence > 0
            tasks.tell_scheduled(meeting)
    tasks.tell_deadline(meeting, top, group)


# What is checked ----------------------------------------------------------------------------------------------------


def _check(meeting: Meeting, *, new_deadline: bool) -> None:
    if new_deadline and meeting.deadline <= clock.now():
        raise InvalidInput("The deadline must be in the future.", field="deadline")
    if meeting.earliest and meeting.latest and meeting.latest <= meeting.earliest:
        raise InvalidInput("The latest end must come after the earliest start.", field="latest")
    if meeting.duration_minutes is not None and not timedelta(minutes=1) <= timedelta(minutes=meeting.duration_minutes) <= LONGEST_DURATION:
        raise InvalidInput(f"A meeting lasts from 1 minute to {LONGEST_DURATION.days} days.", field="duration_minutes")


def _cautions(meeting: Meeting) -> list[Caution]:
    """Return what speaks against the final time: it is past, somebody required can't, somebody is elsewhere then, nobody answered."""
    assert meeting.final_time is not None
    cautions = []
    if meeting.final_time < clock.now():
        cautions.append(Caution("in_the_past", "This time is in the past.", {}))
    group = planning.group_for(meeting)
    if not group.answered:
        cautions.append(Caution("nobody_answered", "Nobody has answered yet.", {}))
    outcome = planning.outcomes(group, [meeting.final_time], meeting.duration)[0]
    if outcome.missing:
        cautions.append(
            Caution(
                "required_missing",
                f"{', '.join(p.name for p in outcome.missing[:5])}: required, but can't come then.",
                {"users": [p.user_id for p in outcome.missing]},
            )
        )
    if busy := _double_booked(meeting, {person.user_id for person in group.people}):
        names = [person.name for person in group.people if person.user_id in busy]
        cautions.append(Caution("double_booked", f"{', '.join(names[:5])}: in another meeting then.", {"users": sorted(busy)}))
    return cautions


def _double_booked(meeting: Meeting, users: set[int]) -> set[int]:
    """Return who of the users has another scheduled meeting, in any calendar, that overlaps this one. Which one is not told."""
    start, end = meeting.final_time, meeting.end_time
    assert start is not None
    assert end is not None
    minutes = Coalesce(F("duration_minutes"), F("calendar__duration_minutes"))
    rows = (
        queries.meetings()
        .filter(final_time__lt=end, final_time__gt=start - LONGEST_DURATION)
        .exclude(pk=meeting.pk)
        .filter(calendar__participants__user__in=users)
        .annotate(minutes=minutes, person=F("calendar__participants__user_id"))
    )
    busy = set()
    for other in rows:
        named = planning.named_in(other)
        assert other.final_time is not None
        if other.final_time + timedelta(minutes=other.minutes) > start and other.person in users and (not named or other.person in named):
            busy.add(other.person)
    return busy


# Named attendees ----------------------------------------------------------------------------------------------------


def _wanted(attendees: dict[str, Sequence[int]], before: dict[int, bool]) -> dict[int, bool]:
    """Return who is named after a change: a list that is absent keeps those it had; who is in both is required."""
    kept = {user: is_required for user, is_required in before.items() if ("required" if is_required else "optional") not in attendees}
    wanted = dict.fromkeys(attendees.get("optional", ()), False) | dict.fromkeys(attendees.get("required", ()), True)
    return kept | wanted


def _split(named: dict[int, bool]) -> dict[str, list[int]]:
    return {
        "required": [user for user, is_required in named.items() if is_required],
        "optional": [user for user, is_required in named.items() if not is_required],
    }


def _name_attendees(meeting: Meeting, required: Iterable[int], optional: Iterable[int], *, replace: bool = False) -> None:
    named = dict.fromkeys(optional, False) | dict.fromkeys(required, True)
    if named:
        seated = {person.user_id for person in planning.people_of(meeting.calendar)}
        if unknown := named.keys() - seated:
            field = "required" if any(named[user] for user in unknown) else "optional"
            raise InvalidInput("Name only people who take part in this calendar.", field=field)
    if replace:
        MeetingAttendee.objects.filter(meeting=meeting).delete()
    MeetingAttendee.objects.bulk_create(
        MeetingAttendee(meeting=meeting, user_id=user, required=is_required) for user, is_required in named.items()
    )
    meeting.named = ",".join(f"{user}{'r' if is_required else 'o'}" for user, is_required in sorted(named.items()))  # type: ignore[attr-defined]
