"""Links that let people in without a password.

Their tokens are derived from a row's id, so nothing secret is stored: the same link can be shown
again, and a mail that is sent again is the same mail. Raising the row's counter ends all its links.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "commontime.links"
SEAL = 16  # bytes
LENGTH = 44  # of a token: one byte of kind, 16 of id and 16 of seal, in base64
# What follows these paths is a secret. No log may hold it, and no other site.
_PATHS = re.compile(
    r"(/(?:password_reset/[^/\s]+|app/invitations|app/confirm|app/mail/stop|app/join|app/g|join"
    r"|rsvp|feeds)/)[^/\s?]+"
)
_ID = re.compile(r"/app/invitations/[0-9a-f-]{36}/answer/")


class Kind(StrEnum):
    """What a link is for. The copied and the mailed link of an invitation differ: only who reads
    the mails to an address has the mailed one.
    """

    CONFIRMATION = "c"
    INVITATION = "i"
    MAILED_INVITATION = "m"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says. It proves nothing until it fits the row's counter."""

    kind: Kind
    row_id: UUID
    seal: bytes

    def fits(self, counter: int = 0) -> bool:
        """Return whether we made this link, and the counter has not been raised since."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        seals = (_seal(self.kind, self.row_id, counter, key) for key in keys)
        return any(constant_time_compare(self.seal, seal) for seal in seals)


def token(kind: Kind, row_id: UUID, counter: int = 0) -> str:
    """Return the part of a link that is its secret."""
    seal = _seal(kind, row_id, counter, settings.SECRET_KEY)
    return base64.urlsafe_b64encode(kind.encode() + row_id.bytes + seal).decode()


def read(token: str) -> Link | None:
    """Return what a token says. None if it is none of ours."""
    if len(token) != LENGTH:
        return None
    try:
        read = base64.b64decode(token, altchars=b"-_", validate=True)
        return Link(Kind(read[:1].decode()), UUID(bytes=read[1:17]), read[17:])
    except (binascii.Error, ValueError):
        return None


def without_secrets(text: str) -> str:
    """Return a text in which the secret of each link is an ellipsis."""
    return _PATHS.sub(r"\1…", text)


def is_in(address: str) -> bool:
    """Return whether an address of ours holds a secret, perhaps as the page to go to next."""
    return bool(_PATHS.search(_ID.sub("", unquote(address))))


def _seal(kind: Kind, row_id: UUID, counter: int, key: str) -> bytes:
    value = f"{kind}:{row_id}:{counter}"
    return salted_hmac(SALT, value, secret=key, algorithm="sha256").digest()[:SEAL]
