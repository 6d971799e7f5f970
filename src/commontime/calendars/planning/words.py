"""People in words."""

from collections.abc import Sequence

from commontime.calendars.planning.people import Person


def names_of(people: Sequence[Person], most: int = 5) -> str:
    names = [person.name for person in people[:most]]
    if len(people) > most:
        names.append(f"{len(people) - most} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
