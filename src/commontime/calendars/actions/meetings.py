from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.accounts import queries as accounts
from commontime.calendars import limits, queries, rules
from commontime.calendars.actions.checks import (
    Caution,
    about_addresses,
    check_moments,
    clean_texts,
    heed,
    held,
    held_unchanged,
    hold_final_times,
    hold_with_people,
    keep_same,
    mails_that_wait,
    require_meeting_room,
    require_planner,
    require_text_room,
)
from commontime.calendars.models import Calendar, Meeting, MeetingAttendee
from commontime.calendars.planning import bounds, groups, outcomes, reasons, suggestions
from commontime.calendars.queries.people import Person, Roster
from commontime.calendars.tasks import notices
from commontime.core import clock, text
from commontime.core import limits as rates
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.core.shapes import Fields

TEXTS = ("title", "description", "location")  # which check_meeting cleans
DOUBLE_BOOKED = "double_booked"


@transaction.atomic
def create_meeting(
    calendar: Calendar,
    *,
    by: User,
    deadline: datetime,
    required: Sequence[int] = (),
    optional: Sequence[int] = (),
    **fields: Any,
) -> tuple[Meeting, Roster]:
    """Look for a time for a meeting.

    Without named attendees it is for everybody in the calendar. Returns the meeting and the
    calendar's people.
    """
    roster = hold_with_people(calendar)
    require_planner(by, calendar, _("add meetings"))
    meeting = Meeting(calendar=calendar, deadline=deadline, **fields)
    name_attendees(meeting, roster, _wanted({}, required=required, optional=optional))
    check_meeting(meeting, new_deadline=True)
    require_meeting_room(by)
    require_text_room(by, meeting.description)
    meeting.save(force_insert=True)
    store_names([meeting])
    return meeting, roster


def edit_meeting(
    meeting: Meeting, *, by: User, strict: bool = False, **changes: Any
) -> tuple[Meeting, Roster, list[Caution]]:
    """Change a meeting; what is absent stays.

    `final_time` fixes or moves it, None withdraws it. Attendees hear of a final time, of its move
    and of its end; SEQUENCE grows only when what their calendars show changes (RFC 5546, 2.1.4). A
    final time that is probably not wanted is a caution, or with `strict` a Conflict.
    """
    try:
        return _edit_meeting(meeting, by=by, strict=strict, changes=changes)
    except Conflict as refusal:
        # The refusal undid the transaction, and with it that the answer was counted.
        _count_double_booked(refusal.extra.get("warnings", ()), by=by)
        raise


@transaction.atomic
def _edit_meeting(
    meeting: Meeting, *, by: User, strict: bool, changes: Fields
) -> tuple[Meeting, Roster, list[Caution]]:
    meeting, roster = held_unchanged(meeting)
    require_planner(by, meeting.calendar, _("change meetings"))
    before, names_before = notices.announcement_of(meeting, roster), meeting.attendees
    named = _wanted(
        names_before, required=changes.pop("required", None), optional=changes.pop("optional", None)
    )
    text_before = meeting.description
    changes = _changed(meeting, changes)
    require_text_room(by, meeting.description, before=text_before)
    if named != names_before:
        name_attendees(meeting, roster, named)
        changes["for_everyone"] = meeting.for_everyone
    if not changes:
        return meeting, roster, []
    cautions = []
    if meeting.final_time and changes.keys() & {"final_time", "duration_minutes"}:
        hold_final_times()
        cautions = _cautions(meeting, roster, by)
        _count_double_booked([caution.fields for caution in cautions], by=by)
    heed(cautions, strict=strict)
    _set_announced(meeting, changes, had_time=before.snapshot is not None)
    _save(meeting, roster, before, changes)
    _store_changed_names(meeting, names_before)
    if before.snapshot or meeting.final_time:
        # Nothing to ask about: the change is made, and its mails go out later.
        cautions += mails_that_wait(by)
    return meeting, roster, cautions


def _set_announced(meeting: Meeting, changes: Fields, *, had_time: bool) -> None:
    """Say whether the deadline is still due after the changes."""
    if "deadline" in changes:
        changes["announced_at"] = meeting.announced_at = None
    elif had_time and meeting.final_time is None and meeting.deadline <= clock.now():
        # Withdrawn after its deadline: nothing is due any more, least of all to fix it again.
        changes["announced_at"] = meeting.announced_at = clock.now()


