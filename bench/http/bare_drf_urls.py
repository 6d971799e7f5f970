from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Health(APIView):
    def get(self, request: Request) -> Response:
        return Response("ok")


urlpatterns = [path("healthz/", Health.as_view())]
