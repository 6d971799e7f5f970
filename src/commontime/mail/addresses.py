"""The one form of an address. Mails, envelopes and calendar invitations share it."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr

from commontime.core.domains import ascii_domain


class BadAddress(ValueError):
    """This is not one address that a mail can go to."""


def ascii_address(text: str) -> str:
    """Return the address with its domain in ASCII (RFC 5890), or raise BadAddress.

    The part before the @ must be ASCII already: to carry more, every server on the way would have
    to know SMTPUTF8 (RFC 6531).
    """
    try:
        parsed = Address(addr_spec=text)
        return Address(username=parsed.username, domain=ascii_domain(parsed.domain)).addr_spec
    except (HeaderParseError, ValueError, IndexError):
        raise BadAddress(text) from None


def address_in(sender: str) -> str:
    """Return the address of "Name <address>" in ASCII, or raise BadAddress."""
    return ascii_address(parseaddr(sender)[1])
