import os
from collections.abc import Iterator

import pytest

from stage.chromium import CHROMIUM
from stage.servers import Site, open_site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Give a module with real browsers a site of its own, without a mail server."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI must have Chromium (.ci/run installs it)."
        pytest.skip("There is no Chromium here; CI has one.")
    with open_site(start=False, COMMONTIME_SMTP_URL="") as site:
        site.start("run")
        yield site
