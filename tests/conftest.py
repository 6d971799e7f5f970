from collections.abc import Iterator

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db import connection

from stage.sink import Sink
from tests import build

# A slow machine is no bug: nothing here is timed.
hypothesis.settings.register_profile("commontime", deadline=None)
hypothesis.settings.load_profile("commontime")


def pytest_report_header() -> str:
    from django.conf import settings

    return f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what waits for real processes first, so that it ends while the rest runs beside it.

    Leave out on SQLite what only PostgreSQL has to show; there, real processes show the same
    (tests/security).
    """
    waiting = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: item.path not in waiting)
    if connection.vendor == "postgresql":
        return
    others = [item for item in items if item.get_closest_marker("postgresql")]
    if others:
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


@pytest.fixture(autouse=True)
def _forget_answers():
    """Answers kept in memory must not outlive the database of the test that made them."""
    from commontime.core import cache

    yield
    cache.clear()


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server, and the settings that send to it."""
    from commontime.config.settings import mailer

    sink = Sink()
    sink.start()
    settings.MAILERS = {"default": mailer(sink.url)}
    yield sink
    sink.stop()


@pytest.fixture(scope="session", autouse=True)
def _one_request_id():
    """All requests have one id, so that two answers can be compared."""
    from commontime.core import request_id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_id, "new", lambda: "0" * 16)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_looks_for_the_database():
    """An outage that a test makes ends at once: no thread asks the test's own database."""
    from commontime.config import outages

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outages, "answers", lambda: True)
        yield


# The cast: Mina owns, Sam takes part, Iris is invited, Eve is a stranger.


@pytest.fixture
def mina(db: None) -> User:
    return build.user("mina")


@pytest.fixture
def sam(db: None) -> User:
    return build.user("sam")


@pytest.fixture
def iris(db: None) -> User:
    return build.user("iris")


@pytest.fixture
def eve(db: None) -> User:
    return build.user("eve")


@pytest.fixture
def quick_passwords(settings) -> None:
    """Hash passwords in a moment, where nobody looks at how that is done."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def is_postgresql() -> bool:
    return connection.vendor == "postgresql"
