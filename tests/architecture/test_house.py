"""The house's own rules that neither import-linter nor ruff can see."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.middle import ROOMS, public_functions

PACKAGE = Path(__file__).parents[2] / "src" / "commontime"
PAGES = PACKAGE / "web" / "templates" / "web"
LETTERS = PACKAGE / "mail" / "templates" / "mail"
# With a noun behind them these say all there is to say.
PLAIN_VERBS = {"add", "create", "edit", "remove", "delete", "withdraw", "end", "suggest"}


def sources(pattern: str) -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.glob(pattern)):
        yield str(path.relative_to(PACKAGE)), path.read_text()


# Models and signals -------------------------------------------------------------------------------


def hidden_work_in(source: str) -> list[str]:
    """Return what of a source happens behind the back of whoever saves a row: overridden writes,
    and signals.
    """
    faults = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ClassDef():
                faults += [
                    f"{node.name}.{f.name}"
                    for f in node.body
                    if isinstance(f, ast.FunctionDef) and f.name in {"save", "delete", "full_clean"}
                ]
            case ast.ImportFrom(module=str(module)) if module.startswith(
                ("django.dispatch", "django.db.models.signals", "django.core.signals")
            ):
                faults.append(module)
            case ast.ImportFrom(module="django.db.models", names=names) if any(
                name.name == "signals" for name in names
            ):
                faults.append("signals")
    return faults


def test_nothing_happens_behind_the_back_of_who_saves_a_row():
    views = ("api/", "web/")  # a view's `delete` answers a request
    faults = {
        name: hidden
        for name, source in sources("**/*.py")
        if not name.startswith(views) and (hidden := hidden_work_in(source))
    }

    assert faults == {}


def is_part(name: str) -> bool:
    """Return whether a template is the frame of all pages, or a part of them."""
    return name == "base.html" or Path(name).name.startswith("_")


@pytest.mark.parametrize(
    "source",
    [
        "class Calendar(Row):\n    def save(self, **kwargs): ...",
        "from django.dispatch import receiver",
        "def ready(self):\n    from django.db.models.signals import post_save",
        "from django.db.models import signals",
    ],
)
def test_such_work_would_be_found(source):
    assert hidden_work_in(source)


# Actions, rules, doors ----------------------------------------------------------------------------


def unexplained(functions: Iterable[Any]) -> list[str]:
    """Return the names of those with neither a docstring nor a plain verb and a noun for a name."""
    return [
        f.__name__
        for f in functions
        if not f.__doc__ and not (f.__name__.partition("_")[0] in PLAIN_VERBS and "_" in f.__name__)
    ]


@pytest.mark.parametrize("actions", ROOMS.values())
def test_every_action_says_what_it_does(actions):
    functions = public_functions(actions)

    assert functions
    assert unexplained(functions) == []


def test_an_action_that_says_nothing_would_be_found():
    def process(): ...

    def remove_window(): ...

    assert unexplained([process, remove_window]) == ["process"]


def test_every_rule_asks_whether_somebody_may():
    for name, source in sources("*/rules.py"):
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        assert functions
        assert [
            f.name
            for f in functions
            if not f.name.startswith("may_")
            or ast.unparse(f.returns or ast.Constant(None)) != "bool"
        ] == [], name


def reaching_past_the_queries(source: str) -> list[str]:
    """Return the rows a door fetches by itself, though only the queries know who may see them."""
    return re.findall(
        r"\b(?:Calendar|CalendarParticipant|NonBusyTime|Meeting|MeetingAttendee|ScheduleSuggestion"
        r"|Invitation|Contact|User|UserSetting|Session|KnownNetwork|Mute)\.objects",
        source,
    )


@pytest.mark.parametrize("door", ["api", "web"])
def test_a_door_gets_objects_only_from_queries(door):
    assert {
        name: faults
        for name, source in sources(f"{door}/*.py")
        if (faults := reaching_past_the_queries(source))
    } == {}


def test_a_door_that_fetches_rows_itself_would_be_found():
    assert reaching_past_the_queries("calendar = Calendar.objects.get(pk=calendar_id)")


# Templates ----------------------------------------------------------------------------------------


def wrong_in_page(name: str, text: str) -> list[str]:
    """Return what a template of a page may not have: another frame than ours, or anything the
    content policy would block.
    """
    faults = re.findall(
        r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)|javascript:|https?://"
        r"|\|safe|autoescape off",
        text,
    )
    if not is_part(name) and not text.startswith('{% extends "web/base.html" %}'):
        faults.append("does not extend base.html")
    return faults


def test_every_page_extends_base_and_keeps_to_the_content_policy():
    pages = {str(path.relative_to(PAGES)): path.read_text() for path in PAGES.rglob("*.html")}

    assert len(pages) > 8
    assert {
        name: faults for name, text in pages.items() if (faults := wrong_in_page(name, text))
    } == {}


@pytest.mark.parametrize(
    "text",
    [
        "<html></html>",
        '{% extends "web/base.html" %}<p onclick="go()">',
        '{% extends "web/base.html" %}<script>go()</script>',
        '{% extends "web/base.html" %}<p style="color: red">',
        '{% extends "web/base.html" %}<img src="https://example.org/a.png">',
        '{% extends "web/base.html" %}{{ name|safe }}',
    ],
)
def test_a_page_that_does_not_would_be_found(text):
    assert wrong_in_page("home/home.html", text)


def test_every_letter_has_a_subject_a_text_and_a_page():
    letters = {
        path.name.partition(".")[0]
        for path in LETTERS.iterdir()
        if not path.name.startswith(("base.", "_"))
    }

    assert len(letters) > 10
    missing = [
        f"{letter}.{part}"
        for letter in letters
        for part in ("subject.txt", "txt", "html")
        if not (LETTERS / f"{letter}.{part}").exists()
    ]
    assert missing == []


# Permissions --------------------------------------------------------------------------------------


def permissions_refused_in(source: str) -> int:
    """Count where a source raises NotAllowed itself, and does not ask a rule."""
    return sum(
        isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func).rpartition(".")[2] == "NotAllowed"
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize(
    "source",
    [
        "raise NotAllowed('Only the organiser can do this.')",
        "def view():\n    if not mine:\n        raise errors.NotAllowed(_('No.'))",
    ],
)
def test_a_permission_refused_in_a_door_is_noticed(source):
    assert permissions_refused_in(source) == 1


def test_who_may_do_what_is_said_below_the_doors():
    refusing = [
        name
        for door in ("api", "web", "jobs")
        for name, source in sources(f"{door}/**/*.py")
        if permissions_refused_in(source)
    ]

    assert refusing == []


# Columns ------------------------------------------------------------------------------------------


def test_no_line_of_a_template_is_wider_than_a_screen():
    wide = [
        f"{name}:{number}"
        for name, source in sources("**/*.html")
        for number, line in enumerate(source.splitlines(), 1)
        if len(line) > 120
    ]

    assert wide == []
