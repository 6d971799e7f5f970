"""Styles and scripts as one answer each: what they hold, how long they are kept, and that nothing
else is named.
"""

import gzip
import itertools
import re

import pytest

from commontime.web import assets
from tests.pages import Client

ELEMENTS = sorted(path.stem for path in (assets.FOLDER / "elements").glob("*.js"))


def fetch(address: str, encoding: str = "gzip"):
    return Client().get(address, headers={"accept-encoding": encoding})


def test_several_styles_are_one_answer_in_their_order_kept_for_ever():
    styles = assets.asset("css", "tokens", "base")

    packed, plain = fetch(styles.address), fetch(styles.address, "")

    assert gzip.decompress(packed.content) == plain.content == styles.plain
    assert plain.content.index(b"--color-ink") < plain.content.index(b"body")
    assert (packed["Content-Encoding"], packed["Cache-Control"]) == ("gzip", assets.FOR_EVER)
    assert "Accept-Encoding" in packed["Vary"]
    assert packed["Content-Type"] == "text/css; charset=utf-8"


def test_what_a_script_imports_comes_before_it_once():
    text = assets.asset("js", "heat-map", "availability-grid").plain.decode()

    assert text.count("class Clock") == 1
    assert (
        text.index("class Clock")
        < text.index("class HeatMap")
        < text.index("class AvailabilityGrid")
    )
    assert not re.search(r"^(import |export | |//)", text.rstrip(), re.MULTILINE)


def test_the_files_of_all_pages_could_share_a_scope():
    """Two things of one name would be an error in every page that has both."""
    sources = [(assets.FOLDER / "elements" / f"{name}.js").read_text() for name in ELEMENTS]
    names = re.findall(
        r"^(?:export )?(?:const|let|function|async function|class) (\w+)",
        "\n".join(sources),
        re.MULTILINE,
    )

    assert sorted(names) == sorted(set(names))


def test_asking_for_the_files_in_every_order_filled_the_memory():
    for names in itertools.islice(itertools.permutations(ELEMENTS, 3), 100):
        assert fetch(f"/static/joined/{'+'.join(names)}.x.js").status_code == 200

    assert assets.asset.cache_info().currsize <= 64


def test_an_old_address_gets_what_there_is_now_but_not_for_ever():
    answer = fetch("/static/joined/tokens+base.0123456789abcdef.css")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.1.css",
        "tokens+tokens.1.css",
        "..%2Ftokens.1.css",
        "tokens.1.js",
        "tokens.1",
        "tokens",
        "+.1.css",
    ],
)
def test_nothing_else_can_be_named(name):
    assert fetch(f"/static/joined/{name}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        assets.asset("css", "tokens", "base").address,
        "/static/joined/nothing.1.css",
        "/static/nothing.css",
    ],
)
def test_they_carry_what_hardens_a_browser_and_only_a_refusal_stays_out_of_caches(address):
    answer = fetch(address)

    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert not answer.cookies
    assert (answer["Cache-Control"] == "no-store") == (answer.status_code == 404)
