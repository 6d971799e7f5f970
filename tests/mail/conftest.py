from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from commontime.config.settings import mailer
from commontime.core import clock
from stage.sink import Sink


@pytest.fixture(autouse=True)
def _base_url(settings) -> None:
    settings.COMMONTIME_BASE_URL = "https://plan.example.org"


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server, and the settings that send to it."""
    sink = Sink()
    sink.start()
    settings.MAILERS = {"default": mailer(sink.url)}
    yield sink
    sink.stop()


@pytest.fixture
def later(monkeypatch) -> Callable[[float], None]:
    """Let seconds pass."""
    passed = [timedelta()]
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + passed[0])

    def wait(seconds: float) -> None:
        passed[0] += timedelta(seconds=seconds)

    return wait
