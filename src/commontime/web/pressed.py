"""Pages kept rendered and compressed, with spots for what is new in each answer: the token of their
forms.

A page is compressed in pieces, cut where the token stands. Each ends on a whole byte and refers to
nothing before it, so that the token fits between two of them as it is, and all of it is one gzip
stream.
"""

import secrets
import zlib
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers

SPOT = secrets.token_hex(
    32
)  # stands where the token will; nobody outside can know it, so it stands nowhere else
LEVEL = 6  # as Django compresses
# RFC 1952: a gzip stream, deflated, with the name of a file, of no time and system
NAMED = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"


@dataclass(frozen=True, slots=True)
class Pressed:
    """The pieces of a page, and the same compressed."""

    plain: list[bytes]
    packed: list[bytes]

    def __len__(self) -> int:
        return sum(map(len, self.plain)) + sum(map(len, self.packed))


def press(text: str) -> Pressed:
    """Compress a page in which `SPOT` stands for the token."""
    plain = [piece.encode() for piece in text.split(SPOT)]
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = [deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH) for piece in plain[:-1]]
    return Pressed(plain, [*packed, deflate.compress(plain[-1]) + deflate.flush()])


def answer(request: HttpRequest, page: Pressed) -> HttpResponse:
    """Answer with the page, compressed if the browser likes that: with a token of its own, and its
    length blurred.
    """
    token = get_token(request).encode()
    content = token.join(page.plain)
    if (
        is_packed := re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        is not None
    ):
        ends = zlib.crc32(content).to_bytes(4, "little") + (len(content) % 2**32).to_bytes(
            4, "little"
        )
        content = (
            NAMED
            + b"a" * secrets.randbelow(GZipMiddleware.max_random_bytes)
            + b"\0"
            + _stored(token).join(page.packed)
            + ends
        )
    response = HttpResponse(content)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _stored(token: bytes) -> bytes:
    """Return the token, letters and digits, as a block that is not compressed (RFC 1951, 3.2.4)."""
    length = len(token)
    return b"\0" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + token
