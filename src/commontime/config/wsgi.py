import multiprocessing
import os
import threading
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commontime.config.settings")
_django = get_wsgi_application()


def _end_with_server() -> None:
    """End once the server's first process is gone, killed perhaps: nobody else would give this one
    a successor, or see it alone.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


threading.Thread(target=_end_with_server, daemon=True).start()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("CONTENT_LENGTH"):
        # A body that comes in pieces (RFC 9112, 7.1): WSGI knows no length of it, and Django would
        # take it for empty.
        body = _gathered(environ["wsgi.input"], settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    if settings.HTTPS:
        # TLS ends at the proxy, and nobody comes but through it: cookies, HSTS and the check of
        # forms go by the address people see.
        environ = {**environ, "wsgi.url_scheme": "https"}
    return _django(environ, start_response)


def _gathered(stream: Any, longest: int) -> bytearray:
    """Return the body, or so much of a longer one that it is seen to be too long."""
    body = bytearray()
    while len(body) <= longest and (piece := stream.read(longest + 1 - len(body))):
        body += piece
    return body
