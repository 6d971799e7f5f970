"""Content lines (RFC 5545, 3.1).

Whatever people typed stays text inside one line.

Written here and not with the icalendar library: its writer turns a typed backslash and N into a
line break, and lets U+0085, U+2028 and lone controls through. So the library stays an independent
reader for the tests.
"""

import re
from datetime import datetime
from urllib.parse import quote

from commontime.ical.values import whole_seconds

LINE_OCTETS = 75

_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls (a tab is fine), bidi embeddings, overrides and isolates, and lone surrogates, which
# UTF-8 can't carry.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# RFC 6068, 2: what a mailto address may hold as it is. The rest is percent-encoded, quotes and
# spaces included.
_ADDRESS_SAFE = "@!$'*+-._~"
_URL_SAFE = ":/?#[]@!$&()*+,;=%-._~"


def clean(text: str) -> str:
    """Return the text with LF as its line breaks. Control and direction characters go."""
    return _UNWANTED.sub("", _BREAKS.sub("\n", text))


def line(name: str, value: str) -> bytes:
    """Return the property as one folded line, CRLF included. The value is written as it is."""
    rest = f"{name}:{value}".encode()
    pieces = []
    room = LINE_OCTETS
    while len(rest) > room:
        cut = room
        while rest[cut] & 0xC0 == 0x80:  # a continuation byte: never cut a character in two
            cut -= 1
        pieces.append(rest[:cut])
        rest = rest[cut:]
        room = LINE_OCTETS - 1  # the blank that starts a continuation counts
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"


def text_line(name: str, text: str) -> bytes:
    """Return the property with a TEXT value (RFC 5545, 3.3.11)."""
    escaped = (
        clean(text)
        .replace("\\", "\\\\")
        .replace(";", "\\;")
        .replace(",", "\\,")
        .replace("\n", "\\n")
    )
    return line(name, escaped)


def time_line(name: str, moment: datetime) -> bytes:
    """Return the property with a UTC DATE-TIME (RFC 5545, 3.3.5, form 2)."""
    # strftime does not pad the years before 1000 on every platform.
    return line(
        name,
        whole_seconds(moment).isoformat().replace("-", "").replace(":", "").replace("+0000", "Z"),
    )


def url_line(name: str, url: str) -> bytes:
    """Return the property with a URI value. Whatever is no URI character is percent-encoded."""
    return line(name, quote(clean(url), safe=_URL_SAFE))


def person_line(name: str, display_name: str, address: str, **parameters: str) -> bytes:
    """Return the property with a CAL-ADDRESS value and a CN.

    The CN is always quoted (RFC 5545, 3.2; RFC 6868).
    """
    parts = [name, *(f"{key}={value}" for key, value in parameters.items())]
    if one_line := clean(display_name).replace("\n", " "):
        parts.append('CN="{}"'.format(one_line.replace("^", "^^").replace('"', "^'")))
    return line(";".join(parts), "mailto:" + quote(clean(address), safe=_ADDRESS_SAFE))
