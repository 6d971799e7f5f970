"""Is the process alive, and can it work?"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django_ox.models import OxTask


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database and the queue in it answer, else 503; without details, which are in the log."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        OxTask.objects.filter(status="READY").exists()
    except DatabaseError:
        return HttpResponse("not ready", status=503, content_type="text/plain", headers={"Retry-After": "5"})
    return HttpResponse("ok", content_type="text/plain")
