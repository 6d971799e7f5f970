"""What people can do with their list of contacts."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.accounts.actions import names
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.core.text import canonical


def add_contact(contactee: int | str, *, by: User) -> Contact:
    """Add a person to the contacts of `by`.

    They are given by id or username. Neither learns anything about the other.
    """
    person = _person(contactee, by)
    if person.pk == by.pk:
        raise InvalidInput(_("You can’t be your own contact."), field="contactee")
    contact = Contact(owner=by, contactee=person, created_at=clock.now())
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            _("This person is already one of your contacts."), code="already_contact"
        ) from None
    return contact


def remove_contact(username: str, *, by: User) -> None:
    key = canonical(username)
    mine = Contact.objects.filter(owner=by)
    gone, _rows = mine.filter(contactee__usersetting__username_key=key).delete()
    if not gone:
        gone, _rows = mine.filter(contactee__username__iexact=username).delete()
    if not gone:
        raise NotFound(_("None of your contacts has this username."))


def _person(contactee: int | str, by: User) -> User:
    unknown = InvalidInput(_("Nobody here has this id or username."), field="contactee")
    if isinstance(contactee, int):
        person = accounts.active_user(contactee)
        if person is None:
            raise unknown
        return person
    try:
        return names.find(contactee, by=by)
    except NotFound:
        raise unknown from None
