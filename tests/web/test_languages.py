"""A page is wholly in one language: its reader's choice, else what their browser asks for."""

import ast
import os
import re
import shutil
import subprocess
from gettext import GNUTranslations
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import get_language

import commontime
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.models import UserSetting
from commontime.calendars import actions as calendar_actions
from commontime.calendars.planning import comparing, insights, plans
from commontime.core.text import some_of
from commontime.web import accounts, home, new_calendar, sign_in, words
from tests import build
from tests.catalogue import read
from tests.client import caller
from tests.mail.test_languages import BREAKING, TOUCHING
from tests.pages import Client
from tests.post import Post
from tests.web.browser import Browser, browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def languages(monkeypatch) -> list[str | None]:
    """The language that was active whenever a page was made."""
    seen: list[str | None] = []
    for module in (accounts, home, sign_in):
        real = module.page
        monkeypatch.setattr(
            module,
            "page",
            lambda *args, _real=real, **kwargs: (
                seen.append(get_language()),
                _real(*args, **kwargs),
            )[1],
        )
    return seen


def test_a_page_is_in_the_language_its_reader_chose(languages):
    sam = build.user()
    account_settings.change_settings(sam, locale="fr")
    browser = browser_of(sam)

    browser.client.get("/app/", headers={"accept-language": "de"})

    assert languages[-1] == "fr"
    assert translation.get_language() == "en"


@pytest.mark.parametrize(
    ("asked", "language"),
    [("de-AT,de;q=0.9", "de"), ("tlh, fr;q=0.5", "fr"), ("tlh", "en"), ("", "en")],
)
def test_who_has_not_signed_in_sees_what_the_browser_asks_for(asked, language, languages):
    Browser().client.get("/app/sign-in/", headers={"accept-language": asked})

    assert languages == [language]


def test_the_api_speaks_english():
    answer = caller().post("/login/", {"username": "nobody", "password": "x"}, accept_language="de")

    assert answer.data["detail"].startswith("Wrong username or password.")


# What is translated -------------------------------------------------------------------------------


PACKAGE = Path(commontime.__file__).parent
OTHERS = ["de", "fr"]
PLACES = re.compile(r"%\(\w+\)[a-z]|%%|%[a-z]|<[^>]+>")
ENGLISH = {
    "the",
    "and",
    "you",
    "your",
    "with",
    "when",
    "this",
    "that",
    "they",
    "are",
    "is",
    "have",
    "from",
    "which",
}
DATES = {"D j M", "l j F", "l j F Y", "j M Y"}


def catalogue_of(language: str, package: Path = PACKAGE) -> Path:
    return package / "locale" / language / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module")
def gettext() -> None:
    """GNU gettext's programs."""
    if not all(map(shutil.which, ("xgettext", "msgmerge", "msgfmt"))):
        assert not os.environ.get("CI"), "CI must have GNU gettext (.ci/run installs it)."
        pytest.skip(
            "GNU gettext is missing (Debian: apt-get install gettext): nobody sees whether the "
            "translations are up to date."
        )


def test_every_text_of_the_sources_is_in_the_catalogues_and_no_other(
    gettext, tmp_path, monkeypatch, settings
):
    shutil.copytree(
        PACKAGE,
        tmp_path / "src",
        ignore=shutil.ignore_patterns("__pycache__", "*.mo", "engine", "migrations"),
    )
    monkeypatch.chdir(tmp_path / "src")
    settings.LOCALE_PATHS = [str(tmp_path / "src" / "locale")]

    call_command(
        "makemessages", locale=OTHERS, no_location=True, no_wrap=True, no_obsolete=True, verbosity=0
    )

    for language in OTHERS:
        fresh, kept = (
            {entry.key for entry in read(catalogue_of(language, package))}
            for package in (tmp_path / "src", PACKAGE)
        )
        assert (fresh - kept, kept - fresh) == (set(), set()), (
            "Run make texts, and translate what is new."
        )
        assert len(kept) > 700


def test_no_text_hides_where_it_can_not_be_gathered():
    """xgettext finds no text inside an f-string."""
    known, places = (
        {entry.text for entry in read(catalogue_of("de"))},
        {"pgettext": 1, "pgettext_lazy": 1},
    )
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and (node.func.id == "_" or "gettext" in node.func.id)
            ):
                text = node.args[places.get(node.func.id, 0)]
                assert not isinstance(text, ast.Constant) or text.value in known, (
                    path,
                    node.lineno,
                )


def test_a_french_text_had_a_common_space_before_its_colon():
    for entry in read(catalogue_of("fr")):
        for form in entry.forms:
            assert TOUCHING.findall(form) == [], form
            assert BREAKING.findall(form) == [], form
            assert not re.search("«[^\u00a0\u202f]", form), form


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_all_its_places(language):
    for entry in read(catalogue_of(language)):
        assert "fuzzy" not in entry.flags, entry.text
        assert all(form.strip() for form in entry.forms), entry.text
        assert len(entry.forms) == (1 if not entry.plural else {"de": 2, "fr": 3}[language])
        for form in entry.forms:
            places = [
                set(PLACES.findall(text)) for text in (entry.text, entry.plural or entry.text)
            ]
            assert set(PLACES.findall(form)) in places, (entry.text, form)
            assert (
                form[0].isspace() == entry.text[0].isspace() or entry.text == " with enough people"
            )
            assert form[-1] not in ".?!…" or entry.text[-1] in ".?!…" or entry.text in DATES, (
                entry.text,
                form,
            )


