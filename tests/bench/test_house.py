"""The table of a small tree has the right figures."""

import ast

import pytest

from bench import house

MODULE = '''"""Say what this is. Then more."""


def plain(value):
    return value


def branching(values, found):
    """Return a few of the values, in an order
    that is told here.
    """
    if values and found or not values:
        for value in values:
            try:
                print(value)
            except OSError:
                return None
    match found:
        case 1:
            return [v for v in values if v if not found]
        case _:
            pass

    def inner():
        while True:
            pass

    return values if found else inner
'''


def function(text: str) -> house.Function:
    return next(node for node in ast.walk(ast.parse(text)) if isinstance(node, house.Function))


@pytest.fixture
def tree(tmp_path):
    """Make a checkout with a Python file, a migration, a test, a page and a document."""
    package = tmp_path / "src" / "commontime"
    (package / "engine").mkdir(parents=True)
    (package / "migrations").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "docs").mkdir()
    (package / "rules.py").write_text(MODULE)
    (package / "engine" / "rank.py").write_text("def rank(a, b):\n    return a or b\n")
    (package / "migrations" / "0001.py").write_text("found = 1  # " + "x" * 100)
    (package / "page.html").write_text("<p>\n\n" + "x" * 130 + "\n" + "x" * 210 + "\n")
    (tmp_path / "tests" / "test_rank.py").write_text("found = 'found'  # found\n" + "x" * 101)
    (tmp_path / "docs" / "page.md").write_text("x" * 101 + "\n\n| " + "x" * 101 + " |\n")
    return tmp_path


def row(rows: list[house.Row], what: str) -> house.Row:
    return next(row for row in rows if row.what.strip().startswith(what))


def test_complexity_counts_every_way_through_a_function():
    assert house.complexity(function("def f(): pass")) == 1
    assert house.complexity(function("def f(a, b, c): return a and b and c")) == 3
    assert house.complexity(function("def f(a): return [x for x in a if x]")) == 3
    assert (
        house.complexity(function("def f(a):\n  match a:\n    case 1: pass\n    case _: pass")) == 3
    )


def test_an_inner_function_has_its_own_complexity(tree):
    rows = house.sources(tree, ["src"])[1].measure_functions(house.complexity)

    # if, and, or, for, except, two cases, a comprehension with two conditions, a ternary
    assert [(place.what, place.value) for place in rows] == [
        ("plain", 1),
        ("branching", 12),
        ("inner", 2),
    ]


def test_the_docstring_is_no_part_of_a_functions_length(tree):
    rows = house.sources(tree, ["src"])[1].measure_functions(house.length)

    assert [(place.what, place.value) for place in rows] == [
        ("plain", 2),
        ("branching", 18),
        ("inner", 3),
    ]


def test_nodes_are_counted_as_python_parses_them():
    # the function, its arguments, one argument, return, name, load
    assert house.nodes(function("def f(a): return a")) == 6


def test_the_first_sentence_ends_at_a_full_stop_and_may_take_two_lines(tree):
    sentences = house.first_sentences(house.sources(tree, ["src"])[1])

    assert [(place.value, place.where) for place in sentences] == [
        (4, "src/commontime/rules.py:1"),
        (13, "src/commontime/rules.py:9"),
    ]


def test_a_word_counts_as_a_name_only(tree):
    (source,) = house.sources(tree, ["tests"])

    assert house.uses(source) == [house.Place(1, "tests/test_rank.py", "lines 1")]


def test_migrations_and_blank_lines_of_templates_are_left_out(tree):
    rows = house.table(tree)

    assert row(rows, "Python lines over 100, src").today == "0 (0.0%)"
    assert row(rows, "template line").today == "130 / 210"
    assert row(rows, "over 120").today == "2 (66.7%)"
    assert row(rows, "over 200").today == "1 (33.3%)"


def test_tables_in_documents_may_be_longer_than_a_line(tree):
    assert row(house.table(tree), "document lines").today == "1 (50.0%)"


def test_the_engine_is_counted_apart(tree):
    rows = house.table(tree)

    assert len(row(rows, "in the engine").places) == 1
    assert len(row(rows, "outside the engine").places) == 3
    assert len(row(rows, "nodes of a function").places) == 4


def test_a_row_says_whether_its_goal_holds(tree):
    rows = house.table(tree)

    assert row(rows, "Python lines over 100, src").holds
    assert row(rows, "Python lines over 100, beside").holds is False
    assert row(rows, "complexity").holds is False
    assert row(rows, "the name `found`, src").today == "5 in 1 files"
    assert row(rows, "the name `found`, everywhere").holds


def test_only_the_rooms_asked_for_are_measured(tree):
    rows = house.table(tree, ("src/commontime/engine",))

    assert len(row(rows, "nodes of a function").places) == 1
    assert row(rows, "template line").places == []


def test_the_worst_places_come_first(tree, capsys):
    house.print_worst([row(house.table(tree), "nodes of a function")], 2)

    first, second = capsys.readouterr().out.strip().splitlines()[1:]
    assert "rules.py:8  branching" in first
    assert "rank.py:1  rank" in second
