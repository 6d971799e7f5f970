"""A mail server for tests that need many letters and no MIME: it keeps each letter with its
address.
"""

from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

from commontime.mail import letters, mime
from commontime.mail.letters import Letter

KEPT: list[tuple[str, Letter]] = []


class Backend(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        KEPT.extend(email_messages)
        return len(email_messages)


def keep_letters(monkeypatch: Any, settings: Any) -> None:
    """Have letters kept as they are. Their templates are not rendered: the text is all that they
    would be rendered from.
    """
    KEPT.clear()
    settings.MAILERS = {"default": {"BACKEND": "tests.calendars.kept.Backend"}}
    monkeypatch.setattr(mime, "email_message", lambda message, letter: (message.recipient, letter))
    monkeypatch.setattr(letters, "render_to_string", lambda template, context: repr(context))


def take() -> list[tuple[str, Letter]]:
    taken = KEPT[:]
    KEPT.clear()
    return taken
