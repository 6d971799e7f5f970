"""One log line per event. Typed text can neither forge nor hide a line."""

import logging
import re
from typing import override

LONGEST = 4000
# The rest of these paths is a secret: it lets people in without a password.
_LINKS = re.compile(
    r"(/(?:password_reset/[^/\s]+|app/invitations|app/mail/stop|app/join|rsvp|feeds)/)[^/\s?]+"
)


class OneLine(logging.Formatter):
    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        line = _LINKS.sub(r"\1…", super().formatMessage(record))
        clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        return clean if len(clean) <= LONGEST else clean[:LONGEST] + "…"
