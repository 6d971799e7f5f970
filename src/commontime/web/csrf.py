"""Forms whose token is another's. Mostly somebody signed in or out in another window."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils.translation import gettext as _

from commontime.core.text import canonical
from commontime.web import errors, typed
from commontime.web.base import me, next_page
from commontime.web.sign_in import ask_to_sign_in


def failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form with another's token, and keep what was typed.

    Somebody whom the first of two clicks signed in goes on.
    """
    if request.user and _has_just_signed_in(request):
        return redirect(next_page(request))
    if {typed.MARK, typed.FIELD} & request.POST.keys():
        if not request.user:
            return ask_to_sign_in(request, request.get_full_path())
        fields = typed.of(request, me(request))
        if fields is not None and (again := _form_again(request, fields)):
            return again
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


def _has_just_signed_in(request: HttpRequest) -> bool:
    """Return whether this form's first click signed the person in."""
    fields = {reverse("web:sign_in"): "identifier", reverse("web:sign_up"): "username"}
    if request.path not in fields or "csrfmiddlewaretoken" not in request.POST:
        return False
    name, user = canonical(request.POST.get(fields[request.path], "")), me(request)
    return name in {canonical(user.username), canonical(user.email)}


def _form_again(request: HttpRequest, fields: typed.Typed) -> HttpResponse | None:
    """Show the form's page with what was typed. None: it has no page of its own."""
    view, args, kwargs = resolve(request.path_info)
    typed.show(request, fields)
    response: HttpResponse = view(request, *args, **kwargs)
    return response if response.status_code == 200 else None
