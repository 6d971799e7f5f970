import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from stage.chromium import CHROMIUM
from stage.servers import Site, open_site

expect.set_options(
    timeout=20_000
    # what is awaited comes at once or never; only a busy machine takes longer than the usual five
    # seconds
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Give a module with real browsers a site of its own, without a mail server."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI must have Chromium (.ci/run installs it)."
        pytest.skip("There is no Chromium here; CI has one.")
    with open_site(COMMONTIME_SMTP_URL="") as site:
        yield site
