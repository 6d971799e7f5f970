import pytest

from tests.post import Post


@pytest.fixture(autouse=True)
def _quick(quick_passwords) -> None:
    """Nobody here sees how passwords are kept."""


@pytest.fixture
def post(db) -> Post:
    return Post()
