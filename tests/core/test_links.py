"""Links are derived from a row's id and counter, and good for one thing."""

from dataclasses import replace
from uuid import uuid4

import pytest

from commontime.core import links
from commontime.core.links import Kind

ROW = uuid4()


def test_a_link_is_the_same_each_time_it_is_made():
    assert links.token(Kind.CONFIRMATION, ROW, 3) == links.token(Kind.CONFIRMATION, ROW, 3)


def test_no_two_links_are_alike():
    tokens = [
        links.token(kind, row, counter)
        for kind in Kind
        for row in (ROW, uuid4())
        for counter in (0, 1)
    ]

    assert len(set(tokens)) == len(tokens) == 12


def test_raising_the_counter_ends_older_links():
    link = links.read(links.token(Kind.CONFIRMATION, ROW, 1))

    assert link == links.Link(Kind.CONFIRMATION, ROW, link.seal)
    assert [link.fits(counter) for counter in (0, 1, 2)] == [False, True, False]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.CONFIRMATION])
def test_a_link_of_one_kind_is_none_of_another(kind):
    link = links.read(links.token(Kind.CONFIRMATION, ROW))

    assert link.fits()
    assert not replace(link, kind=kind).fits()


@pytest.mark.parametrize(
    "token",
    ["", str(ROW), "x" * 44, "é" * 44, "\x00" * 44, "A" * 43, f"{'A' * 43} ", "A" * 44_000],
    ids=["none", "an id", "no kind", "no base64", "zeros", "short", "a space", "long"],
)
def test_anything_else_is_no_link(token):
    assert links.read(token) is None


@pytest.mark.parametrize("place", range(44))
def test_a_changed_letter_ends_a_link(place):
    token = links.token(Kind.CONFIRMATION, ROW)

    changed = links.read(token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])

    assert changed is None or not changed.fits()


def test_links_outlive_a_change_of_the_secret_key_while_the_old_one_is_set(settings):
    link = links.read(links.token(Kind.CONFIRMATION, ROW))
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new key " * 4

    assert not link.fits()
    settings.SECRET_KEY_FALLBACKS = [old]
    assert link.fits()


@pytest.mark.parametrize(
    "address",
    [
        "/app/invitations/{}/",
        "/app/confirm/{}/",
        "/app/mail/stop/{}/",
        "/password_reset/MQ/{}/",
        "/app/password_reset/MQ/{}/",
        "/app/sign-in/?next=/app/invitations/{}/",
        "/app/sign-up/?next=%2Fapp%2Finvitations%2F{}%2F",
    ],
)
def test_other_sites_search_engines_and_caches_learn_no_link(client, db, address):
    answer = client.get(address.format(links.token(Kind.INVITATION, ROW)))

    assert answer["Referrer-Policy"] == "strict-origin"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/", "/app/sign-in/", "/app/password_reset/", "/healthz"])
def test_pages_without_a_link_keep_their_headers(client, db, address):
    answer = client.get(address)

    assert answer["Referrer-Policy"] == "same-origin"
    assert "X-Robots-Tag" not in answer
