"""Typed text: names are one line, look-alikes are refused, nothing invisible steers a screen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontime.core import text
from commontime.core.errors import InvalidInput

BREAKS = ["\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
CONTROLS = ["\x00", "\x07", "\x1b", "\x7f", "\x9b"]
DIRECTIONS = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]


def accepts(check, value: str, **how) -> bool:
    try:
        check(value, field="it", **how)
    except InvalidInput as refusal:
        return refusal.fields.keys() != {"it"}
    return True


@pytest.mark.parametrize("bad", [*BREAKS, *CONTROLS, *DIRECTIONS, "\ufeff", "\ud800"])
def test_one_line_has_no_breaks_controls_or_directions(bad):
    assert not accepts(text.one_line, f"before{bad}after", longest=100)


@pytest.mark.parametrize("bad", [*CONTROLS, "\ufff9", "\ud800"])
def test_many_lines_have_no_other_controls(bad):
    assert not accepts(text.many_lines, f"before{bad}after", longest=100)


def test_many_lines_end_alike_and_keep_their_tabs():
    assert (
        text.many_lines(" one\r\ntwo\rthree\n\tfour ", field="it", longest=100)
        == "one\ntwo\nthree\n\tfour"
    )


@pytest.mark.parametrize("end", ["\r\n", *BREAKS])
def test_every_line_end_that_was_pasted_becomes_one_of_ours(end):
    assert text.many_lines(f"one{end}two", field="it", longest=100) == "one\ntwo"


@pytest.mark.parametrize("mark", [*DIRECTIONS, "\ufeff"])
def test_direction_marks_pasted_into_a_text_are_dropped(mark):
    assert text.many_lines(f"{mark}one{mark}\ntwo", field="it", longest=100) == "one\ntwo"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            "abc\u202edef",
            "This contains an invisible character (U+202E RIGHT-TO-LEFT OVERRIDE) after “abc”. "
            "Delete it.",
        ),
        (
            f"{'long ' * 10}name\u2028",
            "This contains an invisible character (U+2028 LINE SEPARATOR) after “… long long long "
            "name”. Delete it.",
        ),
        (
            " \ufeffabc",
            "This begins with an invisible character (U+FEFF ZERO WIDTH NO-BREAK SPACE). "
            "Delete it.",
        ),
        ("abc\x07", "This contains an invisible character (U+0007) after “abc”. Delete it."),
        ("one\ntwo", "This must be one line. Remove the line breaks."),
    ],
)
def test_an_invisible_character_in_a_name_is_named_with_its_place(typed, sentence):
    with pytest.raises(InvalidInput) as refusal:
        text.one_line(typed, field="it", longest=100)

    assert refusal.value.detail == sentence


def test_text_is_trimmed_before_it_is_measured():
    assert text.one_line("  abc  ", field="it", longest=3) == "abc"
    assert not accepts(text.one_line, "abcd", longest=3)
    assert text.one_line("", field="it", longest=3) == ""


@pytest.mark.parametrize(
    "blank", ["", "   ", "\u3000", "\u200b", "\u200b \u2060", "\u3164", "\u00ad"]
)
def test_what_shows_nothing_is_blank(blank):
    assert not accepts(text.one_line, blank, longest=10, required=True)


@pytest.mark.parametrize("unseen", ["\u200b", " \u2060 ", "\u3164\ufe0f"])
def test_text_that_may_be_empty_may_not_only_look_so(unseen):
    assert not accepts(text.one_line, unseen, longest=10)
    assert not accepts(text.many_lines, unseen, longest=10)
    assert (
        text.one_line("  ", field="it", longest=10)
        == text.many_lines("\n", field="it", longest=10)
        == ""
    )


@pytest.mark.parametrize(
    "fine",
    [
        "Zoë",
        "O'Neill-Ito",
        "陳大文",
        "Анна Каренина",
        "مينا",
        "🎻 Quartet 🎶",
        "<b>bold</b>",
        'a, b; "c" \\d',
        "👩‍🎤",
    ],
)
def test_what_people_write_is_fine(fine):
    assert text.one_line(fine, field="it", longest=100, required=True) == fine


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mina", "mINA"),
        ("Jürgen", "JÜRGEN"),
        ("Jürgen", "Ju\u0308rgen"),
        ("straße", "STRASSE"),
        ("ﬁne", "FINE"),
        ("ｍｉｎａ", "mina"),
        ("Ωmega", "ωMEGA"),
        (" mina ", "mina"),
        ("ǅ", "ǆ"),
        ("sam@müller.example", "Sam@XN--MLLER-KVA.example"),
        ("sam@MU\u0308LLER.example", "sam@müller.example"),
        ("sam@straße.example", "sam@xn--strae-oqa.example"),
        ("sam@例え。テスト", "sam@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_two_spellings_of_one_name_are_one_name(one, other):
    assert text.canonical(one) == text.canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mina", "mína"),
        ("ı", "i"),
        ("sam", "sam1"),
        ("o", "0"),
        ("a@straße.example", "a@strasse.example"),
    ],
)
def test_two_names_are_two_names(one, other):
    assert text.canonical(one) != text.canonical(other)


@given(st.text(max_size=30) | st.text(max_size=30).map("a@{}".format))
def test_a_canonical_name_is_canonical(name):
    assert text.canonical(text.canonical(name)) == text.canonical(name)
    assert text.canonical(name.upper().lower()) == text.canonical(
        unicodedata.normalize("NFD", name.upper().lower())
    )


@given(st.text(max_size=60), st.booleans())
def test_whatever_is_typed_is_refused_or_one_line_that_stays_the_same(typed, required):
    if accepts(text.one_line, typed, longest=40, required=required):
        kept = text.one_line(typed, field="it", longest=40)
        assert len(kept) <= 40
        assert len(kept.splitlines()) <= 1
        assert text.one_line(kept, field="it", longest=40) == kept
        kept.encode()


@pytest.mark.parametrize(
    "fine",
    [
        "mina",
        "mina_99",
        "Zoë",
        "Nguyễn",
        "анна",
        "陳大文",
        "さくらサクラ桜",
        "佐々木",
        "野々村",
        "ユー子",
        "김철수",
        "金철수",
        "ㄅ陳",
        "kaʻiulani",
        "राम",
        "தமிழ்",
        "ภูมิ",
        "עִבְרִית",
        "ᏣᎳᎩ",
        "m.i-n+a@b",
    ],
)
def test_a_name_of_one_writing_system_is_fine(fine):
    assert accepts(text.check_name, fine)


@pytest.mark.parametrize(
    "alike",
    [
        "mіna",
        "аlice",
        "pаypal",
        "陳丨ice",
        "ᏣᎳᎩabc",
        "αdmin",
        "sаm",
        "ad\u200bmin",
        "admin\u2060",
        "a\u00addmin",
        "\u202eadmin",
        "ａdmіn",
        "ad\U000e0100min",
        "mi\u0307na",
        "mn\u0303\u0303a",
        "\u0301mina",
    ],
)
def test_a_name_that_could_pass_for_another_is_refused(alike):
    assert not accepts(text.check_name, alike)
