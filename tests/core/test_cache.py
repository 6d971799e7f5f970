import pytest

from commontime.core.cache import Cache


def never() -> str:
    pytest.fail("It is cache.")


def test_memory_has_an_end_and_what_was_asked_for_last_stays():
    cache = Cache(400)
    for name in "abcd":
        cache.get(name, lambda: "x" * 100)
    cache.get("a", never)

    cache.get("e", lambda: "x" * 100)

    assert cache.get("a", never) == "x" * 100
    assert cache.get("b", lambda: "made anew") == "made anew"


def test_what_would_push_out_much_of_the_rest_is_not_kept():
    cache = Cache(400)
    cache.get("large", lambda: "x" * 101)

    assert cache.get("large", lambda: "made anew") == "made anew"
