"""The product's settings for worker processes of these tests: only the rooms under test, and short
waits.
"""

import os
from datetime import timedelta

from commontime.config.settings import *  # noqa: F403
from commontime.config.settings import TASKS

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_ox",
    "commontime.core",
    "commontime.mail",
    "tests.mail.process_app.MailTestsConfig",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.mail.process_settings"
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
urlpatterns: list[object] = []
TASKS["default"]["OPTIONS"]["LOCK_TIMEOUT"] = 4.0
TASKS["default"]["OPTIONS"]["SCHEDULES"] = {
    "deliver-mail": {"task": "commontime.mail.tasks.deliver", "every": timedelta(seconds=1)}
}

LEASE_SECONDS = 4
GUARD_OFF = os.environ.get("GUARD_OFF", "")
