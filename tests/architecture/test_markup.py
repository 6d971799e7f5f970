"""Markup is in templates: where Python writes it, a measured reason stands beside it."""

import ast
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "src" / "commontime" / "web"
# Python writes the cells of two tables, and marks as safe what Jinja escaped.
MARKUP = {"tables.py"}
SAFE = {"tables.py", "jinja.py"}
_SAFE = re.compile(r"\b(?:mark_safe|format_html(?:_join)?|SafeString\(|SafeText|Markup|__html__)\b")


def written_in(source: str) -> list[str]:
    """Return the strings of a source that hold an element; docstrings apart."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return [
        node.value
        for node in strings
        if id(node) not in docstrings and re.search(r"</?[a-z][\w-]*[ >/]|<!--", node.value)
    ]


def test_only_the_tables_are_written_in_python():
    written = {path.name for path in WEB.rglob("*.py") if written_in(path.read_text())}

    assert written == MARKUP


def test_only_named_files_call_something_safe():
    safe = {path.name for path in WEB.rglob("*.py") if _SAFE.search(path.read_text())}

    assert safe == SAFE


@pytest.mark.parametrize(
    "source", ["f'<li>{name}</li>'", "'<' + 'li class=' + name if '<br>' else ''"]
)
def test_markup_in_python_would_be_noticed(source):
    assert written_in(f"text = {source}")


def test_what_a_docstring_says_of_elements_is_no_markup():
    assert written_in('def paint():\n    """`<availability-grid>` paints."""') == []


# Jinja --------------------------------------------------------------------------------------------

TEMPLATES = sorted((WEB / "jinja2").rglob("*.html"))


def hidden_from_the_catalogues(text: str) -> list[str]:
    """Return the texts that `make texts` would not gather: it reads these templates as Django's."""
    gathered = re.compile(r'\{\{ _\("[^"]+"\) \}\}|\{% set \w+ = _\("[^"]+"\) %\}')
    return re.findall(r"_\(.*", gathered.sub("", text))


def test_every_text_of_a_jinja_template_is_gathered():
    assert TEMPLATES
    assert {
        path.name: texts
        for path in TEMPLATES
        if (texts := hidden_from_the_catalogues(path.read_text()))
    } == {}


@pytest.mark.parametrize(
    "text", ['{{ _("yes") if answered else _("no") }}', '{{ _("%(n)d", n=1) }}', "{{ _('yes') }}"]
)
def test_a_text_that_is_not_gathered_would_be_noticed(text):
    assert hidden_from_the_catalogues(text)


def test_no_jinja_template_leaves_anything_unescaped():
    assert [
        path.name for path in TEMPLATES if re.search(r"\|\s*safe|autoescape", path.read_text())
    ] == []
