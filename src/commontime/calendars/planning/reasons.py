"""Why a start has its rank, in sentences."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime import engine
from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds
from commontime.calendars.planning.groups import Group, minutes_of
from commontime.calendars.planning.outcomes import Outcome, span
from commontime.calendars.planning.round_times import round_times
from commontime.calendars.planning.words import names_of
from commontime.calendars.queries.people import Person
from commontime.core import clock

MOST_MISSING = 5  # required people, each with a sentence of their own


def reasons_for(outcome: Outcome, group: Group, meeting: Meeting, *, with_names: bool) -> list[str]:
    """Say why a start has its rank, from the same lists as the rank.

    The first sentence counts who can come. Without names, the sentences hold numbers only.
    """
    return [
        *_about_people(outcome, group, meeting, with_names=with_names),
        *([] if bounds.allow(meeting, outcome.start) else [outside_bounds()]),
    ]


def _about_people(
    outcome: Outcome, group: Group, meeting: Meeting, *, with_names: bool
) -> list[str]:
    if not group.answered:
        return [nobody_answered()]
    elsewhere = _elsewhere(outcome, group, meeting)
    if not with_names and len(elsewhere) == len(group.answered):
        return [_("Somebody required is in another meeting at that time.")]
    return [
        _who_can(outcome, group),
        *_who_has_not_answered(outcome),
        *(
            _who_cannot(outcome, group, meeting, elsewhere)
            if with_names
            else _how_many_cannot(outcome)
        ),
        *_only_if_need_be(outcome, with_names=with_names),
        *_short_of_quorum(outcome, meeting),
    ]


def _elsewhere(outcome: Outcome, group: Group, meeting: Meeting) -> list[Person]:
    """Return who can't come because of another meeting."""
    if not group.busy:
        return []
    start, length = span(outcome.start, meeting.duration)
    return [
        person
        for person in outcome.cannot
        if group.is_elsewhere(person.user_id, start, start + length)
    ]


def _only_if_need_be(outcome: Outcome, *, with_names: bool) -> list[str]:
    people = outcome.if_need_be
    if not people:
        return []
    who = names_of(people) if with_names else str(len(people))
    return [_("Only if need be: %(who)s.") % {"who": who}]


def _short_of_quorum(outcome: Outcome, meeting: Meeting) -> list[str]:
    short = (meeting.quorum or 0) - len(outcome.attending)
    if short <= 0:
        return []
    sentence = _("%(n)d short of the %(wanted)d needed.")
    return [sentence % {"n": short, "wanted": meeting.quorum}]


def no_times_yet(group: Group) -> str:
    """Say why no start can be suggested yet."""
    if not group.answered:
        return nobody_answered()
    return _("No time fits yet. The best times appear here as more people answer.")


def outside_bounds() -> str:
    return _("This time is outside the times set for this meeting and its calendar.")


def answers_are_hidden() -> str:
    return _(
        "This calendar shows only how many people can come. With so few answers, this would reveal "
        "what each person said."
    )


def nobody_answered() -> str:
    return _("Nobody has answered yet.")


def _who_can(outcome: Outcome, group: Group) -> str:
    """Count who can come, of all people. Pages and mails count so too."""
    can, answered = len(outcome.attending), len(group.answered)
    if can == answered:
        return _all_who_answered(answered)
    must = sum(person.required for person in group.answered)
    if must and not outcome.missing:
        return _all_required(must) % {"n": must, "can": can, "all": len(group.people)}
    if not can:
        return _("Nobody who answered can come.")
    return ngettext("%(can)d of %(all)d can come.", "%(can)d of %(all)d can come.", can) % {
        "can": can,
        "all": len(group.people),
    }


def _all_who_answered(n: int) -> str:
    if n == 2:
        return _("Both people who answered can come.")
    everybody = ngettext(
        "The only person who answered can come.", "All %(n)d people who answered can come.", n
    )
    return everybody % {"n": n}


def _all_required(n: int) -> str:
    if n == 2:
        return _("Both required people can come; %(can)d of %(all)d in all.")
    return ngettext(
        "The only required person can come; %(can)d of %(all)d in all.",
        "All %(n)d required people can come; %(can)d of %(all)d in all.",
        n,
    )


