"""Whether the process is alive, and whether it can work."""

from django.db import DatabaseError, connection
from django.http import HttpResponse
from django_ox.models import OxTask
from drf_spectacular.utils import extend_schema

from commontime.api import errors
from commontime.api.request import Request
from commontime.api.view import View


class Healthz(View):
    public = True

    @extend_schema(responses={200: ("text/plain", "ok")})
    def get(self, request: Request) -> HttpResponse:
        """Tell that the process is alive."""
        return HttpResponse("ok", content_type="text/plain")


class Readyz(View):
    public = True

    @extend_schema(responses={200: ("text/plain", "ok")})
    def get(self, request: Request) -> HttpResponse:
        """Tell whether the database and its queue answer. The log says what is wrong."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            OxTask.objects.filter(status="READY").exists()
        except DatabaseError:
            return errors.problem(
                503, "unavailable", "The database isn’t responding.", headers={"Retry-After": "5"}
            )
        return HttpResponse("ok", content_type="text/plain")
