"""The pages as a browser without scripts meets them: forms, cookies, headers, who is signed in."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_start_page_answers():
    answer = Client().get("/")

    assert answer.status_code == 200
    assert "Find the time a group has in common" in answer.text
