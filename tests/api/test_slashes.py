"""Every path answers with and without its trailing slash.

Nothing redirects: a redirect would lose the body of a POST.
"""

import pytest

from tests import build
from tests.api.cast import undone
from tests.api.test_errors import PATHS, filled
from tests.client import caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", [*PATHS, "/schema/", "/docs/"])
def test_a_path_answers_the_same_without_its_slash(group, path):
    for method in [method.upper() for method in PATHS.get(path, ["get"])]:
        answers = []
        for spelled in (filled(path), filled(path).rstrip("/")):
            with undone():
                answers.append(
                    group.mina(method, spelled, {} if method in {"POST", "PUT", "PATCH"} else None)
                )

        assert answers[0].status_code == answers[1].status_code not in (301, 302, 307, 308)
        if method != "POST" and path != "/profile/export/":  # it says when it was made
            assert answers[0].content == answers[1].content


@pytest.mark.parametrize("path", ["/signup", "/signup/"])
def test_a_body_arrives_under_both_spellings(path):
    account = {
        "username": "nova",
        "email": "nova@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
    }

    assert caller().post(path, account).status_code == 201
