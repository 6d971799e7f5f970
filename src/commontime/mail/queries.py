from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

from django.db.models import Value
from django.db.models.functions import Upper

from commontime.mail.backends import file_name, mail_folder
from commontime.mail.enums import State
from commontime.mail.mime import message_id
from commontime.mail.models import Message

LONGEST_LIST = 100


@dataclass(frozen=True, slots=True)
class KeptLetter:
    name: str
    subject: str
    text: str
    sent_at: datetime


def letters_kept_for(address: str) -> list[KeptLetter]:
    """Return the last mails to an address, the newest first. Those that were kept as files."""
    folder = mail_folder()
    if folder is None:
        return []
    # The database folds both sides alike, and finds what it folded in an index.
    sent = (
        Message.objects.annotate(folded=Upper("recipient"))
        .filter(folded=Upper(Value(address)), state=State.SENT)
        .order_by("-settled_at")[:LONGEST_LIST]
    )
    return [letter for message in sent if (letter := _read(folder, message))]


def _read(folder: Path, message: Message) -> KeptLetter | None:
    name = file_name(message_id(message))
    try:
        content = message_from_bytes((folder / name).read_bytes(), policy=policy.default)
    except FileNotFoundError:
        return None
    body = content.get_body(("plain",))
    assert message.settled_at is not None
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return KeptLetter(name, str(content["Subject"]), text, message.settled_at)
