"""Find the times a group has in common.

Pure functions over arrays, in ticks: whole minutes since 1970-01-01T00:00Z. Only the names listed
here are used outside of this room.
"""

from .against import Loss, losses
from .ask import least_short, smallest_ask
from .assign import pair_up
from .explain import NearMiss, attendance, near_misses, preferences
from .joint import plan
from .ledger import ledger
from .marks import Marks, TooManyStartsError, marks, marks_of
from .meetings import Meeting, Plan, Value
from .profile import Profile, profile, profile_of_rows
from .rank import (
    Slot,
    best,
    keys,
    rule_for,
)
from .robust import overtaken, plan_b, survives
from .room import Need, room_for
from .sessions import two_sessions
from .swing import swing
from .ticks import end_tick, moment_of, moments_of, start_tick
from .unanswered import could_win, rank_range
from .windows import (
    Busy,
    Windows,
    from_arrays,
    levels,
    windows,
    without,
)

__all__ = [
    "Busy",
    "Loss",
    "Marks",
    "Meeting",
    "NearMiss",
    "Need",
    "Plan",
    "Profile",
    "Slot",
    "TooManyStartsError",
    "Value",
    "Windows",
    "attendance",
    "best",
    "could_win",
    "end_tick",
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
    "preferences",
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
]
