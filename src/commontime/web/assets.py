"""Styles and scripts: many files in the source, one compressed answer for a page.

The address names the files in their order, and a digest of their text:
`/static/joined/tokens+base.8d0f….css`. A script's imports come before it, so that a page needs one
request; the files of a page therefore share a scope. Scripts are served without comments and
indentation, so no text in them may span lines.
"""

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from commontime.core.errors import NotFound
from commontime.web.base import refusing

FOLDER = Path(__file__).parent / "static" / "web"
KINDS = {"css": ("css", "text/css"), "js": ("elements", "text/javascript")}
FOR_EVER = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'^import .* from "\./([\w-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
# Empty lines, comments and indentation; a comment behind code is two spaces away.
_SPARE = re.compile(r"^[ \t]*(?://.*)?\n|^[ \t]+|  // .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    address: str
    kind: str
    plain: bytes
    packed: bytes


@lru_cache(maxsize=64)  # anybody can ask for the files in any order
def asset(kind: str, *names: str) -> Asset:
    """Return these files as one. KeyError, OSError: there is no such kind or file."""
    folder, _ = KINDS[kind]
    parts = {name: (FOLDER / folder / f"{name}.{kind}").read_text() for name in names}
    text = "\n".join(parts.values() if kind == "css" else _joined(parts))
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return Asset(
        f"/static/joined/{'+'.join(names)}.{digest}.{kind}",
        kind,
        text.encode(),
        gzip.compress(text.encode(), 9, mtime=0),
    )


def _joined(scripts: dict[str, str]) -> list[str]:
    """Return the scripts after their imports, each once."""
    joined: dict[str, str] = {}

    def add(name: str, text: str) -> None:
        if name in joined:
            return
        for imported in _IMPORT.findall(text):
            add(imported, (FOLDER / "elements" / f"{imported}.js").read_text())
        joined[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    for name, text in scripts.items():
        add(name, text)
    return [_SPARE.sub("", text) for text in joined.values()]


@require_safe
@refusing
def serve(request: HttpRequest, files: str) -> HttpResponse:
    """Send styles or scripts.

    An address from before an upgrade gets the present files, but not to keep.
    """
    current = _named(files)
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        current.packed if is_packed else current.plain,
        content_type=f"{KINDS[current.kind][1]}; charset=utf-8",
    )
    if is_packed:
        response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = FOR_EVER if current.address.endswith(f"/{files}") else "no-cache"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _named(name: str) -> Asset:
    names, _, rest = name.partition(".")
    kind = rest.rpartition(".")[2]
    known = (
        {path.stem for path in (FOLDER / KINDS[kind][0]).glob(f"*.{kind}")}
        if kind in KINDS
        else set()
    )
    parts = names.split("+")
    if not set(parts) <= known or len(set(parts)) < len(parts):
        raise NotFound("There is no such file.")
    return asset(kind, *parts)
