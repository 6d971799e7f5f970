import os
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commontime.config.settings")
_django = get_wsgi_application()

from commontime.config import bodies  # noqa: E402 (the settings come first)
from commontime.core import crowd  # noqa: E402
from commontime.core.clients import client_of  # noqa: E402


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if settings.HTTPS:
        # TLS ends at the proxy, the only way in. Cookies, HSTS and the CSRF check depend on the
        # address people see.
        environ = {**environ, "wsgi.url_scheme": "https"}
    if environ["PATH_INFO"].rstrip("/") == "/healthz":
        return _django(environ, start_response)  # whatever others do, the process is alive
    environ = _with_body(environ)
    with crowd.place():
        return _django(environ, start_response)


def _with_body(environ: dict[str, Any]) -> dict[str, Any]:
    """Return the environment when the body has arrived, or with what is wrong with it."""
    length = _length_of(environ)
    if length == 0:
        return environ
    try:
        network = client_of(environ).network
        body = bodies.read(environ["wsgi.input"], length, network=network)
    except (bodies.Late, bodies.NoPlace) as fault:
        return {
            **environ,
            "wsgi.input": BytesIO(),
            "CONTENT_LENGTH": "0",
            "commontime.fault": fault,
        }
    return {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _length_of(environ: dict[str, Any]) -> int | None:
    """Return how long the body is. None if that is not known; 0 if nobody will read it."""
    written = environ.get("CONTENT_LENGTH") or ""
    if not written:
        # A chunked body (RFC 9112, 7.1) has no length in WSGI, and Django would take it as empty.
        return None if environ.get("HTTP_TRANSFER_ENCODING") else 0
    is_number = written.isascii() and written.isdigit()
    length = int(written) if is_number else 0
    return length if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE else 0
