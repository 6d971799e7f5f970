from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from commontime.contacts.models import Contact


def contacts_of(user: User) -> QuerySet[Contact]:
    """The user's own contacts, in the order of their names; `mutual` says whether they keep the user too."""
    mutual = Contact.objects.filter(owner=OuterRef("contactee"), contactee=OuterRef("owner"))
    return (
        Contact.objects.filter(owner=user, contactee__is_active=True)
        .select_related("contactee")
        .annotate(mutual=Exists(mutual))
        .order_by("contactee__username", "id")
    )


def has_contact(owner_id: int, contactee_id: int) -> bool:
    return Contact.objects.filter(owner_id=owner_id, contactee_id=contactee_id).exists()


def with_mutual(contact: Contact) -> Contact:
    """Return the contact as a list shows it."""
    contact.mutual = has_contact(contact.contactee_id, contact.owner_id)  # type: ignore[attr-defined]
    return contact
