"""The environment of all tests, set before Django reads its settings.

Tests never see the developer's own data or environment.
"""

import os
import tempfile

for name in [
    name for name in os.environ if name.startswith("COMMONTIME_") and name != "COMMONTIME_TEST_KEEP"
]:
    del os.environ[name]
os.environ["COMMONTIME_DATA_DIR"] = tempfile.mkdtemp(prefix="commontime-tests-")
