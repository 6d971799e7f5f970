"""What the tests of this room share: one kind of mail, and its composer."""

from typing import Any

from commontime.mail import outbox
from commontime.mail.letters import Letter
from commontime.mail.models import Message


def letter(message: Message) -> Letter | None:
    if message.payload.get("broken"):
        raise RuntimeError("a bug")
    if message.payload.get("gone"):
        return None
    return Letter(
        subject=f"Hello {message.payload['number']}",
        text="Hello.\n",
        html="<p>Hello.</p>",
        to_name="Sam",
    )


outbox.composer("test")(letter)


def notice(number: int = 0, **changes: Any) -> outbox.Notice:
    payload = {"number": number, **changes.pop("payload", {})}
    values = {
        "kind": "test",
        "event": f"test:{number}",
        "recipient": f"sam{number}@example.org",
        "payload": payload,
    }
    return outbox.Notice(**{**values, **changes})
