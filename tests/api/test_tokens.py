from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings

from commontime.api import tokens
from commontime.core.errors import Unidentified
from tests import build
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db


def test_a_token_that_was_good_a_moment_ago_is_refused_once_it_has_expired():
    sam = caller("sam")
    assert sam.get("/profile/").status_code == 200

    with time_machine.travel(datetime.now(UTC) + settings.ACCESS_LIFETIME + timedelta(seconds=6)):
        late = sam.get("/profile/")

    assert (late.status_code, late.data["code"]) == (401, "token_not_valid")


def test_a_good_token_is_checked_once_and_a_bad_one_each_time():
    token = caller("sam").access
    signature = token.rpartition(".")[2]
    forged = token.removesuffix(signature) + signature[::-1]
    tokens._read_access.cache_clear()

    assert tokens.read_access(token) == tokens.read_access(token)
    for _ in range(2):
        with pytest.raises(Unidentified):
            tokens.read_access(forged)

    assert (tokens._read_access.cache_info().hits, tokens._read_access.cache_info().currsize) == (
        1,
        1,
    )


def test_a_token_read_before_ends_with_its_sign_in():
    build.user("sam")
    sam = Caller().sign_in("sam")
    assert sam.get("/profile/").status_code == 200

    sam.post("/logout/", {"refresh_token": sam.refresh})

    assert sam.get("/profile/").status_code == 401
