"""A test client that reads pages as people do: where templates break their lines does not show."""

import re
from typing import Any

from django.test import Client as DjangoClient

_BLOCKS = (
    "article|button|caption|datalist|dd|details|div|dl|dt|fieldset|footer|form|h[1-6]|header|html|"
    "label|legend|li|main|nav|ol|option|p|section|select|summary|table|tbody|td|th|thead|title|"
    "tr|ul"
)
_BESIDE_BLOCKS = re.compile(rf" ?(</?(?:{_BLOCKS})\b[^>]*>) ?")
_WITHIN_PHRASES = re.compile(
    r"(<(?:a|b|small|span|strong|time)\b[^>]*>) | (</(?:a|b|small|span|strong|time)>)"
)
_TAG = re.compile(r"<[a-z][^>]*>")
_AS_TYPED = re.compile(r"(<(textarea|pre)\b.*?</\2>)", re.DOTALL)


def as_read(html: str) -> str:
    """Return the markup with one space for each run of them.

    None beside what begins a line, and none just within a phrase, such as a link.

    What a text area holds stays as it is.
    """
    pieces = _AS_TYPED.split(_TAG.sub(_in_one_line, html))
    return "".join(
        _WITHIN_PHRASES.sub(r"\1\2", _BESIDE_BLOCKS.sub(r"\1", re.sub(r"\s+", " ", between)))
        + as_typed
        for between, as_typed in zip(pieces[::3], [*pieces[1::3], ""], strict=True)
    )


def _in_one_line(tag: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", tag[0]).replace(" >", ">")


class Client(DjangoClient):
    """Django's client; the `text` of an HTML answer that is not compressed is `as_read`."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        is_html = response.get("Content-Type", "").startswith("text/html")
        if is_html and not (response.streaming or response.has_header("Content-Encoding")):
            response.text = as_read(response.content.decode())
        return response
