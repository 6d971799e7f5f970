from django.contrib.auth.models import User
from django.db.models import QuerySet

from commontime.mail.enums import State
from commontime.mail.models import Message

LONGEST_LIST = 100


def letters_kept_for(user: User) -> QuerySet[Message]:
    """Return the last mails to an account that were kept for it, the newest first.

    By account and not by address: whoever gets an address later reads nothing sent there before.
    """
    sent = Message.objects.filter(user=user, state=State.SENT).exclude(text="")
    return sent.only("subject", "text", "settled_at").order_by("-settled_at")[:LONGEST_LIST]
