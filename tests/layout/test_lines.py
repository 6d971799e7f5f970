"""The grammar of times as text: meanings, refusals, and that written lines are read as the same."""

import itertools
import re
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontime.layout import lines
from commontime.layout.grid import merged
from commontime.layout.line_reader import Days
from commontime.layout.line_words import LANGUAGES, words
from commontime.layout.lines import read, write

BERLIN = ZoneInfo("Europe/Berlin")
MAY = Days(BERLIN, date(2026, 4, 27), date(2026, 5, 10))  # from a Monday to a Sunday


def said(mistake: lines.Mistake) -> str:
    return mistake.message % mistake.values


def shown(text: str, days: Days = MAY) -> list[str]:
    """Return the windows as "4 09:00-12:00 5", or the refusals."""
    windows, mistakes = read(text, days)
    if mistakes:
        return [f"{mistake.line}: {said(mistake)}" for mistake in mistakes]
    local = [
        (*(datetime.fromtimestamp(moment, days.zone) for moment in window[:2]), window[2])
        for window in windows
    ]
    return [f"{start:%-d.%-m. %H:%M}-{end:%H:%M} {preference}" for start, end, preference in local]


DASHES = ["‐", "‑", "‒", "–", "—", "―", "−", "﹘", "﹣", "－", "〜", "～", "~", "⁓"]
DASHES += ["ー", "ｰ", "⁃", "˗", "─", "━", "➖", "--", "——", "──"]
COLONS = ["：", "﹕", "∶", "꞉", "˸", "։", "׃"]
COMMAS = ["、", "､", "，", "﹐", "،"]


@pytest.mark.parametrize("dash", DASHES)
def test_every_dash_between_two_times_was_not_read(dash):
    assert shown(f"4 May 9{dash}12") == ["4.5. 09:00-12:00 5"]
    if len(dash) == 1:
        assert shown(f"2026{dash}05{dash}04 9 {dash} 12") == ["4.5. 09:00-12:00 5"]


@pytest.mark.parametrize("colon", COLONS)
def test_every_colon_in_a_time_was_not_read(colon):
    assert shown(f"4 May 9{colon}30-12{colon}15") == ["4.5. 09:30-12:15 5"]


@pytest.mark.parametrize("comma", COMMAS)
def test_every_comma_between_two_times_was_not_read(comma):
    assert shown(f"4 May 9-12{comma}13-14") == ["4.5. 09:00-12:00 5", "4.5. 13:00-14:00 5"]


@pytest.mark.parametrize("mark", ["\u200b", "\u200e", "\u200f", "\u2060", "\xad", "\ufeff"])
def test_an_invisible_mark_in_a_pasted_line_made_it_unclear(mark):
    line = f"{mark}4{mark} May{mark} 9:30{mark}-{mark}12{mark}"

    assert shown(f"{line}\n{mark}\n{mark} 5 May 9-12") == [
        "4.5. 09:30-12:00 5",
        "5.5. 09:00-12:00 5",
    ]


@pytest.mark.parametrize("zero", "٠۰०০๐０𝟎")
def test_the_digits_of_every_script_are_read(zero):
    digits = {ord(digit): chr(ord(zero) + int(digit)) for digit in "0123456789"}

    assert shown("4 May 9:30-12 ideal 10".translate(digits)) == ["4.5. 09:30-12:00 10"]


def test_a_line_in_full_width_letters_is_read():
    assert shown("４ Ｍａｙ ９：３０－１２　ｉｄｅａｌ") == ["4.5. 09:30-12:00 9"]


