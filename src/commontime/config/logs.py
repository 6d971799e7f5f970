"""One log line per event: typed text can neither forge nor hide a line."""

import logging
from datetime import UTC, datetime
from typing import Any, override

import msgspec
from django.http import HttpRequest

from commontime.core import links, request_id
from commontime.core.routes import pattern_of

LONGEST = 4000
LONGEST_TRACEBACK = 12_000


class OneLine(logging.Formatter):
    """Writes a record as one line, with its traceback.

    A line about a request has its id. It names the route's pattern, since paths hold secrets.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        record.tag = f" [{request}]" if (request := request_id.current.get()) else ""
        return _clean(super().format(_named_by_route(record)))

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        line = _clean(super().formatMessage(record))
        return line if len(line) <= LONGEST else line[:LONGEST] + "…"

    @override
    def formatException(self, ei: Any) -> str:
        return _end_of(super().formatException(ei))


class Json(logging.Formatter):
    """Writes a record as one JSON object, for programs that gather logs."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        record = _named_by_route(record)
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": _clean(record.getMessage(), keep="\n")[:LONGEST],
        }
        if request := request_id.current.get():
            fields["request"] = request
        if record.exc_info:
            traceback = _end_of(self.formatException(record.exc_info))
            fields["traceback"] = _clean(traceback, keep="\n")
        return msgspec.json.encode(fields).decode()


def _named_by_route(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record that names its request by method and route instead of by its path."""
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record
    path = request.path.encode("unicode_escape").decode()  # as Django logs it
    named = logging.makeLogRecord(record.__dict__)
    name = f"{request.method} {pattern_of(request)}"
    named.args = tuple(name if arg == path else arg for arg in record.args)
    return named


def _end_of(traceback: str) -> str:
    """Return a traceback, or the end of a long one, which says most."""
    is_long = len(traceback) > LONGEST_TRACEBACK
    return f"…{traceback[-LONGEST_TRACEBACK:]}" if is_long else traceback


def _clean(text: str, keep: str = "") -> str:
    """Return text without secrets of links, and with what no terminal shows as escapes."""
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode()
        for c in links.without_secrets(text)
    )
