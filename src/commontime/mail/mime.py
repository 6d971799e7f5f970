"""A letter as a MIME message."""

import email.message
import email.policy
from collections.abc import Sequence
from email.header import Header
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.crypto import salted_hmac

from commontime.mail.addresses import ascii_address
from commontime.mail.letters import Letter
from commontime.mail.models import Message
from commontime.mail.writing import one_line

LONGEST_NAME = 200
PLAIN = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;()<>@[]!#$%&'*+-/^_`{|}~"
)


def message_id(message: Message) -> str:
    """Return the Message-ID (RFC 5322, 3.6.4).

    It is the same for every try. It is keyed, so that nobody can test it for an address.
    """
    what = "\0".join([message.event, message.recipient, str(message.sequence)])
    return _id("commontime.mail.message_id", what)


def _thread_id(meeting_id: str) -> str:
    """Return the id that a meeting's mails refer to. No mail has it."""
    return _id("commontime.mail.thread_id", meeting_id)


def _id(salt: str, what: str) -> str:
    digest = salted_hmac(salt, what, algorithm="sha256").hexdigest()[:40]
    host = urlsplit(settings.COMMONTIME_BASE_URL).hostname or "localhost"
    return f"<{digest}@[IPv6:{host}]>" if ":" in host else f"<{digest}@{host}>"


def email_message(message: Message, letter: Letter) -> EmailMultiAlternatives:
    """Return the mail to the one recipient, or raise BadAddress."""
    address = ascii_address(message.recipient)
    headers = _headers(message, letter)
    mail = _Mail(one_line(letter.subject), letter.text, to=[address], headers=headers)
    mail.to_name = one_line(letter.to_name)[:LONGEST_NAME]
    mail.attach_alternative(letter.html, "text/html")
    if letter.documents:
        _attach(letter.documents, letter.method, mail)
    return mail


def _headers(message: Message, letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": message_id(message),
        "Auto-Submitted": "auto-generated",
        # Without it some servers answer every notice with an out-of-office mail.
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if letter.meeting_id:
        # Mail programs sort by Subject too, and meetings may share a name.
        headers["References"] = _thread_id(letter.meeting_id)
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _attach(documents: Sequence[bytes], method: str, mail: EmailMultiAlternatives) -> None:
    """Attach iCalendar texts. The first is an invitation and travels twice, as Google's do.

    Once as an alternative of the text, which RFC 6047 wants and which makes Outlook, Gmail and
    Apple Mail show it as an invitation, and once as a file for those who open it by hand. The
    file's type is application/ics, so nobody reads the same request twice. Further documents are
    text/calendar parts of their own: iTIP allows one UID each.
    """
    first, *further = documents
    kind = f"text/calendar; method={method}"
    mail.attach_alternative(first.decode(), kind)
    for number, document in enumerate(further, start=2):
        mail.attach(f"invite-{number}.ics", document.decode(), kind)
    mail.attach("invite.ics", first, "application/ics")


class _Mail(EmailMultiAlternatives):
    to_name = ""

    def message(self, *, policy: Any = email.policy.SMTP) -> email.message.EmailMessage:
        # 7bit: nothing asks the server whether it can take eight.
        message = super().message(policy=policy.clone(cte_type="7bit"))
        message.replace_header("Subject", _Typed("Subject", str(self.subject)))
        if self.to_name:
            message.replace_header("To", _Typed("To", self.to_name, self.to[0]))
        for name in ("List-Unsubscribe", "References"):
            if name in message:
                message.replace_header(name, _Unfolded(name, str(message[name])))
        return message


class _Typed(str):
    """A header with what a person typed.

    It reads back as typed. Python's own would decode an encoded word that somebody typed, and up to
    3.13 it loses the quotes of a name that it folds, so that a comma in it begins a second address.
    It leaves a value alone that has a name and can fold itself.
    """

    name: str
    _folded: str

    def __new__(cls, name: str, typed: str, address: str = "") -> "_Typed":
        value = f'"{typed}" <{address}>' if address else typed
        header = super().__new__(cls, value)
        header.name = name
        header._folded = _encoded(name, typed, quote=bool(address))
        if address:
            header._folded += f"\n <{address}>"
        return header

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self._folded}".replace("\n", policy.linesep) + str(policy.linesep)


class _Unfolded(str):
    """A header that stays one line of ASCII.

    Python's own would make encoded words of an address or id that is longer than a line.
    """

    name: str

    def __new__(cls, name: str, value: str) -> "_Unfolded":
        header = super().__new__(cls, value)
        header.name = name
        return header

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _encoded(name: str, typed: str, *, quote: bool) -> str:
    if len(typed) < 60 and PLAIN.issuperset(typed):
        return f'"{typed}"' if quote else typed
    return Header(typed, "utf-8", header_name=name).encode(maxlinelen=74)
