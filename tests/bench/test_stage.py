"""Tests and benchmarks stand on `stage`, not on each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def packages_imported(source: str) -> set[str]:
    """Return the top packages that a source imports, wherever in it."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                packages |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(module=str(module)):
                packages.add(module.partition(".")[0])
    return packages


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("stage", {"tests", "bench", "chaos", "django"}),
        ("bench", {"tests", "chaos"}),
        ("chaos", {"tests", "bench"}),
    ],
)
def test_a_stage_knows_nobody_on_it_and_benchmarks_no_tests(package, others):
    paths = list((ROOT / package).rglob("*.py"))

    assert paths
    assert {
        str(path.relative_to(ROOT)): imported
        for path in paths
        if (imported := packages_imported(path.read_text()) & others)
    } == {}


def test_an_import_inside_a_function_would_be_seen():
    assert packages_imported("def f():\n    from tests import build") == {"tests"}
