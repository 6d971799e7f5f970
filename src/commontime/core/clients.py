"""The client of a request."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Bits of IPv6 networks. All addresses of the first have one subscriber, and one customer of a
# provider can have all of the second.
ONE_SUBSCRIBER, ONE_SITE = 64, 48


@dataclass(frozen=True, slots=True)
class Client:
    """The trusted address and the user agent of a client."""

    address: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """The address that limits count by. Of IPv6 it is only the part a client can't choose."""
        return self._network_of(ONE_SUBSCRIBER)

    @property
    def site(self) -> str:
        """The widest network that can be one customer's. Of IPv4 it is the address."""
        return self._network_of(ONE_SITE)

    def _network_of(self, bits: int) -> str:
        address = _read(self.address)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((address, bits), strict=False))
        return self.address


def client_of(environ: Mapping[str, Any]) -> Client:
    """Return the client of a WSGI environment. Only trusted proxies can name another one."""
    address = _read(environ.get("REMOTE_ADDR", ""))
    if _is_proxy(address):
        hops = [
            _read(hop) for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()
        ]
        # Each trusted proxy appended the address it was called from: from the right, the first
        # address that is no proxy is the client.
        address = next((hop for hop in reversed(hops) if not _is_proxy(hop)), address)
    return Client("" if address is None else str(address), environ.get("HTTP_USER_AGENT", ""))


def is_from_proxy(environ: Mapping[str, Any]) -> bool:
    """Return whether a trusted proxy passed this request on."""
    return _is_proxy(_read(environ.get("REMOTE_ADDR", "")))


def _is_proxy(address: Address | None) -> bool:
    proxies = _networks(tuple(settings.TRUSTED_PROXIES))
    return address is not None and any(address in network for network in proxies)


@lru_cache(maxsize=1)
def _networks(written: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(each) for each in written]


def _read(raw: str) -> Address | None:
    """Return a parsed address, or None. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        address = ipaddress.ip_address(raw.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
