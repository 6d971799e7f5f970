"""The product's settings with a short patience for mail, so that a run has many leases and retries.

Never part of the product.
"""

from datetime import timedelta

from commontime.config.settings import *  # noqa: F403
from commontime.config.settings import INSTALLED_APPS, MAILERS, TASKS

INSTALLED_APPS = [*INSTALLED_APPS, "chaos.quick_mail.QuickMail"]
MAILERS["default"]["OPTIONS"]["timeout"] = 1
TASKS["default"]["OPTIONS"]["LOCK_TIMEOUT"] = 4.0
TASKS["default"]["OPTIONS"]["SCHEDULES"]["deliver-mail"]["every"] = timedelta(seconds=1)