def test_a_mistake_quotes_the_line_as_it_was_typed():
    assert "“Ｘ〜Ｙ”" in shown("4 May 9-12 Ｘ〜Ｙ")[0]


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("Mon 9-12 works", ["27.4. 09:00-12:00 5", "4.5. 09:00-12:00 5"]),
        ("4 May 9-12", ["4.5. 09:00-12:00 5"]),
        ("Monday 4 May 2026 9:30–12 ideal", ["4.5. 09:30-12:00 9"]),
        ("2026-05-04 9am-1pm if need be", ["4.5. 09:00-13:00 2"]),
        ("4 May 1-5pm", ["4.5. 13:00-17:00 5"]),
        ("4 May 9-5pm", ["4.5. 09:00-17:00 5"]),
        ("4 May 9-12 and 14-16", ["4.5. 09:00-12:00 5", "4.5. 14:00-16:00 5"]),
        ("1 May - 3 May 10-11", ["1.5. 10:00-11:00 5", "2.5. 10:00-11:00 5", "3.5. 10:00-11:00 5"]),
        (
            "weekends 10-11, not 2 May",
            ["3.5. 10:00-11:00 5", "9.5. 10:00-11:00 5", "10.5. 10:00-11:00 5"],
        ),
        (
            "Mon-Wed 8-9 works, not 27 Apr and Tue",
            ["29.4. 08:00-09:00 5", "4.5. 08:00-09:00 5", "6.5. 08:00-09:00 5"],
        ),
        ("4 May 22-2", ["4.5. 22:00-02:00 5"]),
        ("4 May all day", ["4.5. 00:00-00:00 5"]),
        (
            "on Monday 4 May from 9 to 12 and from 14 to 16",
            ["4.5. 09:00-12:00 5", "4.5. 14:00-16:00 5"],
        ),
        ("May 4 9\N{MINUS SIGN}12", ["4.5. 09:00-12:00 5"]),
        ("May 4th, 2026 9-12", ["4.5. 09:00-12:00 5"]),
        ("Mon May 4 9-12", ["4.5. 09:00-12:00 5"]),
        (
            "1st May - 3rd May 9-10",
            ["1.5. 09:00-10:00 5", "2.5. 09:00-10:00 5", "3.5. 09:00-10:00 5"],
        ),
        ("26 Apr 2026 9-12", ["26.4. 09:00-12:00 5"]),
        ("4 Jun 9-12", ["4.6. 09:00-12:00 5"]),
        ("4 May 9-12 works 7", ["4.5. 09:00-12:00 7"]),
        (
            "4 May 9-12\n4 May 10-11 ideal",
            ["4.5. 09:00-10:00 5", "4.5. 10:00-11:00 9", "4.5. 11:00-12:00 5"],
        ),
    ],
)
def test_what_a_line_means(line, means):
    assert shown(line) == means


