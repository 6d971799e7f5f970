"""Whether an installation works. Each check returns a line, or raises Wrong."""

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Max

from commontime.accounts.models import Session
from commontime.core import clock, workers
from commontime.jobs.databases import is_migrated, refuse_silent_database
from commontime.mail import trial
from commontime.mail.models import Message

LEAST_SPACE = 200e6  # bytes
PATIENCE = 10  # seconds
TOLERANCE = timedelta(seconds=5)


class Wrong(Exception):
    """A sentence: what is wrong, and what to do."""


def settings_fit() -> str:
    """Settings that can't work end the program before any check."""
    changed = sum(variable.is_set for variable in settings.ENVIRONMENT.values())
    return f"{changed} set; data in {settings.DATA_DIR}"


def database() -> str:
    try:
        refuse_silent_database()
    except CommandError as refusal:
        raise Wrong(str(refusal)) from None
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0]}"
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}, {connection.settings_dict['NAME']}"


def migrations() -> str:
    if not is_migrated():
        raise Wrong("The database is older than this version. Run: commontime prepare")
    return "up to date"


def mail_server() -> str:
    server = trial.server_name()
    if not server:
        return "none; emails are kept for their receivers to read at /app/mail/"
    try:
        trial.connect()
    except trial.Failed as failure:
        raise Wrong(str(failure)) from None
    confirmed = "" if settings.CONFIRM_ADDRESSES else "; addresses are not confirmed"
    return f"{server} answers, from {settings.DEFAULT_FROM_EMAIL}{confirmed}"


def base_url() -> str:
    url = f"{settings.COMMONTIME_BASE_URL}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 (http or https)
            said = answer.read(100).decode(errors="replace").strip()
    except urllib.error.HTTPError as error:
        raise Wrong(
            f"{url} answers {error.code}. Does the proxy pass requests on to port {settings.PORT}?"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Wrong(
            f"{url} can’t be reached from here: {reason}. Is Commontime running, and is "
            "COMMONTIME_BASE_URL right?"
        ) from None
    if said != "ok":
        raise Wrong(f"Something else than Commontime answers at {url}.")
    return f"{settings.COMMONTIME_BASE_URL} answers"


def proxy() -> str:
    if settings.TRUSTED_PROXIES:
        return f"trusted: {', '.join(settings.TRUSTED_PROXIES)}"
    if settings.HTTPS:
        raise Wrong(
            "People come over https://, so through a proxy, but none is trusted: all of them share "
            "one limit for wrong passwords. Set COMMONTIME_TRUSTED_PROXIES to its address."
        )
    return "none"


def clocks() -> str:
    now = clock.now()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs(cursor.fetchone()[0] - now)
        if apart > TOLERANCE:
            raise Wrong(
                f"This machine and the database are {apart.total_seconds():.0f} seconds apart. "
                "Set both clocks by NTP."
            )
    made = [
        Session.objects.aggregate(last=Max("created_at"))["last"],
        Message.objects.aggregate(last=Max("created_at"))["last"],
    ]
    last = max((moment for moment in made if moment), default=now)
    if last > now + TOLERANCE:
        raise Wrong(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but something was stored at "
            f"{last:%Y-%m-%d %H:%M}. Set the clock by NTP."
        )
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def disk_space() -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < LEAST_SPACE:
        raise Wrong(f"Only {free / 1e6:.0f} MB are free for {settings.DATA_DIR}. Make room.")
    return f"{free / 1e9:.1f} GB free"


def worker() -> str:
    age = workers.silence()
    if age is None:
        raise Wrong(
            "No worker has run yet. Start Commontime with: commontime run (and check again after "
            "15 seconds)"
        )
    if age > workers.LONGEST_SILENCE:
        raise Wrong(
            f"The worker has done nothing for {age.total_seconds():.0f} seconds, so no email is "
            "sent. Is `commontime run` or `commontime worker` running?"
        )
    return f"worked {age.total_seconds():.0f} seconds ago"


CHECKS: dict[str, Callable[[], str]] = {
    "settings": settings_fit,
    "database": database,
    "migrations": migrations,
    "mail server": mail_server,
    "base URL": base_url,
    "proxy": proxy,
    "clock": clocks,
    "disk space": disk_space,
    "worker": worker,
}
# What can't be checked while something else is wrong.
NEEDED_BY = {
    "migrations": {"database"},
    "clock": {"database", "migrations"},
    "worker": {"database", "migrations"},
}
