"""Whether the process is alive, and whether it can work."""

from django.db import DatabaseError, connection
from django.http import HttpResponse
from django_ox.models import OxTask
from drf_spectacular.utils import extend_schema

from commontime.api import errors
from commontime.api.docs import query
from commontime.api.params import choice_param
from commontime.api.request import Request
from commontime.api.view import View
from commontime.core import workers


class Healthz(View):
    public = True

    @extend_schema(responses={200: ("text/plain", "ok")})
    def get(self, request: Request) -> HttpResponse:
        """Tell that the process is alive."""
        return HttpResponse("ok", content_type="text/plain")


class Readyz(View):
    public = True

    @extend_schema(
        parameters=[query("worker", "1: also fail if no worker is alive.", choices=["1"])],
        responses={200: ("text/plain", "ok")},
    )
    def get(self, request: Request) -> HttpResponse:
        """Tell whether the database and its queue answer. The log says what is wrong."""
        asks_worker = bool(choice_param(request, "worker", ["1"]))
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            OxTask.objects.filter(status="READY").exists()
            has_worker = not asks_worker or workers.are_alive()
        except DatabaseError:
            return _unavailable("The database isn’t responding.")
        if not has_worker:
            return _unavailable("No worker has taken a task for a minute.")
        return HttpResponse("ok", content_type="text/plain")


def _unavailable(detail: str) -> HttpResponse:
    return errors.problem(503, "unavailable", detail, headers={"Retry-After": "5"})
