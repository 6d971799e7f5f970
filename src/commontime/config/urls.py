"""Routes: which door answers which path."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from commontime.api.accounts import PasswordResetConfirm
from commontime.api.urls import about_the_api
from commontime.api.urls import urlpatterns as api
from commontime.core.routes import route
from commontime.web.accounts import choose_password
from commontime.web.compression import gzipped


@csrf_exempt  # only the API posts here; the page's form posts elsewhere
def reset_link(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Answer a reset link. People get the form, programs post to it."""
    door = choose_password if request.method in {"GET", "HEAD"} else _confirm
    return door(request, **kwargs)


_confirm = PasswordResetConfirm.as_view()

# The API comes first: routes are tried in order, and its answers are the faster ones.
urlpatterns = [
    route("password_reset/<str:uidb64>/<str:token>/", reset_link),
    *api,
    *[route(str(one.pattern), gzipped(one.callback), name=one.name) for one in about_the_api],
    path("", include("commontime.web.urls")),
]
handler400 = "commontime.config.errors.bad_request"
handler403 = "commontime.config.errors.forbidden"
handler404 = "commontime.config.errors.not_found"
handler500 = "commontime.config.errors.server_error"
