"""Compressed answers: whole gzip streams that say the same, of blurred length."""

import gzip

import pytest
from django.http import HttpResponse

from commontime.web.compression import gzipped


def answer(rf, text: str, *, accept: str = "gzip", etag: str = "") -> HttpResponse:
    headers = {"ETag": etag} if etag else {}
    view = gzipped(lambda request: HttpResponse(text, headers=headers))
    return view(rf.get("/", headers={"Accept-Encoding": accept}))


@pytest.mark.parametrize("accept", ["gzip", "br, gzip;q=0.5", "deflate, gzip"])
def test_who_takes_gzip_gets_it(rf, accept):
    packed = answer(rf, "ä free" * 900, accept=accept)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content).decode() == "ä free" * 900
    assert len(packed.content) < 400


@pytest.mark.parametrize("accept", ["", "br", "identity"])
def test_who_does_not_gets_it_plain(rf, accept):
    plain = answer(rf, "free" * 900, accept=accept)

    assert "Content-Encoding" not in plain.headers
    assert plain.content.decode() == "free" * 900
    assert plain.headers["Vary"] == "Accept-Encoding"


def test_a_short_answer_stays_as_it_is(rf):
    assert "Content-Encoding" not in answer(rf, "free").headers


def test_the_length_tells_nothing(rf):
    assert len({len(answer(rf, "free" * 900).content) for _ in range(20)}) > 5


def test_an_entity_tag_becomes_a_weak_one(rf):
    assert answer(rf, "free" * 900, etag='"abc"').headers["ETag"] == 'W/"abc"'
    assert answer(rf, "free" * 900, etag='W/"abc"').headers["ETag"] == 'W/"abc"'
    assert answer(rf, "free" * 900, etag='"abc"', accept="").headers["ETag"] == '"abc"'
