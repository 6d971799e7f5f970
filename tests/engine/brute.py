"""Compute the engine's answers slowly, tick by tick, from their definitions."""

from collections.abc import Iterable, Sequence

type Row = tuple[int, int, int, int]


def preference_at(rows: Iterable[Row], person: int, tick: int) -> int:
    return max(
        (
            preference
            for who, start, end, preference in rows
            if who == person and start <= tick < end
        ),
        default=-1,
    )


def preference_of(rows: Sequence[Row], person: int, start: int, duration: int) -> int:
    return min(preference_at(rows, person, tick) for tick in range(start, start + duration))


def level(preference: int) -> int:
    if preference < 0:
        return 0
    if preference <= 3:
        return 1
    return 2 if preference <= 7 else 3


def everybody(rows: Sequence[Row], people: int, start: int, duration: int) -> tuple[int, ...]:
    return tuple(preference_of(rows, person, start, duration) for person in range(people))


def histogram(preferences: Iterable[int]) -> tuple[int, ...]:
    bands = [level(preference) for preference in preferences]
    return tuple(bands.count(band) for band in range(4))


def happy(preferences: Iterable[int]) -> int:
    return sum(preference for preference in preferences if preference >= 0)


def segments(values: Sequence[object], earliest: int) -> list[tuple[int, int, object]]:
    """Return the maximal ranges (first, last, value) of equal neighbours."""
    runs: list[tuple[int, int, object]] = []
    for tick, value in enumerate(values, earliest):
        if runs and runs[-1][2] == value:
            runs[-1] = (runs[-1][0], tick, value)
        else:
            runs.append((tick, tick, value))
    return runs


def profile(rows, people, duration, required, earliest, latest_end):
    """Return (first, last, histograms, preferences), each of the required and of all."""
    starts = range(earliest, latest_end - duration + 1)
    pieces = []
    for first, last, vector in segments(
        [everybody(rows, people, start, duration) for start in starts], earliest
    ):
        needed = [vector[person] for person in range(people) if required[person]]
        pieces.append(
            (first, last, histogram(needed), histogram(vector), happy(needed), happy(vector))
        )
    return pieces


def key(rule: str, piece) -> tuple[int, ...]:
    """Larger is better."""
    _, _, required, everyone, _, preference = piece
    attending = sum(everyone[1:])
    if rule == "fair":
        return -required[0], attending, -everyone[1], -everyone[2], preference
    if rule == "most":
        return -required[0], attending, preference
    assert rule == "quorum"
    return attending >= 3, *key("fair", piece)


def best(pieces, k, rule, align, apart):
    """Return (start, last, key) of the best pieces of `profile`."""
    candidates = []
    for piece in pieces:
        aligned = [start for start in range(piece[0], piece[1] + 1) if start % align == 0]
        if aligned:
            candidates.append((aligned[0], piece[1], key(rule, piece)))
    candidates.sort(key=lambda c: ([-value for value in c[2]], c[0]))
    chosen = []
    for candidate in candidates:
        if len(chosen) < k and all(abs(candidate[0] - other[0]) >= apart for other in chosen):
            chosen.append(candidate)
    return chosen


def near_misses(rows, people, duration, required, earliest, latest_end, k):
    """Return (first, last, missing, short) of the nearest misses."""
    needed = [person for person in range(people) if required[person]]
    starts = range(earliest, latest_end - duration + 1)
    missing = [
        tuple(person for person in needed if preference_of(rows, person, start, duration) < 0)
        for start in starts
    ]
    short = [
        sum(
            preference_at(rows, person, tick) < 0
            for person in needed
            for tick in range(start, start + duration)
        )
        for start in starts
    ]
    misses = []
    for first, last, who in segments(missing, earliest):
        if who:
            values = [short[start - earliest] for start in range(first, last + 1)]
            start = first + values.index(min(values))
            until = start
            while until < last and short[until + 1 - earliest] == min(values):
                until += 1
            misses.append((start, until, who, min(values)))
    misses.sort(key=lambda miss: (len(miss[2]), miss[3], miss[0]))
    return misses[:k]
