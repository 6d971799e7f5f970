"""Where a request came from."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What one connection to the internet is given of IPv6: whoever has one has all its addresses.
ONE_SUBSCRIBER = 64


@dataclass(frozen=True, slots=True)
class Client:
    """The trusted address of a client, and what the browser or program calls itself."""

    address: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """What limits count by: the address, of IPv6 only the half that a client can't choose."""
        address = _read(self.address)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((address, ONE_SUBSCRIBER), strict=False))
        return self.address


def client_of(environ: Mapping[str, Any]) -> Client:
    """Return the client of a WSGI environment; what a proxy says of others is believed only of the
    configured ones.
    """
    trusted = {_read(proxy) for proxy in settings.TRUSTED_PROXIES}
    address = _read(environ.get("REMOTE_ADDR", ""))
    if address in trusted:
        hops = [
            _read(hop) for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()
        ]
        # From the right: each trusted proxy appended whom it heard from; the first stranger is the
        # client.
        address = next((hop for hop in reversed(hops) if hop not in trusted), address)
    return Client("" if address is None else str(address), environ.get("HTTP_USER_AGENT", ""))


def _read(raw: str) -> Address | None:
    """Return an address in its one form, an IPv4 address in IPv6 clothes as what it is; None for
    anything else.
    """
    try:
        address = ipaddress.ip_address(raw.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
