"""Where a request came from."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Client:
    """The trusted address of a client, and what the browser or program calls itself."""

    address: str = ""
    user_agent: str = ""


def client_of(environ: Mapping[str, Any]) -> Client:
    """Return the client of a WSGI environment; what a proxy says of others is believed only of the configured ones."""
    address = environ.get("REMOTE_ADDR", "")
    if address in settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        # From the right: each trusted proxy appended whom it heard from; the first stranger is the client.
        address = next((hop for hop in reversed(hops) if hop not in settings.TRUSTED_PROXIES), address)
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError:
        address = ""
    return Client(address, environ.get("HTTP_USER_AGENT", ""))
