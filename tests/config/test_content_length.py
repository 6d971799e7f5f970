import pytest

from tests.client import caller

pytestmark = pytest.mark.django_db


def test_an_answer_says_its_length_so_that_the_server_need_not_cut_it_into_chunks():
    mina = caller("mina")

    answers = [
        mina.get("/profile/"),
        mina.get("/calendars/00000000-0000-4000-8000-000000000000/"),
        mina.get("/healthz/"),
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert [answer["Content-Length"] for answer in answers] == [
        str(len(answer.content)) for answer in answers
    ]


def test_an_answer_without_a_body_says_no_length():
    mina = caller("mina")

    unchanged = mina.get("/profile/", if_none_match=mina.get("/profile/")["ETag"])
    gone = mina.post("/logout/", {"refresh_token": mina.refresh})

    assert [unchanged.status_code, gone.status_code] == [304, 204]
    assert "Content-Length" not in unchanged
    assert "Content-Length" not in gone
