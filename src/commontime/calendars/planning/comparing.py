"""What each start of a list loses against the best one, and how its rank may change."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime import engine
from commontime.calendars.models import Meeting
from commontime.calendars.planning.groups import Group, minutes_of
from commontime.calendars.planning.outcomes import Outcome
from commontime.calendars.planning.words import names_of


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a start stands beside the others of its list.

    optimistic_rank, pessimistic_rank: its place if all who have not answered come to it, ideally,
    and to no other; and if they come to all others and not to it. survives: how many people may
    cancel; see `spare_of`. loses_against_best, still_works: both in words; the former is empty for
    the best one, the latter if nobody may cancel.
    """

    optimistic_rank: int
    pessimistic_rank: int
    survives: int
    loses_against_best: str
    still_works: str


def keys_of(outcomes: Sequence[Outcome], group: Group, meeting: Meeting) -> list[tuple[int, ...]]:
    """Return what the engine ranks each start by. The larger key is the better start."""
    if not outcomes:
        return []
    return engine.keys(_profile_of(outcomes, group, meeting), engine.rule_for(meeting.quorum))


def are_as_good(outcomes: Sequence[Outcome], group: Group, meeting: Meeting) -> bool:
    """Return whether starts rank alike, but for which is the earliest."""
    return len(set(keys_of(outcomes, group, meeting))) <= 1


def best_first(outcomes: Sequence[Outcome], group: Group, meeting: Meeting) -> list[Outcome]:
    """Sort starts as the engine ranks them. Of equal ones the earlier comes first."""
    earliest_first = sorted(outcomes, key=lambda outcome: outcome.start)
    keys = keys_of(earliest_first, group, meeting)
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=True)  # and it is stable
    return [earliest_first[place] for place in order]


def _profile_of(outcomes: Sequence[Outcome], group: Group, meeting: Meeting) -> engine.Profile:
    rows = np.stack([outcome.row for outcome in outcomes])
    return engine.profile_of_rows(rows, group.required, minutes_of(meeting.duration))


def _counts_all(meeting: Meeting) -> bool:
    """Return whether only the number of people counts."""
    return bool(meeting.quorum) and meeting.for_everyone


def spare_of(outcome: Outcome, meeting: Meeting) -> int:
    """Return how many of those attending may drop out.

    With a quorum and no named attendees that is anybody; else only optional people.
    """
    if _counts_all(meeting):
        return len(outcome.attending)
    return sum(not person.required for person in outcome.attending)


def survived(outcomes: Sequence[Outcome], meeting: Meeting) -> list[int]:
    """Return for each start how many people may drop out, whoever they are, before it fails."""
    attending = np.array([len(outcome.attending) for outcome in outcomes], np.int64)
    spare = np.array([spare_of(outcome, meeting) for outcome in outcomes], np.int64)
    return list(engine.survives(attending, spare, meeting.quorum or 0).tolist())


def compare(
    outcomes: Sequence[Outcome], group: Group, meeting: Meeting, *, with_names: bool
) -> list[Comparison]:
    """Compare starts, the best one first."""
    if not outcomes:
        return []
    best, worst = _rank_ranges(outcomes, group, meeting)
    lost = _lost_in_words(outcomes, group, with_names=with_names)
    survives = survived(outcomes, meeting)
    works = [_still_works(n, meeting) for n in survives]
    return [Comparison(*fields) for fields in zip(best, worst, survives, lost, works, strict=True)]


def _lost_in_words(outcomes: Sequence[Outcome], group: Group, *, with_names: bool) -> list[str]:
    """Say what each start loses; the best one loses nothing."""
    rows = np.stack([outcome.row for outcome in outcomes])
    losses = engine.losses(outcomes[0].row, rows, group.required)
    return ["", *(_against_best(loss, group, with_names=with_names) for loss in losses[1:])]


def _still_works(n: int, meeting: Meeting) -> str:
    if not n:
        return ""
    if _counts_all(meeting):
        text = ngettext(
            "Still works if %(n)d person drops out.",
            "Still works if up to %(n)d people drop out.",
            n,
        )
    else:
        text = ngettext(
            "Still works if %(n)d optional person drops out.",
            "Still works if up to %(n)d optional people drop out.",
            n,
        )
    return text % {"n": n}


def _rank_ranges(
    outcomes: Sequence[Outcome], group: Group, meeting: Meeting
) -> tuple[list[int], list[int]]:
    order = sorted(range(len(outcomes)), key=lambda place: outcomes[place].start)
    profile = _profile_of([outcomes[place] for place in order], group, meeting)
    silent = sum(person.required for person in group.silent)
    ranges = engine.rank_range(
        profile,
        required=silent,
        optional=len(group.silent) - silent,
        rule=engine.rule_for(meeting.quorum),
    )
    best, worst = (np.empty(len(outcomes), np.int64) for _ in ranges)
    best[order], worst[order] = ranges
    return best.tolist(), worst.tolist()


def _against_best(loss: engine.Loss, group: Group, *, with_names: bool) -> str:
    """Say what a start loses against the best one.

    Everybody who can't come any more, and of the rest what decides.
    """
    parts = _people_lost(loss, group) if with_names else _numbers_lost(loss)
    if loss.if_need_be > 0:
        more = ngettext("%(n)d more only if need be", "%(n)d more only if need be", loss.if_need_be)
        parts.append(more % {"n": loss.if_need_be})
    if not (loss.missing or loss.cannot or loss.if_need_be):
        parts.append(_popularity_lost(loss))
    return said_of(parts)


def said_of(parts: Sequence[str]) -> str:
    said, *others = parts
    for part in others:
        said = _("%(said)s; %(more)s") % {"said": said, "more": part}
    return _("Compared with the best time: %(parts)s.") % {"parts": said}


def _people_lost(loss: engine.Loss, group: Group) -> list[str]:
    parts = []
    if lost := [group.answered[place] for place in (*loss.required, *loss.optional)]:
        cannot = ngettext("%(names)s can’t come", "%(names)s can’t come", len(lost))
        parts.append(cannot % {"names": names_of(lost)})
    if gained := [group.answered[place] for place in loss.gained]:
        can = ngettext("%(names)s can, though", "%(names)s can, though", len(gained))
        parts.append(can % {"names": names_of(gained)})
    return parts


def _numbers_lost(loss: engine.Loss) -> list[str]:
    parts = []
    required, optional = loss.missing, loss.cannot - loss.missing
    if required > 0:
        cannot = ngettext(
            "%(n)d more required person can’t come",
            "%(n)d more required people can’t come",
            required,
        )
        parts.append(cannot % {"n": required})
    if optional > 0:
        cannot = ngettext(
            "%(n)d more optional person can’t come",
            "%(n)d more optional people can’t come",
            optional,
        )
        parts.append(cannot % {"n": optional})
    return parts


def _popularity_lost(loss: engine.Loss) -> str:
    if loss.works > 0:
        fewer = ngettext("ideal for %(n)d fewer", "ideal for %(n)d fewer", loss.works)
        return fewer % {"n": loss.works}
    return _("slightly less popular") if loss.preference > 0 else _("just as good, only later")
