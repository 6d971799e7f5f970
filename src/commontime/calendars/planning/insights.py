"""What could change a meeting's best start: asks, two sessions, a plan B, missing answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from commontime.core.shapes import Fields

MOST_CELLS = 40_000_000  # segments times people; beyond it two sessions are not looked for
MOST_ASKED_FIRST = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """The fewest people to ask, and for which exact time.

    Then `start` suits all required people.

    own_short: how many minutes an owner who must come lacks even at best; if any, asking others
    can't help. first: people of whom each alone prevents starts, with how many, the most first.
    silent: required people who have not answered.
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
    """The two starts that together reach the most people.

    Only those who answered count. proved: no other two are better.
    """

    first: Outcome
    second: Outcome
    reached: list[Person]
    cannot: list[Person]
    proved: bool
    detail: str


@dataclass(frozen=True, slots=True)
class PlanB:
    """The best start that does not overlap the best one. overtakes: people of whom each, by
    cancelling, makes it the better one.
    """

    outcome: Outcome
    overtakes: list[Person]
    detail: str


@dataclass(frozen=True, slots=True)
class Decisive:
    """People of whom each could make another start the best by answering. start: one such start."""

    people: list[Person]
    start: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class Insights:
    """What could change a meeting's best start. no_sessions: why `sessions` is None."""

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
    def bounds(self) -> Fields:
        """Where the engine may look for what to ask."""
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
    """Return what there is to say about the best start.

    Without names, sentences hold numbers. How many minutes the owner lacks is said only to the
    owner, or with names.
    """
    if not group.answered:
        return None
    question = _question_of(meeting, group, now=now, with_names=with_names, align=align)
    profile = _profile_of(question, now)
    if profile is None:
        return None
    rule = engine.rule_for(meeting.quorum)
    leading = next(iter(engine.best(profile, 1, rule=rule, align=question.align)), None)
    if leading is None or not sum(leading.everyone[1:]):
        return None
    best = question.outcome(leading.start)
    return Insights(
        best,
        survived([best], meeting)[0],
        _why_not_better(best, meeting, group),
        _ask(question, asker),
        *_sessions(question, best, len(profile)),
        _plan_b(question, profile, leading, best),
        _decisive(question, profile),
    )


def _question_of(
    meeting: Meeting, group: Group, *, now: datetime, with_names: bool, align: int | None
) -> _Question:
    earliest, latest_end = bounds.known_ticks(meeting, group, now=now)
    # As far as _farthest looks for a next start.
    beyond = 2 * (minutes_of(meeting.duration) + (align or 0))
    marks = round_times(meeting.calendar, align, earliest, latest_end + beyond)
    return _Question(meeting, group, earliest, latest_end, marks, with_names)


def _profile_of(question: _Question, now: datetime) -> engine.Profile | None:
    farthest = _farthest(question, now)
    if farthest <= question.earliest:
        return None
    return engine.profile(
        question.group.free,
        question.duration,
        required=question.group.required,
        earliest=question.earliest,
        latest_end=farthest,
    )


def _farthest(question: _Question, now: datetime) -> int:
    """Return the last tick that missing answers can matter for.

    Where no end is set, somebody may still answer with a later time. Nobody else can come then, so
    one more start stands for all of these.
    """
    next_start = engine.marks_of(question.align).at_or_after(
        question.latest_end + question.duration
    )
    after = int(next_start) + question.duration
    _first, end = bounds.ticks(question.meeting, now=now)
    return after if end is None else min(after, end)


def _why_not_better(best: Outcome, meeting: Meeting, group: Group) -> str:
    """Name the first criterion that the best start falls short of, as all others do."""
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


def _ask(question: _Question, asker: int) -> Ask | None:
    """Return what to ask of others, for a start to which the owner can come.

    If there is no such start, it says so, and asks of everybody.
    """
    group, owner = question.group, question.meeting.calendar.owner_id
    place = _place_if_required(group, owner)
    short = _own_short(question, place)
    room = engine.smallest_ask(
        group.free,
        question.duration,
        required=group.required,
        never=None if short else place,
        **question.bounds,
    )
    if room is None or not group.required.any():
        return None
    ask = Ask(
        engine.moment_of(room.start),
        [
            (group.answered[each.who], engine.moment_of(each.start), engine.moment_of(each.end))
            for each in room.wanted
        ],
        short if question.with_names or asker == owner else 0,
        _asked_first(question),
        [person for person in group.silent if person.required],
    )
    another = group.answered[place].name if place is not None and asker != owner else ""
    return replace(ask, detail=_ask_in_words(ask, question.with_names, owner=another))


def _place_if_required(group: Group, user_id: int) -> int | None:
    place = group.places.get(user_id)
    return place if place is not None and group.required[place] else None


