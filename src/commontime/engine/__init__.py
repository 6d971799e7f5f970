"""The engine: when can a group meet? Pure functions over arrays, in ticks: whole minutes since
1970-01-01T00:00Z.
"""

from .against import Loss, losses
from .ask import least_short, smallest_ask
from .assign import Pairing, Slots, cut, pair_up
from .explain import NearMiss, attendance, near_misses, preferences
from .joint import plan
from .ledger import Ledger, ledger
from .marks import Align, Marks, TooManyStartsError, marks, marks_of
from .meetings import Meeting, Plan, Value, Why
from .profile import Profile, profile, profile_of_rows
from .rank import (
    FAIR,
    KIND,
    MOST,
    Rule,
    Slot,
    at_least,
    attending,
    best,
    enough,
    fewest,
    keys,
    preference,
    present,
    rule_for,
    worst,
)
from .robust import away_from, overtaken, plan_b, survives
from .room import Room, Wanted, room_for
from .sessions import Sessions, two_sessions
from .swing import swing
from .ticks import end_tick, moment_of, moments_of, start_tick
from .unanswered import could_win, rank_range
from .windows import (
    BEST_PREFERENCE,
    CANNOT,
    IDEAL,
    IF_NEED_BE,
    WORKS,
    Busy,
    Windows,
    from_arrays,
    levels,
    windows,
    without,
)

__all__ = [
    "BEST_PREFERENCE",
    "CANNOT",
    "FAIR",
    "IDEAL",
    "IF_NEED_BE",
    "KIND",
    "MOST",
    "WORKS",
    "Align",
    "Busy",
    "Ledger",
    "Loss",
    "Marks",
    "Meeting",
    "NearMiss",
    "Pairing",
    "Plan",
    "Profile",
    "Room",
    "Rule",
    "Sessions",
    "Slot",
    "Slots",
    "TooManyStartsError",
    "Value",
    "Wanted",
    "Why",
    "Windows",
    "at_least",
    "attendance",
    "attending",
    "away_from",
    "best",
    "could_win",
    "cut",
    "end_tick",
    "enough",
    "fewest",
    "from_arrays",
    "keys",
    "least_short",
    "ledger",
    "levels",
    "losses",
    "marks",
    "marks_of",
    "moment_of",
    "moments_of",
    "near_misses",
    "overtaken",
    "pair_up",
    "plan",
    "plan_b",
    "preference",
    "preferences",
    "present",
    "profile",
    "profile_of_rows",
    "rank_range",
    "room_for",
    "rule_for",
    "smallest_ask",
    "start_tick",
    "survives",
    "swing",
    "two_sessions",
    "windows",
    "without",
    "worst",
]
