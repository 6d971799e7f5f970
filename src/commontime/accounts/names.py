"""What people are called where others see them."""

from collections import Counter
from collections.abc import Iterable

from django.contrib.auth.models import User

from commontime.core.text import canonical


def full_name(user: User) -> str:
    """Return a person's first and last name, or their username if they gave neither."""
    return user.get_full_name() or user.username


def display_names(users: Iterable[User]) -> dict[int, str]:
    """Return by user id what to call people who are named together.

    Namesakes have their usernames beside the name: "Thomas Müller (thomas2)".
    """
    return told_apart((user.pk, full_name(user), user.username) for user in users)


def told_apart(people: Iterable[tuple[int, str, str]]) -> dict[int, str]:
    """Do what `display_names` does, for tuples of user id, full name and username."""
    rows = [(*person, _as_read(person[1])) for person in people]
    sharers = Counter({user_id: read for user_id, _, _, read in rows}.values())
    return {
        user_id: name if sharers[read] == 1 or name == username else f"{name} ({username})"
        for user_id, name, username, read in rows
    }


def _as_read(name: str) -> str:
    """Return the same text for two names that readers take for the same."""
    return " ".join(canonical(name).split())