def _own_short(question: _Question, place: int | None) -> int:
    """Return how many minutes the owner lacks at the start where they lack the fewest."""
    if place is None:
        return 0
    free = question.group.free
    return engine.least_short(free, question.duration, place, **question.bounds) or 0


def _asked_first(question: _Question) -> list[tuple[Person, int]]:
    """Return people of whom each alone prevents starts, with how many, the most first."""
    group = question.group
    alone = engine.swing(group.free, question.duration, required=group.required, **question.bounds)
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


def _sessions(question: _Question, best: Outcome, segments: int) -> tuple[SessionPair | None, str]:
    """Return the two sessions, or why there are none."""
    group = question.group
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
        question.duration,
        required=group.required,
        earliest=question.earliest,
        latest_end=question.latest_end,
        align=question.align,
    )
    if pair is None:
        return None, _("No two sessions fit.")
    reached, cannot = question.people(pair.preferences >= 0), question.people(pair.preferences < 0)
    if len(reached) <= len(best.attending):
        return None, _("No two sessions reach more people than the best time alone.")
    said = _sessions_in_words(question, reached, cannot, is_proved=pair.proved)
    return SessionPair(
        question.outcome(pair.first),
        question.outcome(pair.second),
        reached,
        cannot,
        pair.proved,
        said,
    ), ""


def _sessions_in_words(
    question: _Question, reached: Sequence[Person], cannot: Sequence[Person], *, is_proved: bool
) -> str:
    if not cannot:
        sentences = [_("Two sessions reach everybody who answered.")]
    else:
        reach = _("Two sessions reach %(n)d of the %(all)d people who answered.")
        sentences = [reach % {"n": len(reached), "all": len(question.group.answered)}]
    if cannot and question.with_names:
        neither = ngettext(
            "%(names)s can’t come to either.", "%(names)s can’t come to either.", len(cannot)
        )
        sentences.append(neither % {"names": names_of(cannot)})
    if not is_proved:
        sentences.append(_("There may be a better pair."))
    return " ".join(sentences)


def _plan_b(
    question: _Question, profile: engine.Profile, leading: engine.Slot, best: Outcome
) -> PlanB | None:
    rule, group = engine.rule_for(question.meeting.quorum), question.group
    slot = engine.plan_b(profile, leading, rule=rule, align=question.align)
    if slot is None or not sum(slot.everyone[1:]):
        return None
    overtakes = question.people(
        engine.overtaken(profile, leading, slot, best.row, required=group.required, rule=rule)
    )
    said = _plan_b_in_words(overtakes, with_names=question.with_names)
    return PlanB(question.outcome(slot.start), overtakes, said)


def _plan_b_in_words(overtakes: Sequence[Person], *, with_names: bool) -> str:
    n = len(overtakes)
    if not n:
        return _("No single person dropping out would change the best time.")
    if with_names:
        return _("If %(names)s drops out, this one is better.") % {"names": _one_of(overtakes)}
    sentence = ngettext(
        "If one particular person drops out, this one is better.",
        "If any one of %(n)d people drops out, this one is better.",
        n,
    )
    return sentence % {"n": n}


def _decisive(question: _Question, profile: engine.Profile) -> Decisive:
    """Return whose missing answer alone could change the best start.

    Required people without an answer are all alike in this, and so are optional ones.
    """
    silent = question.group.silent
    could = {
        must: engine.could_win(
            profile,
            required=must,
            rule=engine.rule_for(question.meeting.quorum),
            align=question.align,
        )
        for must in {person.required for person in silent}
    }
    people = [person for person in silent if could[person.required]]
    slot = could.get(True) or could.get(False)
    said = (
        _decisive_in_words(people, with_names=question.with_names)
        if silent
        else _("Everybody has answered.")
    )
    return Decisive(people, engine.moment_of(slot.start) if slot else None, said)


def _decisive_in_words(people: Sequence[Person], *, with_names: bool) -> str:
    n = len(people)
    if not n:
        return _("None of the missing answers could change the best time on its own.")
    if with_names:
        sentence = _("%(names)s could still change the best time by answering.")
        return sentence % {"names": _one_of(people)}
    sentence = ngettext(
        "One person could still change the best time by answering.",
        "Any one of %(n)d people could still change the best time by answering.",
        n,
    )
    return sentence % {"n": n}


def _one_of(people: Sequence[Person]) -> str:
    """Name people of whom any one is meant."""
    names = [person.name for person in people[:5]]
    if len(people) > 5:
        n = len(people) - 5
        names.append(ngettext("%(n)d other person", "one of %(n)d others", n) % {"n": n})
    return (
        names[0]
        if len(names) == 1
        else _("%(names)s or %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
    )
