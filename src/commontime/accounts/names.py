"""What people are called where others see them."""

from collections import Counter
from collections.abc import Iterable

from django.contrib.auth.models import User

from commontime.core.text import as_read


def full_name(user: User) -> str:
    """Return a person's first and last name, or their username if they gave neither."""
    return user.get_full_name() or user.username


def display_names(users: Iterable[User]) -> dict[int, str]:
    """Return what to call people together, by user id.

    Namesakes have their usernames beside the name: "Thomas Müller (thomas2)".
    """
    return told_apart((user.pk, full_name(user), user.username) for user in users)


def told_apart(people: Iterable[tuple[int, str, str]]) -> dict[int, str]:
    """Do what `display_names` does, for tuples of user id, full name and username."""
    rows = {person[0]: (*person[1:], as_read(person[1])) for person in people}
    sharers = Counter(read for _, _, read in rows.values())
    # Somebody may have typed such a name as theirs.
    beside = {
        f"{read} ({as_read(username)})" for _, username, read in rows.values() if sharers[read] > 1
    }
    return {
        user_id: name
        if name == username or (sharers[read] == 1 and read not in beside)
        else f"{name} ({username})"
        for user_id, (name, username, read) in rows.items()
    }
