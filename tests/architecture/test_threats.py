"""docs/threats.md names tests as evidence. They exist, and no chapter is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threats.md").read_text()
TESTS = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
NAMED = sorted(set(re.findall(r"`([\w/.-]*\btest_\w+(?:\.py)?)`", PAGE)))


def exists(named: str) -> bool:
    """Return whether there is such a file, or a test of that name."""
    if "/" in named:
        return (ROOT / named).is_file()
    if named.endswith(".py"):
        return named in TESTS
    return any(f"def {named}(" in text for text in TESTS.values())


@pytest.mark.parametrize("named", NAMED)
def test_what_is_named_as_evidence_exists(named):
    assert exists(named)


def test_what_does_not_exist_would_be_noticed():
    assert len(NAMED) > 20
    assert not any(exists(f"{kind}test_nothing_at_all") for kind in ("", "tests/api/"))
    assert not exists("test_nothing_at_all.py")


def test_each_chapter_of_the_standard_has_a_verdict():
    verdicts = re.findall(r"^\| V(\d+) .*? \| \*\*(?:Met|Not met|Not applicable)", PAGE, re.M)

    assert verdicts == [str(number) for number in range(1, 18)]
