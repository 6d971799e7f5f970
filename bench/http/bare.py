"""The anchor: a bare Django view that returns bytes from memory.

It has two middlewares, and runs under the same server as the product. `application` serves any file
of the folder in BENCH_BODIES, read once; the first part of its name is the status.
"""

import functools
import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="an anchor signs nothing",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
)


@functools.cache
def body(name: str) -> bytes:
    return Path(os.environ["BENCH_BODIES"], name).read_bytes()


def answer(request: HttpRequest, name: str) -> HttpResponse:
    if request.method != "GET":
        len(request.body)
    return HttpResponse(
        body(name), status=int(name.partition("-")[0]), content_type="application/json"
    )


urlpatterns = [path("<str:name>", answer)]
application = get_wsgi_application()
