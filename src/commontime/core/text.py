"""What people type: names stay one line, look-alikes are told apart, nothing invisible steers a
screen or a mail.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

from commontime.core.errors import InvalidInput

# Line breaks of every kind, controls, bidirectional overrides and other characters that change how
# their neighbours are shown.
_BREAKS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff]"
)
_BREAKS_BUT_LINES = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff]"
)
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0]"
)
# Scripts that are written together; any other mixture in one name is a look-alike.
_TOGETHER = [{"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"}]


def one_line(value: str, *, field: str, longest: int, required: bool = False) -> str:
    """Return the text trimmed; InvalidInput if it has line breaks, controls or direction overrides,
    is too long, or shows nothing.
    """
    text = _checked(value, _BREAKS, field).strip()
    return _sized(text, field, longest, required)


def many_lines(value: str, *, field: str, longest: int) -> str:
    """Return the text with \\n line ends; tabs and line ends are kept, other controls refused."""
    text = _checked(
        value.replace("\r\n", "\n").replace("\r", "\n"), _BREAKS_BUT_LINES, field
    ).strip()
    return _sized(text, field, longest, required=False)


def is_unicode(value: str) -> bool:
    """Return whether the text can be written as UTF-8: it has no lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def canonical(name: str) -> str:
    """Return the form in which two names are the same name: NFKC, case folded, trimmed (UAX 15 and
    31, as PRECIS does).
    """
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return unicodedata.normalize("NFKC", folded)


def check_name(name: str, *, field: str) -> None:
    """Refuse a name with invisible characters or with letters of scripts that are not written
    together (UTS 39, restriction level).
    """
    if _INVISIBLE.search(name) or _BREAKS.search(name):
        raise InvalidInput(_("Remove the invisible characters."), field=field)
    scripts = {_script(c) for c in unicodedata.normalize("NFKC", name) if c.isalpha()}
    if len(scripts) > 1 and not any(scripts <= group for group in _TOGETHER):
        raise InvalidInput(
            _(
                "Use letters from one alphabet only; a mix could be mistaken for somebody else’s "
                "name."
            ),
            field=field,
        )


def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split()[0].split("-")[0]


def _checked(value: str, banned: re.Pattern[str], field: str) -> str:
    if not is_unicode(value):
        raise InvalidInput(_("This is not valid Unicode text."), field=field)
    if banned.search(value):
        raise InvalidInput(_("Remove line breaks and control characters."), field=field)
    return value


def _sized(text: str, field: str, longest: int, required: bool) -> str:
    if len(text) > longest:
        raise InvalidInput(
            _("Use at most %(most)d characters; you have %(n)d.")
            % {"most": longest, "n": len(text)},
            field=field,
        )
    if _INVISIBLE.sub("", text).strip():
        return text
    if required:
        raise InvalidInput(_("This can’t be blank."), field=field)
    if text:
        raise InvalidInput(_("Remove the invisible characters."), field=field)
    return text
