from collections.abc import Callable
from datetime import timedelta

import pytest

from commontime.core import clock


@pytest.fixture(autouse=True)
def _base_url(settings) -> None:
    settings.COMMONTIME_BASE_URL = "https://plan.example.org"


@pytest.fixture
def later(monkeypatch) -> Callable[[float], None]:
    """Let seconds pass."""
    passed = [timedelta()]
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + passed[0])

    def wait(seconds: float) -> None:
        passed[0] += timedelta(seconds=seconds)

    return wait
