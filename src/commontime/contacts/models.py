from django.contrib.auth.models import User
from django.db import models

from commontime.core.models import Row


class Contact(Row):
    """`owner` keeps `contactee` in their list. It says nothing about the other direction."""

    owner = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="contacts")
    contactee = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="contact_of")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "contactee"], name="one_contact_a_person"),
            models.CheckConstraint(
                condition=~models.Q(owner=models.F("contactee")), name="no_contact_with_oneself"
            ),
        ]
