from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from commontime.contacts.models import Contact
from commontime.core import rows

_CONTACTS = rows.Listing(
    "contacts_contact c JOIN auth_user u ON u.id = c.contactee_id",
    [
        ("c.id", "id"),
        ("u.id", "plain"),
        ("u.username", "plain"),
        ("u.first_name", "plain"),
        ("u.last_name", "plain"),
        ("c.created_at", "time"),
        (
            "EXISTS (SELECT 1 FROM contacts_contact o WHERE o.owner_id = c.contactee_id AND "
            "o.contactee_id = c.owner_id)",
            "flag",
        ),
    ],
    ["u.username", "c.id"],
)


def contact_rows(user: User) -> rows.Query:
    """Return rows of the user's own contacts, by name.

    A row is (id, contactee, username, first name, last name, since, mutual).
    """
    return _CONTACTS.where("c.owner_id = %s", "u.is_active", parameters=[user.pk])


def contacts_of(user: User) -> QuerySet[Contact]:
    """Return the user's own contacts, by name.

    `mutual` says whether they have the user as a contact too.
    """
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
    is_mutual = has_contact(contact.contactee_id, contact.owner_id)
    contact.mutual = is_mutual  # type: ignore[attr-defined]
    return contact