STRAIGHT = re.compile("['\"]|%\\(\\w+\\)r")
# A sign without its no-break space: before : ; ? ! » %, after «.
FRENCH_SPACE = re.compile(r"[^\xa0\d:?!(](?=[:;?!»](\s|$))|[^\xa0]%%|«(?!\xa0)")


def test_no_text_has_straight_quotes():
    texts = [
        text
        for language in OTHERS
        for entry in read(catalogue_of(language))
        for text in (entry.text, entry.plural, *entry.forms)
    ]

    assert [text for text in texts if STRAIGHT.search(re.sub(r"<[^>]+>", "", text))] == []
    assert STRAIGHT.search("Nobody is called %(name)r.")


def test_french_signs_have_their_no_break_spaces():
    forms = [form for entry in read(catalogue_of("fr")) for form in entry.forms]

    assert [form for form in forms if FRENCH_SPACE.search(re.sub(r"<[^>]+>", "", form))] == []
    for wrong in ("Non : rien", "Qui?", "« oui »", "5 %% au plus"):
        assert FRENCH_SPACE.search(wrong), wrong


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_shown_is_what_was_translated(language, gettext, tmp_path):
    """The .mo files, which are what is read, hold the same as the .po files."""
    made = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", made, catalogue_of(language)], check=True)

    kept, fresh = (
        GNUTranslations(path.open("rb"))._catalog
        for path in (catalogue_of(language).with_suffix(".mo"), made)
    )

    assert {key: text for key, text in kept.items() if key} == {
        key: text for key, text in fresh.items() if key
    }, "Run make texts."


def test_one_more_person_is_not_several_in_french():
    with translation.override("fr"):
        assert some_of(["Ana", "Bao", "Zoé"], 2) == "Ana, Bao et 1 autre"
        assert some_of(["Ana", "Bao", "Zoé"], 1) == "Ana et 2 autres"


@pytest.mark.parametrize(("language", "said"), [("en", "16.7"), ("de", "16,7"), ("fr", "16,7")])
def test_percents_have_the_readers_decimal_sign(language, said):
    with translation.override(language):
        assert words.percent(0.16667) == said
        assert words.percent(0) == "0"


def test_french_lists_of_losses_have_their_space_before_the_semicolon():
    with translation.override("fr"):
        assert comparing.said_of(["a", "b", "c"]).endswith(" a\xa0; b\xa0; c.")


def test_one_other_person_is_not_one_of_several():
    people: list[Any] = [SimpleNamespace(name=name) for name in "ABCDEFG"]

    assert insights._one_of(people[:6]) == "A, B, C, D, E or 1 other person"
    assert insights._one_of(people) == "A, B, C, D, E or one of 2 others"


def test_fields_say_plainly_what_is_wrong():
    form = new_calendar.NewCalendarForm([], {"name": "", "duration_minutes": "0"})

    assert form.errors["name"] == ["This can’t be blank."]
    assert form.errors["duration_minutes"] == ["Choose a whole number from 1 to 44640."]


# What is seen -------------------------------------------------------------------------------------


def pages_in(language: str) -> dict[str, str]:
    """Return every page by its path, of a calendar with an open and a confirmed meeting and a plan.

    Also the pages of somebody who is not signed in.
    """
    mina, sam = build.user("mina", locale=language, time_zone="Europe/Berlin"), build.user("sam")
    calendar = build.calendar(
        owner=mina, participants=[sam, build.user("iris")], time_zone="Europe/Berlin", name="Chor"
    )
    for person, hours in ((mina, (8, 12)), (sam, (10, 11))):
        build.window(calendar, person, build.day(hours[0]), build.day(hours[1]), preference=2)
    looking = build.meeting(calendar=calendar, title="Probe", duration_minutes=180, location="Saal")
    fixed = build.meeting(calendar=calendar, title="Fest", final_time=build.day(10))
    build.invitation(calendar, build.user("ada"))
    build.invitation(build.calendar(owner=sam, name="Band"), mina)
    calendar_actions.make_plan(calendar, by=mina, question=plans.Question(seconds=1))
    here = f"/app/calendars/{calendar.pk}/"
    browser, stranger = browser_of("mina"), Client(headers={"accept-language": language})
    paths = [
        "/app/",
        "/app/people/",
        "/app/settings/",
        "/app/settings/delete/",
        "/app/calendars/new/",
        "/app/nothing/",
        here,
    ]
    paths += [f"{here}{name}/" for name in ("people", "settings", "plan", "meetings/new")]
    paths += [
        f"{here}meetings/{each}"
        for each in (f"{looking.pk}/", f"{fixed.pk}/", f"{looking.pk}/edit/")
    ]
    paths += [f"{here}meetings/{looking.pk}/?if=1&quorum=3"]
    pages = {path: browser.get(path).text for path in paths}
    pages |= {
        path: stranger.get(path).text
        for path in ("/", "/app/sign-in/", "/app/sign-up/", "/app/password_reset/")
    }
    browser.get(f"{here}times/")
    sent = {**browser.form("times/").fields, "text": "Mo 99", "do": "preview"}
    return {**pages, "times": browser.client.post(f"{here}times/", sent).text}


