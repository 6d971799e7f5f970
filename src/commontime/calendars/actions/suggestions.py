from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commontime.calendars import limits, queries, rules
from commontime.calendars.actions.checks import held, hold, require_running
from commontime.calendars.actions.taking_part import agree
from commontime.calendars.models import Meeting, ScheduleSuggestion
from commontime.core import clock, quotas
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound


@transaction.atomic
def suggest_time(meeting: Meeting, *, by: User, suggested_time: datetime) -> ScheduleSuggestion:
    """Suggest a start for a meeting that has none yet. After the deadline only the owner can."""
    now = clock.now()
    meeting, roster = held(meeting)
    if by.pk not in roster.by_id:
        raise NotFound(_(queries.path.NO_MEETING))
    require_running(meeting.calendar)
    if meeting.final_time is not None:
        raise Conflict(_("This meeting already has a confirmed time."), code="meeting_scheduled")
    if meeting.deadline <= now and not rules.may_manage(by, meeting.calendar):
        raise Conflict(
            _("The deadline has passed. Ask the organiser to move it."), code="deadline_passed"
        )
    limits.check_moment(suggested_time, field="suggested_time")
    if suggested_time <= now:
        raise InvalidInput(_("Suggest a time in the future."), field="suggested_time")
    quotas.require_room(
        "suggestions", ScheduleSuggestion.objects.filter(meeting=meeting, author=by)
    )
    suggestion = ScheduleSuggestion(meeting=meeting, author=by, suggested_time=suggested_time)
    try:
        suggestion.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            _("This time has already been suggested."), code="duplicate_suggestion"
        ) from None
    if not roster.by_id[by.pk].has_agreed:
        agree(meeting.calendar, by)
    return suggestion


@transaction.atomic
def withdraw_suggestion(suggestion: ScheduleSuggestion, *, by: User) -> None:
    hold(suggestion.meeting.calendar)
    if not rules.may_withdraw(by, suggestion):
        raise NotAllowed(
            _("Only the person who made a suggestion, or the organiser, can withdraw it.")
        )
    require_running(suggestion.meeting.calendar)
    if not ScheduleSuggestion.objects.filter(pk=suggestion.pk).delete()[0]:
        raise NotFound(_("This meeting has no such suggestion."))
