import os
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commontime.config.settings")
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("HTTP_TRANSFER_ENCODING") and not environ.get("CONTENT_LENGTH"):
        # A chunked body (RFC 9112, 7.1) has no length in WSGI, and Django would treat it as empty.
        body = _read_body(environ["wsgi.input"], settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    if settings.HTTPS:
        # TLS ends at the proxy, the only way in. Cookies, HSTS and the CSRF check depend on the
        # address people see.
        environ = {**environ, "wsgi.url_scheme": "https"}
    return _django(environ, start_response)


def _read_body(stream: Any, limit: int) -> bytearray:
    """Return the body, cut one byte beyond the limit. So Django refuses it."""
    body = bytearray()
    while len(body) <= limit and (chunk := stream.read(limit + 1 - len(body))):
        body += chunk
    return body
