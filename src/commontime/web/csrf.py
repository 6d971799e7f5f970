"""Forms whose token is another's: mostly somebody signed in or out in another window meanwhile."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from commontime.web import errors
from commontime.web.base import next_page


def failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what to do; somebody whom the first of two clicks signed in goes on."""
    is_second_click = "csrfmiddlewaretoken" in request.POST and request.user
    if is_second_click and request.path in {reverse("web:sign_in"), reverse("web:sign_up")}:
        return redirect(next_page(request))
    sentences = [
        _(
            "Nothing was changed. The page was open too long, or you’ve since signed in or out in "
            "another window."
        ),
        _(
            "Load the page again and enter everything once more. If that doesn’t help, sign in "
            "again and allow cookies for this site."
        ),
    ]
    detail = " ".join(sentences)
    return errors.plain(request, 403, detail, title=_("This wasn’t sent"), is_old=True)
