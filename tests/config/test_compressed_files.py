"""The scripts of /docs/ and the schema went out uncompressed: 1.6 MB and 140 kB."""

import gzip
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
SIDECAR = "/static/drf_spectacular_sidecar/swagger-ui-dist/"


def get(path: str, accept: str, **headers: str) -> Any:
    return Client().get(path, headers={"Accept-Encoding": accept, **headers})


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (f"{SIDECAR}swagger-ui-bundle.js", 500_000),
        (f"{SIDECAR}swagger-ui.css", 40_000),
        ("/schema/", 40_000),
    ],
)
def test_it_is_sent_compressed_and_says_the_same(path, most):
    plain = get(path, "identity")
    packed = get(path, "br, gzip")

    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < most
    assert "Content-Encoding" not in plain
    assert gzip.decompress(packed.content) == plain.getvalue()
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer["Vary"]
    for name in ("Content-Type", "Cache-Control"):
        assert packed[name] == plain[name]


def test_a_copy_of_a_file_is_still_confirmed():
    path = f"{SIDECAR}swagger-ui-bundle.js"
    tag = get(path, "gzip")["ETag"]

    again = get(path, "gzip", if_none_match=tag)

    assert (again.status_code, again.getvalue()) == (304, b"")


def test_a_copy_of_the_schema_is_still_confirmed():
    tag = get("/schema/", "gzip")["ETag"]

    assert get("/schema/", "gzip", if_none_match=tag).status_code == 304


def test_a_part_of_a_file_and_a_small_one_stay_as_they_are():
    part = get(f"{SIDECAR}swagger-ui.css", "gzip", range="bytes=0-99")
    small = get("/static/api/docs.js", "gzip")

    assert part.status_code == 206
    assert small.status_code == 200
    for answer in (part, small):
        assert "Content-Encoding" not in answer