@pytest.mark.parametrize(
    ("language", "line", "english"),
    [
        ("de", "Mo 9-12 passt", "Mon 9-12 works"),
        (
            "de",
            "werktags 9-17 zur Not, nicht 2. Mai und Mittwoch",
            "weekdays 9-17 if need be, not 2 May and Wed",
        ),
        ("de", "Di bis Do 9 Uhr bis 12 Uhr ideal", "Tue-Thu 9-12 ideal"),
        ("de", "Mo 4. Mai 2026 22:00-Di 5. Mai 2026 2:00 zur Not 3", "4 May 22-2 if need be 3"),
        ("de", "sonntags ganztags", "Sunday all day"),
        ("de", "Mon 9-12 works, not 4 May", "Mon 9-12 works, not 4 May"),
        ("fr", "lun 9h30-12h convient", "Mon 9:30-12 works"),
        (
            "fr",
            "en semaine 9-17 si ne\u0301cessaire, pas le 1 mai et mar",
            "weekdays 9-17 if need be, not 1 May and Tue",
        ),
        ("fr", "mar 5 mai 9 à 12 et 14-16 idéal 10", "5 May 9-12 and 14-16 ideal 10"),
        ("fr", "week-end toute la journée", "weekend all day"),
        ("de", "am 4.5. 9-12", "4 May 9-12"),
        ("de", "4.5.2026 von 9.30 bis 12 Uhr", "4 May 9:30-12"),
        ("de", "Mo 4.5. - 6.5. 9-12, nicht den 5.5.", "4 May - 6 May 9-12, not 5 May"),
        ("fr", "le 1er mai de 9h à 12h", "1 May 9-12"),
        ("fr", "le lundi 9h-12h", "Mon 9-12"),
        ("fr", "lun 4/5/2026 9-12", "4 May 9-12"),
        ("fr", "mar 5/5 9-12", "5 May 9-12"),
        ("tlh", "Mon 9-12", "Mon 9-12"),
    ],
)
def test_a_line_in_ones_own_language_means_what_it_means_in_english(language, line, english):
    here = Days(MAY.zone, MAY.first, MAY.last, language)

    assert read(line, here) == (read(english, MAY)[0], [])
    assert read(line, here)[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_language_is_understood_in_it(language):
    year, known = Days(BERLIN, date(2026, 1, 1), date(2026, 12, 31), language), words(language)

    for month, names in enumerate(known.months, 1):
        assert {shown(f"9 {name} 8-9", year)[0] for name in names} == {f"9.{month}. 08:00-09:00 5"}
    for place, name in enumerate(known.weekdays):
        said = [
            shown(f"{name[:length]} 8-9", year)[0] for length in range(known.least, len(name) + 1)
        ]
        assert set(said) == {
            shown(f"{(date(2026, 1, 1) + timedelta(days=(place - 3) % 7)):%Y-%m-%d} 8-9", year)[0]
        }
    for names in (known.working_days, known.weekends, known.every_day):
        assert len({tuple(shown(f"{name} 8-9", year)) for name in names}) == 1


def test_weekdays_but_one():
    assert len(shown("weekdays 9-12, not 1 May")) == 9


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Mon", "Write a time here"),
        ("Mon 9", "Add an end time"),
        ("Mon 25-26", "25 isn’t a time of day"),
        ("30 Feb 9-12", "There is no 30 Feb"),
        ("Tue 4 May 9-12", "is not a Tue"),
        ("Mon 9-12 perhaps", "This part isn’t clear: “perhaps”"),
        ("Mon 9-12 works 9", "0 to 3 means if need be"),
        ("Mond 9-12, not", "This part isn’t clear: “not”"),
        ("Monkey 9-12", "“Monkey” isn’t a day of the week"),
        ("8 May - 4 May 9-12", "The last day is before the first"),
        ("4 May 9 - 4 Aug 9", "at most 31 days"),
        ("Sat 9-12, not weekends", "None of these days"),
        (
            "26 Apr 9-12",
            "26 Apr isn’t one of this calendar’s days",
        ),  # the day before them; not that of next year
        ("Sun 26 Apr 9-12", "If you do mean it, add the year"),
        ("29 Feb 9-12", "isn’t one of this calendar’s days"),
        ("5/4 9-12", "Add an end time"),
        ("May 9-12", "Write a time here"),  # from the 9th to the 12th, or from 9 to 12 o'clock?
    ],
)
def test_a_refusal_names_the_line_and_what_is_wrong(line, says):
    _, mistakes = read(f"4 May 8-9\n{line}", MAY)

    assert [mistake.line for mistake in mistakes] == [2]
    assert says in said(mistakes[0])


def test_an_hour_that_comes_twice_is_told_apart():
    autumn = Days(BERLIN, date(2026, 10, 25), date(2026, 10, 25))
    first, second = (
        read(line, autumn)[0]
        for line in ("25 Oct 2:00-2:30", "25 Oct 2:00 (second time)-2:30 (second time, CET)")
    )

    assert second[0][0] - first[0][0] == 3600
    assert (
        read("25 Oct all day", autumn)[0][0][1] - read("25 Oct all day", autumn)[0][0][0]
        == 25 * 3600
    )


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "language", "line"),
    [
        (
            BERLIN,
            date(2026, 10, 25),
            0.5,
            1,
            "en",
            "Sun 25 Oct 2026 2:30 (first time)-2:00 (second time) works",
        ),
        (
            BERLIN,
            date(2027, 10, 31),
            0.5,
            1.5,
            "en",
            "Sun 31 Oct 2027 2:30 (first time)-2:30 (second time) works",
        ),
        (
            BERLIN,
            date(2027, 10, 31),
            0.5,
            1,
            "de",
            "So 31. Okt 2027 2:30 (erstes Mal)-2:00 (zweites Mal) passt",
        ),
        (
            BERLIN,
            date(2027, 10, 31),
            1.5,
            2,
            "fr",
            "dim 31 oct 2027 2:30 (deuxième fois)-3:00 convient",
        ),
        (
            ZoneInfo("Australia/Lord_Howe"),
            date(2027, 4, 4),
            -9.5,
            -9,
            "en",
            "Sun 4 Apr 2027 1:30 (first time)-1:30 (second time) works",
        ),
        (
            ZoneInfo("Asia/Kathmandu"),
            date(2027, 10, 31),
            0.5,
            1,
            "en",
            "Sun 31 Oct 2027 6:15-6:45 works",
        ),
    ],
)
def test_times_that_come_twice_are_written_apart_and_read_again(
    zone, day, start, end, language, line
):
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    window = (midnight + start * 3600, midnight + end * 3600, 5)

    assert write([window], zone, language) == line
    assert read(line, Days(zone, day, day, language)) == ([window], [])


