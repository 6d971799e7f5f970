"""No log holds the address of a link that works without a password."""

import logging

import pytest

from commontime.config.logs import OneLine

SECRET = "d5nv3x-6f0c8b1b8b7a2f3e4d5c6b7a8f9e0d1c"


def written(message: str) -> str:
    record = logging.LogRecord("django.request", logging.ERROR, "file", 1, message, (), None)
    return OneLine("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    "path",
    [
        f"/password_reset/MQ/{SECRET}/",
        f"/password_reset/MQ/{SECRET}",
        f"/app/password_reset/MTIz/{SECRET}/",
        f"/app/invitations/{SECRET}/",
        f"/app/confirm/{SECRET}/",
        f"/app/mail/stop/WzEsIm1haWwiXQ:1abcde:{SECRET}/",
        f"/app/join/{SECRET}/",
        f"/join/{SECRET}/",
        f"/app/g/{SECRET}/",
        f"/rsvp/{SECRET}/",
        f"/feeds/{SECRET}.ics",
    ],
)
def test_the_secret_of_a_link_is_not_written(path):
    line = written(f"Internal Server Error: {path}")

    assert SECRET not in line
    assert line.startswith(f"ERROR Internal Server Error: {path.partition(SECRET)[0][:10]}")
    assert "…" in line


def test_other_paths_are_written_as_they_are():
    for path in (
        "/calendars/8f14e45f-ceea-467f-a9fb-1c7a5d0cd1b7/meetings/",
        "/password_reset/",
        "/app/mail/",
        "/app/confirm/",
        "/calendars/invitations/",
    ):
        assert written(f"Internal Server Error: {path}").endswith(path)
