"""Keep each mail as a file where there is no mail server, for operators and tests."""

import hashlib
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


def file_name(message_id: str) -> str:
    """Return the name of the file for a Message-ID. The same mail written twice is one file."""
    return hashlib.sha256(message_id.encode()).hexdigest() + ".eml"


def mail_folder() -> Path | None:
    """Return where the mails are kept as files. None if there is a mail server."""
    folder = settings.MAILERS["default"].get("OPTIONS", {}).get("folder")
    return Path(folder) if folder else None


class FileBackend(BaseEmailBackend):
    """Write each mail into `folder`, whole or not at all."""

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(folder)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for mail in email_messages:
            content = mail.message()
            target = self.folder / file_name(content["Message-ID"])
            draft = target.with_suffix(f".{uuid.uuid4().hex}.part")
            try:
                with open(
                    os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
                ) as file:
                    file.write(content.as_bytes())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, target)
            finally:
                draft.unlink(missing_ok=True)
        return len(email_messages)