@pytest.mark.parametrize(
    ("zone", "line", "says"),
    [
        (
            BERLIN,
            "Sun 2:30-4",
            "2:30 doesn’t exist on Sun 28 Mar 2027: the clocks go forward from 2:00 to 3:00. Write "
            "1:30 or 3:30.",
        ),
        (
            BERLIN,
            "daily 1-2:30",
            "2:30 doesn’t exist on Sun 28 Mar 2027: the clocks go forward from 2:00 to 3:00. Write "
            "1:30 or 3:30.",
        ),
        (
            BERLIN,
            "Sun 2-3",
            "2:00 doesn’t exist on Sun 28 Mar 2027: the clocks go forward from 2:00 to 3:00. Write "
            "1:00 or 3:00.",
        ),
        (
            BERLIN,
            "Sat 22-2:10",
            "2:10 doesn’t exist on Sun 28 Mar 2027: the clocks go forward from 2:00 to 3:00. Write "
            "1:10 or 3:10.",
        ),
        (
            ZoneInfo("Australia/Lord_Howe"),
            "3 Oct 2027 2:15-3",
            "2:15 doesn’t exist on Sun 3 Oct 2027: the clocks go forward from 2:00 to 2:30. Write "
            "1:45 or 2:45.",
        ),
    ],
)
def test_a_time_that_clocks_skip_is_refused_with_those_around_it(zone, line, says):
    days = Days(zone, date(2027, 3, 22), date(2027, 3, 28))

    assert shown(line, days) == [f"1: {says}"]
    assert shown(line, Days(zone, days.first, days.last, h12=True)) == [
        f"1: {re.sub(r'(\d:\d\d)', r'\1 am', says)}"
    ]


@pytest.mark.parametrize(
    ("zone", "line", "means"),
    [
        (BERLIN, "28 Mar 2027 1-2", ["28.3. 01:00-03:00 5"]),  # until they are put forward
        (BERLIN, "28 Mar 2027 all day", ["28.3. 00:00-00:00 5"]),
        (
            ZoneInfo("America/Havana"),
            "10 Mar 2024 0-2",
            ["10.3. 01:00-02:00 5"],
        ),  # the day begins at 1:00
        (ZoneInfo("America/Havana"), "9 Mar 2024 22-0", ["9.3. 22:00-01:00 5"]),
    ],
)
def test_the_moment_at_which_clocks_are_put_forward_ends_what_comes_before_it(zone, line, means):
    assert shown(line, Days(zone, date(2027, 3, 1), date(2027, 3, 31))) == means


@pytest.mark.parametrize(
    ("language", "line", "english"),
    [
        ("en", "4 May 9-noon and 9pm-midnight", "4 May 9-12 and 21-24"),
        ("en", "4 May midnight-2", "4 May 0-2"),
        ("de", "Mo mittags-14 und 22 bis Mitternacht passt", "Mon 12-14 and 22-24"),
        ("de", "Mittag-14 ideal", "daily 12-14 ideal"),
        ("fr", "lun 9 à midi et 22-minuit", "Mon 9-12 and 22-24"),
    ],
)
def test_noon_and_midnight_have_names(language, line, english):
    found = read(line, Days(MAY.zone, MAY.first, MAY.last, language))

    assert found == (read(english, MAY)[0], [])
    assert found[0]


def test_times_are_written_as_the_person_tells_them():
    windows, _ = read("4 May 12:30-16 and 22-24\n5 May 0-24", MAY)

    assert write(windows[:1], BERLIN, h12=True) == "Mon 4 May 2026 12:30 pm-4:00 pm works"
    assert (
        write(windows[1:], BERLIN, h12=True)
        == "Mon 4 May 2026 10:00 pm-Wed 6 May 2026 12:00 am works"
    )


ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/Havana",
        "UTC",
        "America/St_Johns",
    )
]


