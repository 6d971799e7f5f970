"""The product's settings for a site with its guards off and little patience. Never part of the
product.
"""

from commontime.config.settings import *  # noqa: F403
from commontime.config.settings import DATABASES

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"]["timeout"] = 2
