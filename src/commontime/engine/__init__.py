"""The engine: when can a group meet? Pure functions over arrays, in ticks: whole minutes since 1970-01-01T00:00Z."""

from .explain import NearMiss, attendance, near_misses, preferences
from .profile import Profile, profile
from .rank import FAIR, KIND, MOST, Key, Rule, Slot, at_least, attending, best, fewest, preference, present, worst
from .ticks import end_tick, moment_of, moments_of, start_tick
from .windows import BEST_PREFERENCE, CANNOT, IDEAL, IF_NEED_BE, WORKS, Windows, from_arrays, levels, windows

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
    "NearMiss",
    "Profile",
    "Rule",
    "Slot",
    "Windows",
    "at_least",
    "attendance",
    "attending",
    "best",
    "end_tick",
    "fewest",
    "from_arrays",
    "levels",
    "moment_of",
    "moments_of",
    "near_misses",
    "preference",
    "preferences",
    "present",
    "profile",
    "start_tick",
    "windows",
    "worst",
]
