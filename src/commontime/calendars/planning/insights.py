"""What could change a meeting's best start: asks, two sessions, a plan B, missing answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime import engine
from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds
from commontime.calendars.planning.comparing import survived
from commontime.calendars.planning.groups import Group, minutes_of
from commontime.calendars.planning.outcomes import Outcome, outcomes_at
from commontime.calendars.planning.round_times import round_times
from commontime.calendars.planning.words import names_of
from commontime.calendars.queries.people import Person
from commontime.core import clock

MOST_CELLS = 40_000_000  # segments times people; beyond it two sessions are not looked for
MOST_ASKED_FIRST = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """The fewest people to ask, and for which exact time, so that `start` suits all required
    people.

    own_short: the minutes that a required owner lacks at best; then asking others can't help.
    first: who alone is in the way of how many starts, the most first. silent: required people who
    have not answered.
    """

    start: datetime
    wanted: list[tuple[Person, datetime, datetime]]
    own_short: int
    first: list[tuple[Person, int]]
    silent: list[Person]
    detail: str = ""

    @property
    def minutes(self) -> int:
        return sum(minutes_of(end - start) for _who, start, end in self.wanted)

    @property
    def people(self) -> list[Person]:
        return list(dict.fromkeys(person for person, *_times in self.wanted))


@dataclass(frozen=True, slots=True)
class SessionPair:
    """The two starts that together reach the most of those who answered. proved: no other two are
    better.
    """

    first: Outcome
    second: Outcome
    reached: list[Person]
    cannot: list[Person]
    proved: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PlanB:
    """The best start apart from the best one. overtakes: whose cancellation alone makes it the
    better one.
    """

    outcome: Outcome
    overtakes: list[Person]
    detail: str


@dataclass(frozen=True, slots=True)
class Decisive:
    """Who has not answered and could alone make another start, such as this one, the best."""

    people: list[Person]
    start: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class Insights:
    """no_sessions: why there are no two sessions to tell of, if there are none."""

    best: Outcome
    survives: int
    why_not_better: str
    ask: Ask | None
    sessions: SessionPair | None
    no_sessions: str
    plan_b: PlanB | None
    decisive: Decisive


@dataclass(frozen=True, slots=True)
class _Question:
    meeting: Meeting
    group: Group
    earliest: int
    latest_end: int
    align: engine.Marks | None
    with_names: bool

    @property
    def duration(self) -> int:
        return minutes_of(self.meeting.duration)

    @property
    def bounds(self) -> dict[str, Any]:
        """Where the engine may look for what to ask of people."""
        return {
            "earliest": self.earliest,
            "latest_end": self.latest_end,
            "align": self.align,
            "busy": self.group.elsewhere,
        }

    def outcome(self, start: int) -> Outcome:
        return outcomes_at(self.group, [engine.moment_of(start)], self.meeting.duration)[0]

    def people(self, mask: np.ndarray) -> list[Person]:
        return [self.group.answered[place] for place in np.flatnonzero(mask).tolist()]


def insights_for(
    meeting: Meeting,
    group: Group,
    *,
    now: datetime,
    with_names: bool,
    asker: int,
    align: int | None = None,
) -> Insights | None:
    """Return what there is to say about the best start, or None if there is none.

    Without names, sentences hold numbers. What the owner's own time lacks is said only to
    themselves, or with names.
    """
    if not group.answered:
        return None
    earliest, latest_end = bounds.known_ticks(meeting, group, now=now)
    beyond = 2 * (minutes_of(meeting.duration) + (align or 0))
    marks = round_times(meeting.calendar, align, earliest, latest_end + beyond)
    asked = _Question(meeting, group, earliest, latest_end, marks, with_names)
    # Who has not answered may offer time beyond all that is known, if the meeting has no end: one
    # start more that nobody else can come to.
    after = int(engine.marks_of(marks).at_or_after(latest_end + asked.duration)) + asked.duration
    _first, end = bounds.ticks(meeting, now=now)
    farthest = after if end is None else min(after, end)
    if farthest <= earliest:
        return None
    rule = engine.rule_for(meeting.quorum)
    profile = engine.profile(
        group.free, asked.duration, required=group.required, earliest=earliest, latest_end=farthest
    )
    leading = next(iter(engine.best(profile, 1, rule=rule, align=marks)), None)
    if leading is None or not sum(leading.everyone[1:]):
        return None
    best = asked.outcome(leading.start)
    return Insights(
        best,
        survived([best], meeting)[0],
        _why_not_better(best, meeting, group),
        _ask(asked, asker),
        *_sessions(asked, best, len(profile)),
        _plan_b(asked, profile, leading, best),
        _decisive(asked, profile),
    )


def _why_not_better(best: Outcome, meeting: Meeting, group: Group) -> str:
    """Say in which of the criteria, in their order, no start does better."""
    short = (meeting.quorum or 0) - len(best.attending)
    if short > 0:
        return _("There is no time when %(n)d people can come.") % {"n": meeting.quorum}
    if best.missing:
        wanted = _(" with enough people") if meeting.quorum else ""
        return ngettext(
            "At any time%(wanted)s, at least %(n)d required person can’t come.",
            "At any time%(wanted)s, at least %(n)d required people can’t come.",
            len(best.missing),
        ) % {"n": len(best.missing), "wanted": wanted}
    if best.cannot:
        return _no_time_suits_more(best, group)
    if best.if_need_be:
        return ngettext(
            "At every time that suits everybody, at least %(n)d person can come only if need be.",
            "At every time that suits everybody, at least %(n)d people can come only if need be.",
            len(best.if_need_be),
        ) % {"n": len(best.if_need_be)}
    if best.works:
        return ngettext(
            "Every time that works for everybody is less than ideal for at least %(n)d person.",
            "Every time that works for everybody is less than ideal for at least %(n)d people.",
            len(best.works),
        ) % {"n": len(best.works)}
    return _("It can’t get better: this time is ideal for everybody who answered.")


def _no_time_suits_more(best: Outcome, group: Group) -> str:
    n = len(best.attending)
    if not group.required.any():
        sentence = ngettext(
            "No time suits more than %(n)d person.", "No time suits more than %(n)d people.", n
        )
    else:
        sentence = ngettext(
            "Of the times that suit everybody required, none suits more than %(n)d person.",
            "Of the times that suit everybody required, none suits more than %(n)d people.",
            n,
        )
    return sentence % {"n": n}


def _ask(asked: _Question, asker: int) -> Ask | None:
    """Ask others where the owner can come.

    If the owner can come nowhere, say so, and what all would need to offer.
    """
    group, owner = asked.group, asked.meeting.calendar.owner_id
    place = group.places.get(owner)
    if place is not None and not group.required[place]:
        place = None
    short = 0
    if place is not None:
        short = engine.least_short(group.free, asked.duration, place, **asked.bounds) or 0
    never = None if short else place
    room = engine.smallest_ask(
        group.free, asked.duration, required=group.required, never=never, **asked.bounds
    )
    if room is None or not group.required.any():
        return None
    ask = Ask(
        engine.moment_of(room.start),
        [
            (group.answered[each.who], engine.moment_of(each.start), engine.moment_of(each.end))
            for each in room.wanted
        ],
        short if asked.with_names or asker == owner else 0,
        _asked_first(asked),
        [person for person in group.silent if person.required],
    )
    another = group.answered[place].name if place is not None and asker != owner else ""
    return replace(ask, detail=_ask_in_words(ask, asked.with_names, owner=another))


def _asked_first(asked: _Question) -> list[tuple[Person, int]]:
    """Return who alone stands in the way of how many starts, the most first."""
    group = asked.group
    alone = engine.swing(group.free, asked.duration, required=group.required, **asked.bounds)
    order = np.argsort(-alone, kind="stable")[:MOST_ASKED_FIRST]
    return [(group.answered[who], int(alone[who])) for who in order.tolist() if alone[who]]


def _ask_in_words(ask: Ask, with_names: bool, *, owner: str) -> str:
    if ask.own_short and owner:
        said = _(
            "Even at best, %(name)s, the organiser, is %(short)s short, so asking others won’t "
            "help."
        )
        return said % {"short": clock.length(timedelta(minutes=ask.own_short)), "name": owner}
    if ask.own_short:
        said = _("Even at best, you’re %(short)s short yourself, so asking others won’t help.")
        return said % {"short": clock.length(timedelta(minutes=ask.own_short))}
    if not ask.wanted:
        return _("Everybody required who answered can come then, so there’s nothing to ask for.")
    people = ask.people
    who = (
        names_of(people)
        if with_names
        else ngettext("%(n)d required person", "%(n)d required people", len(people))
        % {"n": len(people)}
    )
    said = (
        _("%(who)s would need to free up %(more)s.")
        if len(people) == 1
        else _("%(who)s would need to free up %(more)s between them.")
    )
    return said % {"who": who, "more": clock.length(timedelta(minutes=ask.minutes))}


def _sessions(asked: _Question, best: Outcome, segments: int) -> tuple[SessionPair | None, str]:
    """Return the two sessions, or why there are none to tell of."""
    group = asked.group
    if not best.cannot:
        return None, _(
            "Everybody who answered can come at the best time, so one session is enough."
        )
    if segments * len(group.answered) > MOST_CELLS:
        return None, _(
            "There are too many people and times to search for two sessions. Narrow the dates and "
            "try again."
        )
    pair = engine.two_sessions(
        group.free,
        asked.duration,
        required=group.required,
        earliest=asked.earliest,
        latest_end=asked.latest_end,
        align=asked.align,
    )
    if pair is None:
        return None, _("No two sessions fit.")
    reached, cannot = asked.people(pair.preferences >= 0), asked.people(pair.preferences < 0)
    if len(reached) <= len(best.attending):
        return None, _("No two sessions reach more people than the best time alone.")
    said = _sessions_in_words(asked, reached, cannot, is_proved=pair.proved)
    return SessionPair(
        asked.outcome(pair.first), asked.outcome(pair.second), reached, cannot, pair.proved, said
    ), ""


def _sessions_in_words(
    asked: _Question, reached: Sequence[Person], cannot: Sequence[Person], *, is_proved: bool
) -> str:
    if not cannot:
        sentences = [_("Two sessions reach everybody who answered.")]
    else:
        reach = _("Two sessions reach %(n)d of the %(all)d people who answered.")
        sentences = [reach % {"n": len(reached), "all": len(asked.group.answered)}]
    if cannot and asked.with_names:
        neither = ngettext(
            "%(names)s can’t come to either.", "%(names)s can’t come to either.", len(cannot)
        )
        sentences.append(neither % {"names": names_of(cannot)})
    if not is_proved:
        sentences.append(_("There may be a better pair."))
    return " ".join(sentences)


def _plan_b(
    asked: _Question, profile: engine.Profile, leading: engine.Slot, best: Outcome
) -> PlanB | None:
    rule, group = engine.rule_for(asked.meeting.quorum), asked.group
    slot = engine.plan_b(profile, leading, rule=rule, align=asked.align)
    if slot is None or not sum(slot.everyone[1:]):
        return None
    overtakes = asked.people(
        engine.overtaken(profile, leading, slot, best.row, required=group.required, rule=rule)
    )
    if not overtakes:
        said = _("No single person dropping out would change the best time.")
    elif asked.with_names:
        said = _("If %(names)s drops out, this one is better.") % {"names": _one_of(overtakes)}
    else:
        said = ngettext(
            "If one particular person drops out, this one is better.",
            "If any one of %(n)d people drops out, this one is better.",
            len(overtakes),
        ) % {"n": len(overtakes)}
    return PlanB(asked.outcome(slot.start), overtakes, said)


def _decisive(asked: _Question, profile: engine.Profile) -> Decisive:
    """Return whose missing answer alone could change the best start.

    All silent required people can change as much as each other, and so can all silent optional
    ones.
    """
    silent = asked.group.silent
    could = {
        must: engine.could_win(
            profile, required=must, rule=engine.rule_for(asked.meeting.quorum), align=asked.align
        )
        for must in {person.required for person in silent}
    }
    people = [person for person in silent if could[person.required]]
    slot = could.get(True) or could.get(False)
    if not silent:
        said = _("Everybody has answered.")
    elif not people:
        said = _("None of the missing answers could change the best time on its own.")
    elif asked.with_names:
        said = _("%(names)s could still change the best time by answering.") % {
            "names": _one_of(people)
        }
    else:
        said = ngettext(
            "One person could still change the best time by answering.",
            "Any one of %(n)d people could still change the best time by answering.",
            len(people),
        ) % {"n": len(people)}
    return Decisive(people, engine.moment_of(slot.start) if slot else None, said)


def _one_of(people: Sequence[Person]) -> str:
    """Name people of whom each alone is meant."""
    names = [person.name for person in people[:5]]
    if len(people) > 5:
        names.append(_("one of %(n)d others") % {"n": len(people) - 5})
    return (
        names[0]
        if len(names) == 1
        else _("%(names)s or %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
    )
