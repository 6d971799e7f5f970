"""The engine: when can a group meet? Pure functions over arrays, in ticks: whole minutes since 1970-01-01T00:00Z."""

from .assign import Pairing, Slots, cut, pair_up
from .explain import NearMiss, attendance, near_misses, preferences
from .joint import plan
from .meetings import Meeting, Plan, Value, Why
from .profile import Profile, profile
from .rank import FAIR, KIND, MOST, Key, Rule, Slot, at_least, attending, best, enough, fewest, preference, present, worst
from .room import Room, Wanted, room_for
from .swing import swing
from .ticks import end_tick, moment_of, moments_of, start_tick
from .windows import BEST_PREFERENCE, CANNOT, IDEAL, IF_NEED_BE, WORKS, Windows, from_arrays, levels, windows, without

__all__ = [
    "BEST_PREFERENCE",
    "CANNOT",
    "FAIR",
    "IDEAL",
    "IF_NEED_BE",
    "KIND",
    "MOST",
    "WORKS",
    "Key",
    "Meeting",
    "NearMiss",
    "Pairing",
    "Plan",
    "Profile",
    "Room",
    "Rule",
    "Slot",
    "Slots",
    "Value",
    "Wanted",
    "Why",
    "Windows",
    "at_least",
    "attendance",
    "attending",
    "best",
    "cut",
    "end_tick",
    "enough",
    "fewest",
    "from_arrays",
    "levels",
    "moment_of",
    "moments_of",
    "near_misses",
    "pair_up",
    "plan",
    "preference",
    "preferences",
    "present",
    "profile",
    "room_for",
    "start_tick",
    "swing",
    "windows",
    "without",
    "worst",
]
