"""Which door answers which path."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from commontime.api.accounts import PasswordResetConfirm
from commontime.api.urls import about_the_api
from commontime.api.urls import urlpatterns as api
from commontime.core.routes import route
from commontime.web.accounts import choose_password
from commontime.web.urls import urlpatterns as web


def reset_link(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The address in a reset mail: a person who opens it sees the form, a program posts to it."""
    door = choose_password if request.method in {"GET", "HEAD"} else _confirm
    return door(request, **kwargs)


_confirm = PasswordResetConfirm.as_view()
reset_link.csrf_exempt = True  # type: ignore[attr-defined]  (the API's half; the form posts elsewhere)

urlpatterns = [route("password_reset/<str:uidb64>/<str:token>/", reset_link), *web, *about_the_api, *api]
handler400 = "commontime.config.errors.bad_request"
handler403 = "commontime.config.errors.forbidden"
handler404 = "commontime.config.errors.not_found"
handler500 = "commontime.config.errors.server_error"
