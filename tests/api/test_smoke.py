import pytest

from tests.client import caller

pytestmark = pytest.mark.django_db


def test_a_new_account_signs_in_and_sees_itself():
    mina = caller("mina")

    answer = mina.get("/profile")

    assert answer.status_code == 200
    assert answer.data["username"] == "mina"
