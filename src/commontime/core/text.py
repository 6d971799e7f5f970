"""Cleaning and checking what people type, and listing their names.

Names stay on one line, look-alikes are told apart, and nothing invisible steers a screen or a mail.
"""

import unicodedata
from collections.abc import Collection, Sequence
from contextlib import suppress

import regex
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.core.domains import ascii_domain
from commontime.core.errors import InvalidInput

LONGEST_EXCERPT = 20
# Normalising a long run of marks takes minutes, and no longer text is anybody's name.
LONGEST_NAME = 1000

_LINE_END = regex.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# Embeddings, overrides and isolates change the direction of their neighbours; the byte order mark
# comes along with pasted text.
_STEERING = r"\u202a-\u202e\u2066-\u2069\ufeff"
_DIRECTION_MARK = regex.compile(f"[{_STEERING}]")
_NOT_IN_TEXT = regex.compile(r"[[\p{Cc}\ufff9-\ufffb]--[\t\n]]", regex.V1)
_NOT_ON_A_LINE = regex.compile(rf"[\p{{Cc}}\p{{Zl}}\p{{Zp}}\ufff9-\ufffb{_STEERING}]")
_SHOWS_NOTHING = regex.compile(r"\p{Default_Ignorable_Code_Point}")

# UAX 31, table 5: the scripts that names are mostly written in. Rarer ones count as one script.
_SCRIPT_NAMES = """
    Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi
    Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Myanmar Oriya Sinhala
    Tamil Telugu Thaana Thai Tibetan
"""
_SCRIPTS = _SCRIPT_NAMES.split()
# Scripts that are written together. UTS 39 ("highly restrictive") lets Latin mix with these too; we
# do not, since U+4E28 and U+3163 look like an l.
_TOGETHER = [("Han", "Hiragana", "Katakana"), ("Han", "Hangul"), ("Han", "Bopomofo")]
_NO_SCRIPT = regex.compile(r"[^\p{L}\p{M}]|\p{Script=Common}|\p{Script=Inherited}")


def _written_in(*scripts: str, negated: bool = False) -> str:
    properties = "".join(rf"\p{{Script={script}}}" for script in scripts)
    return f"[{'^' if negated else ''}{properties}]*"


_ONE_WRITING_SYSTEM = regex.compile(
    "|".join(
        [
            *(_written_in(*group) for group in _TOGETHER),
            *(_written_in(script) for script in _SCRIPTS),
            _written_in(*_SCRIPTS, negated=True),
        ]
    )
)
# UTS 39, 5.4: marks that stand alone, are repeated or piled up, or vanish in the dot of an i.
_MISLEADING_MARK = regex.compile(r"^\p{M}|(\p{Mn})\1|\p{Mn}{5}|\p{Soft_Dotted}\p{Mn}*\u0307")


def check_choice(value: str, choices: Collection[str], *, field: str) -> None:
    if value not in choices:
        raise InvalidInput(
            _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)}, field=field
        )


def one_line(value: str, *, field: str, longest: int, required: bool = False) -> str:
    """Return the text trimmed.

    InvalidInput if it has line breaks, controls or direction marks, is too long, or shows nothing.
    """
    _check_unicode(value, field)
    if "\n" in value or "\r" in value:
        raise InvalidInput(_("This must be one line. Remove the line breaks."), field=field)
    _refuse_invisible(_NOT_ON_A_LINE, value, field)
    return _sized(value.strip(), field, longest, required)


def many_lines(value: str, *, field: str, longest: int) -> str:
    """Return the text trimmed and cleaned. InvalidInput for controls other than tabs."""
    _check_unicode(value, field)
    clean = clean_lines(value)
    _refuse_invisible(_NOT_IN_TEXT, clean, field)
    return _sized(clean.strip(), field, longest, required=False)


def clean_lines(value: str) -> str:
    """Return pasted text with plain line ends. Direction marks go."""
    return _DIRECTION_MARK.sub("", _LINE_END.sub("\n", value))


