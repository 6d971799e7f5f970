"""How many mails one person may cause, and how little before the two are together."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from commontime.core import limits
from commontime.core.text import canonical

LONGEST_TYPED = 500  # characters that people typed, in one mail that its reader did not ask for


def count_letter(sender: int, address: str) -> int:
    """Count a letter from a person to an address that did not ask for it.

    Returns the seconds it must wait if either had enough today; 0 if not.
    """
    (wait,) = limits.count("mail_pair", (sender, canonical(address)))
    if not wait:
        (wait,) = limits.count("mail_receiver", (canonical(address),))
    return wait or count_caused(sender, address)


def count_caused(sender: int, address: str) -> int:
    """Count a mail that a person causes, to whatever address.

    Returns the seconds it must wait if they had enough today; 0 if not.
    """
    (wait,) = limits.count("mails_caused", (sender,))
    return wait


def is_used_up(sender: int) -> bool:
    """Return whether what a person causes now waits until the day is over."""
    return limits.is_used_up("mails_caused", sender)


class _Allowance:
    """What is left of the typed text. The same text is counted once, and is the same everywhere."""

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.shown: dict[str, str] = {}

    def cut(self, text: str) -> str:
        if text not in self.shown:
            is_whole = len(text) <= self.left
            self.shown[text] = text if is_whole else text[: max(0, self.left - 1)] + "…"
            self.left = max(0, self.left - len(text))
        return self.shown[text]


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def little_text() -> Iterator[None]:
    """Cut what people typed, in the letter that is composed meanwhile."""
    token = _allowance.set(_Allowance(LONGEST_TYPED))
    try:
        yield
    finally:
        _allowance.reset(token)


def typed(text: str) -> str:
    """Return as much of a typed text as the letter may carry."""
    allowance = _allowance.get()
    return text if allowance is None else allowance.cut(text)