@st.composite
def sets_of_windows(draw):
    """Windows to the second, or to the microsecond, that don't overlap: many of them around changes
    of clocks.
    """
    anchors = [
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 10, 24, tzinfo=UTC),
        datetime(2026, 4, 4, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    ]
    at = draw(st.sampled_from(anchors)).timestamp()
    found = []
    for _ in range(draw(st.integers(0, 6))):
        start = at + draw(st.integers(0, 40)) * 900 + draw(st.sampled_from([0, 0, 0, 60, 1, 0.25]))
        end = start + draw(st.integers(1, 200)) * 900 + draw(st.sampled_from([0, 0, 0, 60, 1, 0.5]))
        found.append((start, end, draw(st.integers(0, 10))))
        at = end
    return found


@given(sets_of_windows(), st.sampled_from(ZONES), st.sampled_from(list(LANGUAGES)), st.booleans())
def test_what_is_written_is_read_again_the_same(windows, zone, language, h12):
    days = Days(zone, date(2026, 1, 1), date(2026, 12, 31), language)

    again, mistakes = read(write(windows, zone, language, h12=h12), days)

    assert mistakes == []
    assert again == merged(windows)


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                "Mon",
                "4",
                "May",
                "9",
                "-",
                "12",
                ",",
                "not",
                "and",
                "works",
                "(first time)",
                "all",
                "day",
                "pm",
                "9:30",
                "2026-05-04",
            ]
        )
    ).map(" ".join)
)
def test_any_text_is_read_or_refused(text):
    windows, mistakes = read(text, MAY)

    assert all(
        start < end <= start + timedelta(days=31).total_seconds() for start, end, _ in windows
    )
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(windows))
    assert all(1 <= mistake.line <= max(1, len(text.splitlines())) for mistake in mistakes)


def test_too_much_is_refused_not_computed():
    year = Days(BERLIN, date(2026, 1, 1), date(2026, 12, 31))
    _, mistakes = read(
        "\n".join(
            f"daily {hour}:{minute:02}-{hour}:{minute + 5:02}"
            for hour in range(24)
            for minute in (0, 20, 40)
        ),
        year,
    )

    assert len(mistakes) == 1
    assert str(lines.WINDOW_LIMIT) in said(mistakes[0])


# What somebody can send in 200,000 characters, and what it took before: minutes to days.
LONG = {
    "many times on many days": "daily " + ",".join(f"{n % 24}-{n % 24 + 1}" for n in range(30_000)),
    "many days": "mon," * 49_000 + "mon 9-10",
    "many ranges": "2026-01-01 - 2027-01-31," * 8_000 + "mon 9-10",
    "many days left out": "mon 9-10, not " + "daily," * 30_000 + "mon",
    "many ranges in mistakes": "\n".join(["2026-01-01 - 2027-01-31," * 4 + "mon 9-10 x"] * 1_700),
    "over and over": "\n".join(f"daily {n % 23}:{n % 60:02}-23:59" for n in range(2_000)),
    "in between": "\n".join(
        ["daily all day works"]
        + [
            f"{n % 4 + 1:02} May {n // 120:02}:{n // 4 % 30 * 2:02}-24:00 ideal"
            for n in range(1990)
        ]
    ),
}


@pytest.mark.timeout(20, func_only=True)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_of_times_kept_a_thread_busy_for_ever(text):
    """It is counted before it is computed."""
    year = Days(BERLIN, date(2026, 1, 1), date(2027, 1, 31))
    began = time.process_time()

    windows, _ = read(text, year)

    assert time.process_time() - began < 5
    assert len(windows) <= 3 * lines.WINDOW_LIMIT


@pytest.mark.timeout(20, func_only=True)
def test_a_line_of_accents_alone_is_refused_at_once():
    """Normalising a long run of them takes time in the square of its length."""
    windows, mistakes = read("a" + "\u0300\u0316" * 99_000, MAY)

    assert (windows, [mistake.line for mistake in mistakes]) == ([], [1])
