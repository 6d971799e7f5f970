"""People whose ids somebody sends. Naming a stranger by id is looking them up."""

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.accounts.actions import names
from commontime.calendars import queries
from commontime.contacts.actions import UNKNOWN
from commontime.core.errors import InvalidInput


def find_contact(user_id: int, *, by: User) -> User:
    """Return the active user with this id, for the contacts of `by`."""
    count_stranger(user_id, by=by)
    person = accounts.active_user(user_id)
    if person is None:
        raise InvalidInput(_(UNKNOWN), field="contactee")
    return person


def count_stranger(person: User | int, *, by: User) -> int:
    """Count naming somebody by id, unless they share a calendar or are a contact. Return the id.

    Whom the door found by name, a user, is no stranger. What is counted must outlive a refusal, so
    call this before the action's transaction.
    """
    if isinstance(person, User):
        return person.pk
    if not queries.people.is_known_to(by, person):
        names.count_id(person, by=by)
    return person
