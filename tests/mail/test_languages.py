"""Mails read as a person of each language writes: here what a test can see of that."""

import re
from pathlib import Path

import pytest
from django.utils import translation

import commontime
from tests.mail.examples import EVERY_LETTER

TEMPLATES = sorted(Path(commontime.__file__).parent.glob("*/templates/**/*.*"))
# French has a no-break space before these.
TOUCHING = re.compile(r"[^\s\u00a0\u202f\d][:;?!»](?=\s|$)|«(?=\S)")
BREAKING = re.compile(r"[^\S\u00a0\u202f]+[:;?!»](?=\s|$)")


def punctuation_after_a_text(template: str) -> list[str]:
    """Return where a sentence's punctuation follows a translation, so no language can place it."""
    ends = r"\{%-? *(?:translate\b[^%]*|endblocktranslate *)-?%\}|\}\}(?:</\w+>)?"
    return re.findall(rf"(?:{ends})\s*[:;?!»](?=\s|<|$)", re.sub(r"style=\"[^\"]*\"", "", template))


def outside_texts(template: str) -> str:
    """Return the template without the inside of its translations."""
    return re.sub(
        r"(\{% *blocktranslate\b.*?%\}).*?(\{% *endblocktranslate *%\})",
        r"\1\2",
        template,
        flags=re.DOTALL,
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_colon_stood_outside_the_text_where_french_could_not_space_it(path):
    assert punctuation_after_a_text(outside_texts(path.read_text())) == []


@pytest.mark.parametrize(
    "template",
    [
        '{% translate "Join" %}: {{ url }}',
        "{% blocktranslate %}Join{% endblocktranslate %} : x",
        '{{ name }}</a>: {{ errors|join:" " }}',
    ],
)
def test_such_a_colon_would_be_found(template):
    assert punctuation_after_a_text(outside_texts(template))


@pytest.mark.parametrize("write", EVERY_LETTER.values(), ids=EVERY_LETTER)
def test_french_has_its_space_before_colons(write):
    with translation.override("fr"):
        letter = write("Budget")

    words = re.sub(r"<[^>]*>", " ", letter.html)
    for part in (letter.subject, letter.text, words):
        assert TOUCHING.findall(part) == []
        assert BREAKING.findall(part) == []