def _changed(meeting: Meeting, wanted: Fields) -> Fields:
    """Change the fields, check the meeting, return what is new.

    What a check made of a text counts, or a text typed with other line ends would
    be a change.
    """
    before = {field: getattr(meeting, field) for field in (*wanted, *TEXTS)}
    for field, value in wanted.items():
        setattr(meeting, field, value)
    check_meeting(
        meeting, new_deadline=meeting.deadline != before.get("deadline", meeting.deadline)
    )
    return keep_same(meeting, before)


def _save(meeting: Meeting, roster: Roster, before: notices.Announcement, changes: Fields) -> None:
    """Store the changes of a meeting, which is held.

    Whoever was told of it otherwise hears of them.
    """
    _count_up(meeting, roster, before)
    Meeting.objects.filter(pk=meeting.pk).update(
        version=meeting.version, sequence=meeting.sequence, **changes
    )
    notices.tell_changed([(meeting, before)], roster)


def _count_up(meeting: Meeting, roster: Roster, before: notices.Announcement) -> None:
    # The first request has SEQUENCE 0.
    grows = notices.announcement_of(meeting, roster) != before and (
        before.snapshot is not None or meeting.sequence > 0
    )
    meeting.version += 1
    meeting.sequence += grows


def save_final_times(fixed: Sequence[tuple[Meeting, datetime]], roster: Roster) -> None:
    """Fix many meetings of one calendar, and tell their people.

    The calendar is held. One statement for all, and those of the mails.
    """
    before = [(meeting, notices.announcement_of(meeting, roster)) for meeting, _time in fixed]
    for (meeting, was), (_meeting, final_time) in zip(before, fixed, strict=True):
        meeting.final_time = final_time
        _count_up(meeting, roster, was)
    Meeting.objects.bulk_update(
        [meeting for meeting, _time in fixed], ["final_time", "version", "sequence"]
    )
    notices.tell_changed(before, roster)


@transaction.atomic
def delete_meeting(meeting: Meeting, *, by: User) -> None:
    """Delete a meeting.

    If it had a final time, its attendees get a cancel request.
    """
    meeting, roster = held_unchanged(meeting)
    require_planner(by, meeting.calendar, _("delete meetings"))
    before = notices.announcement_of(meeting, roster)
    Meeting.objects.filter(pk=meeting.pk).delete()
    meeting.sequence += 1
    notices.tell_cancelled(meeting, before, roster)


def raise_sequence(meetings: Iterable[Meeting]) -> list[Meeting]:
    """Raise the SEQUENCE of meetings, and return them.

    So the next mail outdoes the earlier ones. Their calendar is held.
    """
    meetings = list(meetings)
    if meetings:
        Meeting.objects.filter(pk__in=[meeting.pk for meeting in meetings]).update(
            sequence=F("sequence") + 1
        )
    for meeting in meetings:
        meeting.sequence += 1
    return meetings


@transaction.atomic
def finish_deadline(meeting: Meeting) -> None:
    """Do once what is due at a meeting's deadline.

    Set the best time if the owner wanted that and enough people can come, and tell the owner.
    """
    now = clock.now()
    try:
        meeting, roster = held(meeting)
    except NotFound:
        return
    if meeting.announced_at or meeting.final_time or meeting.deadline > now:
        return
    Meeting.objects.filter(pk=meeting.pk).update(announced_at=now)
    if meeting.auto_finalize:
        hold_final_times()
    group = _group_at_deadline(meeting, roster, now)
    ranked = _ranked_for_owner(meeting, group, now)
    if meeting.auto_finalize and not meeting.calendar.is_finalized:
        _set_best_time(meeting, roster, ranked)
    notices.tell_deadline(meeting, ranked[:3], group)


def _group_at_deadline(meeting: Meeting, roster: Roster, now: datetime) -> groups.Group:
    """Return the people, without the times of their meetings.

    Nobody is asked whether people may be in two meetings at once, so they may not.
    """
    return groups.less_busy(
        groups.group_for(meeting, roster),
        queries.plans.busy_times(meeting.calendar, roster, after=now - limits.LONGEST_MEETING),
        before=meeting.buffer,
    )


