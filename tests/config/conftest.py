import io
import logging

import pytest

from commontime.config.logs import OneLine
from commontime.core import request_id

FORMAT = "%(levelname)s %(name)s%(tag)s: %(message)s"


@pytest.fixture
def lines():
    """What the product's loggers write."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(OneLine(FORMAT))
    request_id.current.set("")
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: written.getvalue().splitlines()
    root.removeHandler(handler)