def _who_has_not_answered(outcome: Outcome) -> list[str]:
    silent = len(outcome.unanswered)
    if not silent:
        return []
    return [
        ngettext("%(n)d hasn’t answered yet.", "%(n)d haven’t answered yet.", silent)
        % {"n": silent}
    ]


def _who_cannot(
    outcome: Outcome, group: Group, meeting: Meeting, elsewhere: Sequence[Person]
) -> list[str]:
    """Name who can't come.

    Required people with what they lack, then busy people, then optional people.
    """
    sentences = []
    if outcome.missing:
        missing = [person for person in outcome.missing if person not in elsewhere]
        sentences += _what_they_lack(missing[:MOST_MISSING], outcome, group, meeting)
    if elsewhere:
        in_another = _("%(names)s: in another meeting at that time.")
        sentences.append(in_another % {"names": names_of(elsewhere)})
    optional = [
        person for person in outcome.cannot if not person.required and person not in elsewhere
    ]
    if optional:
        cannot = ngettext("%(names)s can’t come.", "%(names)s can’t come.", len(optional))
        sentences.append(cannot % {"names": names_of(optional)})
    return sentences


def _what_they_lack(
    required: Sequence[Person], outcome: Outcome, group: Group, meeting: Meeting
) -> list[str]:
    length = span(outcome.start, meeting.duration)[1]
    short = minutes_short(group, outcome, meeting.duration)
    return [_required_and_away(person, short[person.user_id], length) for person in required]


def _how_many_cannot(outcome: Outcome) -> list[str]:
    sentences = []
    missing = len(outcome.missing)
    optional = len(outcome.cannot) - missing
    if missing:
        sentences.append(
            ngettext(
                "%(n)d required person can’t come.", "%(n)d required people can’t come.", missing
            )
            % {"n": missing}
        )
    if optional:
        sentences.append(
            ngettext(
                "%(n)d optional person can’t come.", "%(n)d optional people can’t come.", optional
            )
            % {"n": optional}
        )
    return sentences


def _required_and_away(person: Person, short: int, length: int) -> str:
    if short == length:
        return _("%(name)s is required but can’t come.") % {"name": person.name}
    sentence = _("%(name)s is required but would miss %(short)s.")
    return sentence % {"name": person.name, "short": _minutes(short)}


def near_miss(
    best: Outcome, group: Group, meeting: Meeting, where: tuple[int, int], align: int | None
) -> list[str]:
    """Say which start nearly suits all required people. Nothing if it is the best one."""
    earliest, latest_end = where
    room = engine.smallest_ask(
        group.free,
        minutes_of(meeting.duration),
        required=group.required,
        earliest=earliest,
        latest_end=latest_end,
        align=round_times(meeting.calendar, align, earliest, latest_end),
        busy=group.elsewhere,
    )
    short = sum(wanted.end - wanted.start for wanted in room.wanted) if room else 0
    if not room or not 0 < short < sum(minutes_short(group, best, meeting.duration).values()):
        return []
    who = [group.answered[place] for place in dict.fromkeys(wanted.who for wanted in room.wanted)]
    return [_if_it_starts(engine.moment_of(room.start) - best.start, _would_need(who, short))]


def _would_need(who: Sequence[Person], short: int) -> str:
    clause = (
        _("%(names)s would need only %(short)s more")
        if len(who) == 1
        else _("%(names)s would need only %(short)s more between them")
    )
    return clause % {"names": names_of(who), "short": _minutes(short)}


def _if_it_starts(later: timedelta, clause: str) -> str:
    sentence = (
        _("If it starts %(length)s later, %(names)s.")
        if later > timedelta(0)
        else _("If it starts %(length)s earlier, %(names)s.")
    )
    return sentence % {"length": clock.length(abs(later)), "names": clause}


def _minutes(n: int) -> str:
    return clock.length(timedelta(minutes=n))


def minutes_short(group: Group, outcome: Outcome, duration: timedelta) -> dict[int, int]:
    """Return how many minutes each missing person lacks.

    By user id: minutes of the meeting that they did not offer.
    """
    start, length = span(outcome.start, duration)
    covered = np.clip(
        np.minimum(group.free.end, start + length) - np.maximum(group.free.start, start), 0, None
    )
    offered = np.bincount(group.free.who, covered, minlength=len(group.answered)).astype(int)
    return {
        person.user_id: length - int(offered[group.places[person.user_id]])
        for person in outcome.missing
    }