def _ranked_for_owner(
    meeting: Meeting, group: groups.Group, now: datetime
) -> list[suggestions.Suggestion]:
    """Return the best starts, with reasons in the owner's language."""
    to_come = list(queries.meetings.suggestions_of(meeting).filter(suggested_time__gt=now))
    # The report quotes the reasons, and nobody's page is being looked at here.
    with translation.override(accounts.setting_of(meeting.calendar.owner).locale):
        return suggestions.rank(meeting, group, to_come, now=now, limit=3, with_names=True)


def _set_best_time(
    meeting: Meeting, roster: Roster, ranked: Sequence[suggestions.Suggestion]
) -> None:
    """Set the best time, if enough people can come. It lies within the meeting's bounds."""
    within = (each.outcome for each in ranked if bounds.allow(meeting, each.outcome.start))
    best = next(within, None)
    if best and _are_enough(meeting, best):
        before = notices.announcement_of(meeting, roster)
        meeting.final_time = best.start
        _save(meeting, roster, before, {"final_time": best.start})


def _are_enough(meeting: Meeting, outcome: outcomes.Outcome) -> bool:
    """Return whether enough people can come.

    With a quorum that many are enough, among them all named as required; without one, all who are
    required.
    """
    needs_all = meeting.quorum is None or not meeting.for_everyone
    if needs_all and (outcome.missing or any(person.required for person in outcome.unanswered)):
        return False
    return len(outcome.attending) >= (meeting.quorum or 1)


# What is checked ----------------------------------------------------------------------------------


def check_meeting(meeting: Meeting, *, new_deadline: bool) -> None:
    """Refuse what a meeting cannot be like. Its texts become as they are stored."""
    meeting.title = text.one_line(meeting.title, field="title", longest=limits.NAME)
    clean_texts(meeting)
    if meeting.duration_minutes is not None:
        check_duration(meeting.duration_minutes)
    if meeting.quorum is not None:
        limits.check_whole(meeting.quorum, limits.QUORUM, field="quorum")
    limits.check_whole(meeting.buffer_minutes, limits.BUFFER_MINUTES, field="buffer_minutes")
    check_moments(meeting, "deadline", "earliest", "latest", "final_time")
    if new_deadline and meeting.deadline <= clock.now():
        raise InvalidInput(_("The deadline must be in the future."), field="deadline")
    limits.check_bounds(meeting.earliest, meeting.latest)


def check_duration(minutes: int) -> None:
    if not limits.DURATION_MINUTES.has(minutes):
        raise InvalidInput(
            _("A meeting can last from 1 minute to %(n)d days.")
            % {"n": limits.LONGEST_MEETING.days},
            field="duration_minutes",
        )


def _cautions(meeting: Meeting, roster: Roster, by: User) -> list[Caution]:
    """Return what speaks against the final time."""
    assert meeting.final_time is not None
    group = groups.group_for(meeting, roster)
    return [
        *_about_time(meeting, meeting.final_time),
        *_about_answers(meeting, meeting.final_time, group, by),
        *_about_other_meetings(meeting, group, roster),
        *about_addresses(by, group.people),
    ]


def _about_time(meeting: Meeting, final_time: datetime) -> Iterator[Caution]:
    if final_time < clock.now():
        yield Caution("in_the_past", _("This time is in the past."), {})
    if not bounds.allow(meeting, final_time):
        yield Caution("outside_days", reasons.outside_bounds(), {})


def _about_answers(
    meeting: Meeting, final_time: datetime, group: groups.Group, by: User
) -> Iterator[Caution]:
    """Say who can't come, by name if `by` may know."""
    with_names = rules.may_see_windows_of_others(by, meeting.calendar)
    if not group.answered:
        yield Caution("nobody_answered", reasons.nobody_answered(), {})
    outcome = outcomes.outcomes_at(group, [final_time], meeting.duration)[0]
    if outcome.missing:
        yield _required_missing(outcome.missing, with_names=with_names)