def seen_in(page: str) -> str:
    """Return what a person reads or hears of a page."""
    spoken = re.findall(
        r'(?:aria-label|title|alt|placeholder|data-says|data-news|data-texts)="([^"]*)"', page
    )
    bare = re.sub(r"<(style|script|datalist|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(" ".join([re.sub(r"<[^>]*>", " ", bare), *spoken]))


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_shows_english(language):
    texts = [
        entry
        for entry in read(catalogue_of(language))
        if entry.forms[0] != entry.text and entry.text not in DATES
    ]
    long = {max(re.split(r"%\(\w+\)[sdr]|%%", entry.text), key=len).strip() for entry in texts}
    sentences = {text for text in long if len(text) > 12}

    shown = {path: seen_in(page) for path, page in pages_in(language).items()}

    for path, text in shown.items():
        assert ENGLISH.isdisjoint(re.findall(r"[^\W\d_]+", text)), (
            path,
            ENGLISH & set(re.findall(r"[^\W\d_]+", text)),
            text,
        )
        assert [sentence for sentence in sentences if sentence in text] == [], path
    assert "Planning is finished." in long  # the measure sees sentences


def test_dates_clock_and_lines_follow_the_settings():
    sam = build.user("sam", locale="de")
    calendar = build.calendar(participants=[sam])
    build.window(calendar, sam, build.day(14), build.day(16), preference=2)
    build.meeting(calendar=calendar, final_time=build.day(14), duration_minutes=90)
    browser, path, on = browser_of("sam"), f"/app/calendars/{calendar.pk}/", build.day()
    day = f"{['Mo', 'Di', 'Mi', 'Do', 'Fr', 'Sa', 'So'][on.weekday()]} {on.day}. "
    assert "14:00–15:30</time>" in (page := browser.get(path).text)
    assert f">{day}" in page
    assert browser.get(f"{path}times/").context["form"].initial["text"].startswith(day)
    assert browser.page.context["form"].initial["text"].endswith("14:00-16:00 zur Not")

    account_settings.change_settings(sam, hour_cycle="h12", locale="fr")

    assert "2:00 pm–3:30 pm</time>" in (page := browser.get(path).text)
    assert re.search(
        r'<th scope="col"[^>]*>(?:(?!</th>).)*<small>[a-zéû]', page
    )  # as in its lists, "6 déc"
    assert (
        f">{['lun', 'mar', 'mer', 'jeu', 'ven', 'sam', 'dim'][on.weekday()]} {on.day} "
        in page.lower()
    )
    assert (
        browser.get(f"{path}times/")
        .context["form"]
        .initial["text"]
        .endswith("2:00 pm-4:00 pm si nécessaire")
    )


def test_a_mail_is_in_its_readers_language():
    post = Post()
    mina, sam = build.user("mina"), build.user("sam", locale="de")
    calendar_actions.invite_person(
        build.calendar(owner=mina, name="Chor").pk, by=mina, receiver=sam.pk
    )

    (mail,) = post.deliver_to("sam")

    assert mail.subject == "Mina lädt dich zu Chor ein"
    assert "Mina möchte im Kalender Chor eine Zeit mit dir finden." in mail.text
    assert ENGLISH.isdisjoint(re.findall(r"\w+", mail.text))


def test_who_is_invited_by_address_reads_the_senders_language():
    post = Post()
    mina = build.user("mina", locale="fr")
    calendar_actions.invite_address(
        build.calendar(owner=mina, name="Chœur").pk, by=mina, email="zoe@example.org"
    )

    assert post.deliver_to("zoe")[0].subject == "Mina vous invite à Chœur"


def test_a_new_account_keeps_the_language_of_the_page():
    browser = Browser()
    browser.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    browser.get("/app/sign-up/")
    browser.send(
        "/app/sign-up/", username="mina", email="mina@example.org", password=build.PASSWORD
    )

    assert UserSetting.objects.get().locale == "de"


def test_a_refusal_is_said_in_the_readers_language():
    eve = build.user("eve", locale="de")
    answer = browser_of("eve").get(f"/app/calendars/{build.calendar().pk}/")

    assert answer.status_code == 404
    assert "Diesen Kalender gibt es nicht, oder du gehörst nicht dazu." in answer.text
    assert (
        caller(eve)
        .get(f"/calendars/{build.calendar().pk}/")
        .data["detail"]
        .startswith("There is no such calendar")
    )
