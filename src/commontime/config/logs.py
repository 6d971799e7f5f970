"""One event, one line: what people typed can't forge or hide a line of the log."""

import logging
from typing import override

LONGEST = 4000


class OneLine(logging.Formatter):
    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        return clean if len(clean) <= LONGEST else clean[:LONGEST] + "…"
