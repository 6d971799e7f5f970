import pytest

from commontime.core import cache as module
from commontime.core.cache import ENTRY, KEPT_FOR, Cache


def never() -> str:
    pytest.fail("It is in the cache.")


def test_memory_has_an_end_and_what_was_asked_for_last_stays():
    cache = Cache(4 * (ENTRY + 100))
    for name in "abcd":
        cache.get(name, lambda: "x" * 100)
    cache.get("a", never)

    cache.get("e", lambda: "x" * 100)

    assert cache.get("a", never) == "x" * 100
    assert cache.get("b", lambda: "made anew") == "made anew"


def test_what_nobody_asks_for_any_more_filled_the_memory_for_hours(monkeypatch):
    cache, now = Cache(100_000), 0.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    for name in "ab":
        cache.get(name, lambda: "x" * 100)
    now = KEPT_FOR
    cache.get("a", never)

    now = KEPT_FOR + 1
    cache.get("c", lambda: "x" * 100)

    assert len(cache._values) == 2
    assert cache._size == 2 * (ENTRY + 100)
    assert cache.get("a", never) == "x" * 100
    assert cache.get("b", lambda: "made anew") == "made anew"


def test_what_would_push_out_much_of_the_rest_is_not_kept():
    cache = Cache(400)
    cache.get("large", lambda: "x" * 101)

    assert cache.get("large", lambda: "made anew") == "made anew"


def test_long_keys_of_short_values_filled_the_memory():
    cache = Cache(100 * ENTRY)
    for number in range(1000):
        cache.get((number, "a description" * 1000), lambda: "")

    assert len(cache._values) == 100
    assert sum(map(len, cache._values)) == 100 * 16


def test_keys_are_told_apart_by_all_they_hold():
    cache = Cache(100_000)
    for key in ((1, "a"), ("1", "a"), (1, ("a",)), (1, b"a"), (1.0, "a"), (True, "a")):
        assert cache.get(key, lambda key=key: repr(key)) == repr(key)
