import pytest

from commontime.core.kept import Kept


def never() -> str:
    pytest.fail("It is kept.")


def test_memory_has_an_end_and_what_was_asked_for_last_stays():
    kept = Kept(400, size=len)
    for name in "abcd":
        kept.get(name, lambda: "x" * 100)
    kept.get("a", never)

    kept.get("e", lambda: "x" * 100)

    assert kept.get("a", never) == "x" * 100
    assert kept.get("b", lambda: "made anew") == "made anew"


def test_what_would_push_out_much_of_the_rest_is_not_kept():
    kept = Kept(400, size=len)
    kept.get("large", lambda: "x" * 101)

    assert kept.get("large", lambda: "made anew") == "made anew"
