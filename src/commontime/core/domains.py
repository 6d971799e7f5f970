"""Domain names as mail and DNS write them."""

import idna


def ascii_domain(name: str) -> str:
    """Return the domain in ASCII, or raise ValueError.

    What is in ASCII is only written in lower case. IDNA 2003, which Python's own codec knows, would
    send mail for straße.example to strasse.example, another domain.
    """
    return name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