def _required_missing(missing: Sequence[Person], *, with_names: bool) -> Caution:
    if with_names:
        names = ", ".join(person.name for person in missing[:5])
        said = ngettext(
            "%(names)s: required, but can’t come at this time.",
            "%(names)s: required, but can’t come at this time.",
            len(missing),
        )
        return Caution(
            "required_missing",
            said % {"names": names},
            {"users": [person.user_id for person in missing]},
        )
    sentence = ngettext(
        "%(n)d required person can’t come at this time.",
        "%(n)d required people can’t come at this time.",
        len(missing),
    )
    return Caution("required_missing", sentence % {"n": len(missing)}, {})


def _about_other_meetings(
    meeting: Meeting, group: groups.Group, roster: Roster
) -> Iterator[Caution]:
    """Say who is in another meeting, but not in which."""
    if busy := _double_booked(meeting, group.ids & roster.together):
        names = [person.name for person in group.people if person.user_id in busy]
        said = _("%(names)s: in another meeting at that time.") % {"names": ", ".join(names[:5])}
        yield Caution(DOUBLE_BOOKED, said, {"users": sorted(busy)})


def _count_double_booked(warnings: Iterable[Fields], *, by: User) -> None:
    """Count an answer that says who is in another meeting. TooMany after too many of them.

    Else one could learn, quarter of an hour by quarter of an hour, when somebody is in meetings.
    """
    if any(warning["code"] == DOUBLE_BOOKED for warning in warnings):
        rates.take("double_booked", by.pk)


def _double_booked(meeting: Meeting, users: Collection[int]) -> set[int]:
    """Return who of the users is in an overlapping meeting.

    It may be in any calendar in which they take part by their own doing.
    """
    start, end = meeting.final_time, meeting.end_time
    assert start is not None
    assert end is not None
    minutes = Coalesce(F("duration_minutes"), F("calendar__duration_minutes"))
    rows = (
        queries.meetings.with_attendees()
        .filter(final_time__lt=end, final_time__gt=start - limits.LONGEST_MEETING)
        .exclude(pk=meeting.pk)
        .filter(calendar__participants__user__in=users)
        .annotate(
            minutes=minutes,
            person=F("calendar__participants__user_id"),
            agreed_at=F("calendar__participants__agreed_at"),
        )
    )
    busy = set()
    for other in rows:
        assert other.final_time is not None
        if (
            other.final_time + timedelta(minutes=other.minutes) > start
            and other.person in users
            and (other.agreed_at is not None or other.calendar_id == meeting.calendar_id)
            and groups.is_for(other, other.person)
        ):
            busy.add(other.person)
    return busy


# Named attendees ----------------------------------------------------------------------------------


def _wanted(
    before: dict[int, bool], *, required: Sequence[int] | None, optional: Sequence[int] | None
) -> dict[int, bool]:
    """Return who is named after a change: required or not.

    A list that is None stays as it was; somebody in both lists is required.
    """
    kept = {user: must for user, must in before.items() if (required if must else optional) is None}
    return kept | dict.fromkeys(optional or (), False) | dict.fromkeys(required or (), True)


def name_attendees(meeting: Meeting, roster: Roster, named: dict[int, bool]) -> None:
    """Name the attendees on the meeting, not in the database.

    With nobody named it is for everyone.
    """
    if named and (unknown := named.keys() - roster.by_id.keys()):
        field = "required" if any(named[user] for user in unknown) else "optional"
        raise InvalidInput(_("Choose only people who are in this calendar."), field=field)
    meeting.for_everyone = not named
    marks = (f"{user}{'r' if must else 'o'}" for user, must in sorted(named.items()))
    meeting.attendee_marks = ",".join(marks)


def store_names(meetings: Iterable[Meeting]) -> None:
    """Store who is named on each of the meetings."""
    MeetingAttendee.objects.bulk_create(
        MeetingAttendee(meeting=meeting, user_id=user, required=must)
        for meeting in meetings
        for user, must in meeting.attendees.items()
    )


def _store_changed_names(meeting: Meeting, before: dict[int, bool]) -> None:
    now = meeting.attendees
    if gone := [user for user, must in before.items() if now.get(user) != must]:
        MeetingAttendee.objects.filter(meeting=meeting, user__in=gone).delete()
    new = {user: must for user, must in now.items() if before.get(user) != must}
    MeetingAttendee.objects.bulk_create(
        MeetingAttendee(meeting=meeting, user_id=user, required=must) for user, must in new.items()
    )
