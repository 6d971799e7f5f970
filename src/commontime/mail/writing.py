"""Write texts, names, times and links as mails need them."""

import re
from datetime import datetime

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commontime.core import clock
from commontime.mail.allowance import typed

ZERO_WIDTH_SPACE = "\u200b"
_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")  # but not the no-break spaces that French writes
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LOOKS_LIKE_A_LINK = re.compile(r"://|www\.|\w\.\w{2}|\S@\S", re.IGNORECASE)
_INSIDE_A_LINK = re.compile(r"(?<=\S)([.:/@])(?=\S)")


def link(path: str) -> str:
    """Return the full address of a path of ours. Letters take only such addresses."""
    return f"{settings.COMMONTIME_BASE_URL}{path}"


def own_link(url: str) -> str:
    """Return the address; ValueError if it leads away from here."""
    if url and not url.startswith(f"{settings.COMMONTIME_BASE_URL}/"):
        raise ValueError("An address in a letter must begin with COMMONTIME_BASE_URL.")
    return url


def when(start: datetime, end: datetime | None = None, *, hour_cycle: str = "h23") -> str:
    """Return a time or span in words, with its zone.

    For example "Tuesday 5 May 2026, 10:00–11:30 (Europe/Berlin)".
    """
    hours = "g:i A" if hour_cycle == "h12" else "G:i"
    # Translators: a date as Django's date format writes it, for example "Tuesday 5 May 2026"
    day = _("l j F Y")
    first, last = clock.span(start, end or start, lambda moment: date_format(moment, hours))
    text = f"{date_format(start, day)}, {first if end else last}"
    if end and end.date() == start.date():
        text += f"–{last}"
    elif end:
        text += f" – {date_format(end, day)}, {last}"
    return f"{text} ({start.tzinfo})"


def lines(text: str) -> str:
    """Return what a person typed, its lines kept. Control and direction characters go."""
    return _UNWANTED.sub("", _BREAKS.sub("\n", text))


def one_line(text: str) -> str:
    """Return what a person typed as one line. Control and direction characters go."""
    return _BLANKS.sub(" ", lines(text)).strip()


def name(text: str) -> str:
    """Return a name that no mail program takes for links. It has one line."""
    return unlinked(typed(text))


def unlinked(text: str) -> str:
    """Return a name like `name`, also where letters may carry little text."""
    line = one_line(text)
    if not _LOOKS_LIKE_A_LINK.search(line):
        return line
    return _INSIDE_A_LINK.sub(r"\1" + ZERO_WIDTH_SPACE, line)


def excerpt(text: str, longest: int) -> str:
    """Return a typed text, cut if it is longer. It is cut between words, with an ellipsis."""
    text = lines(text).strip()
    if len(text) <= longest:
        return text
    beginning = text[:longest]
    words = re.match(r".*(?=\s)", beginning, re.DOTALL)
    return (words.group() if words else beginning).rstrip() + " …"
