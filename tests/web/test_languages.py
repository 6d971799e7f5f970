"""In which language a page is: the one its reader chose, or before they sign in the one their browser asks for."""

import pytest
from django.utils import translation
from django.utils.translation import get_language

from commontime.accounts import actions
from commontime.web import accounts, home
from tests import build
from tests.client import caller
from tests.web.browser import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def languages(monkeypatch) -> list[str | None]:
    """The language that was active whenever a page was made."""
    seen: list[str | None] = []
    for module in (accounts, home):
        real = module.page
        monkeypatch.setattr(module, "page", lambda *args, _real=real, **kwargs: (seen.append(get_language()), _real(*args, **kwargs))[1])
    return seen


def test_a_page_is_in_the_language_its_reader_chose(languages):
    sam = build.user()
    actions.change_settings(sam, locale="fr")
    browser = Browser().sign_in(sam.username, build.PASSWORD)

    browser.client.get("/app/", headers={"accept-language": "de"})

    assert languages[-1] == "fr"
    assert translation.get_language() == "en"


@pytest.mark.parametrize(("asked", "language"), [("de-AT,de;q=0.9", "de"), ("tlh, fr;q=0.5", "fr"), ("tlh", "en"), ("", "en")])
def test_who_has_not_signed_in_sees_what_the_browser_asks_for(asked, language, languages):
    Browser().client.get("/app/sign-in/", headers={"accept-language": asked})

    assert languages == [language]


def test_the_api_speaks_english():
    answer = caller().post("/login/", {"username": "nobody", "password": "x"}, accept_language="de")

    assert answer.data["detail"].startswith("The user name or the password is wrong")
