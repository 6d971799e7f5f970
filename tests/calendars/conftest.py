import pytest

from tests.post import Post


@pytest.fixture
def post(db) -> Post:
    return Post()
