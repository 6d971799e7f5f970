"""What people are told: the notices an action posts, and the mails they become."""

from dataclasses import dataclass
from email.message import EmailMessage

from django.core import mail

from commontime.mail.delivery import deliver_due
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests.ical.strict import Component, read


@dataclass(frozen=True)
class Mail:
    """A mail that went out. `documents` are its vcalendars, each once."""

    to: str
    subject: str
    text: str
    html: str
    header: str
    documents: list[Component]
    content: EmailMessage

    @property
    def everything(self) -> str:
        return self.content.as_string() + self.text + self.html


class Post:
    """The outbox of the test's database, seen from outside."""

    def __init__(self) -> None:
        self._seen: set[object] = set()
        mail.outbox = []

    def told(self) -> list[str]:
        """Return what was posted since this was asked last, as `kind name`, in the order of the
        alphabet.
        """
        new = Message.objects.exclude(pk__in=self._seen)
        told = [f"{message.kind} {message.recipient.partition('@')[0]}" for message in new]
        self._seen |= {message.pk for message in new}
        return sorted(told)

    def deliver(self) -> list[Mail]:
        """Send what waits. Every message must be settled by that: sent, or dropped because there is
        nothing to say.
        """
        deliver_due(seconds=100)
        stuck = Message.objects.exclude(state__in=[State.SENT, State.DROPPED])
        assert not stuck, [(message.kind, message.state, message.error) for message in stuck]
        sent, mail.outbox = mail.outbox, []
        return sorted(
            (_mail(each.message()) for each in sent), key=lambda one: (one.to, one.subject)
        )

    def deliver_to(self, name: str) -> list[Mail]:
        return [one for one in self.deliver() if one.to == f"{name}@example.org"]


def _mail(content: EmailMessage) -> Mail:
    parts = [part for part in content.walk() if not part.is_multipart()]
    texts = {
        kind: part.get_content()
        for part in parts
        if (kind := part.get_content_type()).startswith("text/") and kind != "text/calendar"
    }
    calendars = [part for part in parts if part.get_content_type() == "text/calendar"]
    return Mail(
        to=content["To"].addresses[0].addr_spec
        if hasattr(content["To"], "addresses")
        else str(content["To"]).split("<")[-1].rstrip(">"),
        subject=str(content["Subject"]),
        text=texts["text/plain"],
        html=texts["text/html"],
        header=str(content),
        documents=[
            read(part.get_content().replace("\r\n", "\n").replace("\n", "\r\n").encode())
            for part in calendars
        ],
        content=content,
    )