def is_unicode(value: str) -> bool:
    """Return whether the text has no lone surrogates. UTF-8 can't write those."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def canonical(name: str) -> str:
    """Return the form in which two names are equal.

    It is normalised (NFKC), case folded and trimmed, as in UAX 15, UAX 31 and PRECIS. The domain of
    an address is in ASCII.
    """
    name = name.strip()
    if len(name) > LONGEST_NAME:
        return name
    normal = unicodedata.normalize("NFKC", name).strip()
    local, at, domain = normal.rpartition("@")
    if at and not domain.isascii():
        # Before it is folded, since ß and ss are two letters in a domain.
        with suppress(ValueError):
            normal = f"{local}@{ascii_domain(domain)}"
    return unicodedata.normalize("NFKC", normal.casefold().strip())


def as_read(name: str) -> str:
    """Return the same text for two names that readers take for the same."""
    return " ".join(visible(canonical(name)).split())


def visible(text: str) -> str:
    """Return the text without characters that show nothing (UAX 44, default ignorables)."""
    return _SHOWS_NOTHING.sub("", text)


def is_same(one: object, other: object) -> bool:
    """Return whether two values are the same; of texts, whether they are canonically equivalent.

    Two devices may compose an ü differently (UAX 15). Nobody sees that.
    """
    if isinstance(one, str) and isinstance(other, str):
        return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    return one == other


def composed(name: str) -> str:
    """Return the name with its letters and accents composed (NFC)."""
    return unicodedata.normalize("NFC", name) if len(name) <= LONGEST_NAME else name


def check_name(name: str, *, field: str) -> None:
    """Refuse a name that could pass for another one.

    It has invisible characters, letters of scripts that are not written together (UTS 39,
    restriction levels), or marks that hide.
    """
    _refuse_invisible(_NOT_ON_A_LINE, name, field)
    _refuse_invisible(_SHOWS_NOTHING, name, field)
    if not _ONE_WRITING_SYSTEM.fullmatch(_NO_SCRIPT.sub("", unicodedata.normalize("NFKC", name))):
        raise InvalidInput(
            _(
                "Use letters from one alphabet only; a mix could be mistaken for somebody else’s "
                "name."
            ),
            field=field,
        )
    if _MISLEADING_MARK.search(unicodedata.normalize("NFD", name)):
        raise InvalidInput(
            _("Use fewer accents; the name could be mistaken for somebody else’s."), field=field
        )


def some_of(names: Sequence[str], most: int) -> str:
    """Return names in words, and how many more than `most`."""
    listed, more = ", ".join(names[:most]), len(names) - most
    if more <= 0:
        return listed
    sentence = ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more)
    return sentence % {"names": listed, "n": more}


def _check_unicode(value: str, field: str) -> None:
    if not is_unicode(value):
        raise InvalidInput(_("This is not valid Unicode text."), field=field)


def _refuse_invisible(invisible: regex.Pattern[str], value: str, field: str) -> None:
    """Refuse the first such character, saying which and where."""
    match = invisible.search(value)
    if match is None:
        return
    character = f"U+{ord(match[0]):04X} {unicodedata.name(match[0], '')}".strip()
    before = value[: match.start()].strip()
    if len(before) > LONGEST_EXCERPT:
        before = f"…{before[-LONGEST_EXCERPT:]}"
    sentence = (
        _("This contains an invisible character (%(character)s) after “%(before)s”. Delete it.")
        if before
        else _("This begins with an invisible character (%(character)s). Delete it.")
    )
    raise InvalidInput(sentence % {"character": character, "before": before}, field=field)


def _sized(text: str, field: str, longest: int, required: bool) -> str:
    if len(text) > longest:
        raise InvalidInput(
            _("Use at most %(most)d characters; you have %(n)d.")
            % {"most": longest, "n": len(text)},
            field=field,
        )
    if visible(text).strip():
        return text
    if required:
        raise InvalidInput(_("This can’t be blank."), field=field)
    _refuse_invisible(_SHOWS_NOTHING, text, field)
    return text
