"""Is the process alive, and can it work?"""

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
        """Tell whether the database and the queue in it answer; what is wrong stands in the log."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            OxTask.objects.filter(status="READY").exists()
        except DatabaseError:
            return errors.shaped(
                503, "unavailable", "The database isn’t responding.", headers={"Retry-After": "5"}
            )
        return HttpResponse("ok", content_type="text/plain")
