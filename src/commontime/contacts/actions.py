"""What people can do with their list of contacts."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.accounts.actions import names
from commontime.contacts.models import Contact
from commontime.core import clock, quotas
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.core.text import canonical

UNKNOWN = gettext_noop("Nobody here has this id or username.")


def add_contact(contactee: User | str, *, by: User) -> Contact:
    """Add a person, or whoever has this username, to the contacts of `by`.

    Neither learns anything about the other.
    """
    person = contactee if isinstance(contactee, User) else _person_called(contactee, by)
    if person.pk == by.pk:
        raise InvalidInput(_("You can’t be your own contact."), field="contactee")
    quotas.require_room("contacts", Contact.objects.filter(owner=by))
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


def _person_called(username: str, by: User) -> User:
    try:
        return names.find(username, by=by)
    except NotFound:
        raise InvalidInput(_(UNKNOWN), field="contactee") from None
