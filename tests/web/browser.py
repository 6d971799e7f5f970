"""A browser without scripts: it sends the forms that a page has, as they stand there."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse

from tests import build
from tests.pages import Client


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if (
            tag == "form" and values.get("method") == "get"
        ):  # it only asks for another look at the page
            self.in_form = False
        elif tag == "form":
            assert values.get("method", "").lower() == "post"
            self.forms.append(Form(values.get("action", "")))
            self.in_form = True
        elif self.in_form and tag == "input":
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif self.in_form and tag == "button" and values.get("name"):
            self.forms[-1].buttons.append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.in_form = False


class Browser:
    """A person without scripts: `get` opens a page, `send` sends the form with this action.

    Redirects are followed.
    """

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.page: Any = None

    def get(self, path: str) -> HttpResponse:
        self.page = self.client.get(path, follow=True)
        self.page.path = self.page.redirect_chain[-1][0] if self.page.redirect_chain else path
        return self.page

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.page.text)
        return parser.forms

    def form(self, action: str) -> Form:
        forms = [form for form in self.forms() if (form.action or self.page.path).endswith(action)]
        assert len(forms) == 1, f"{len(forms)} forms like {action} on {self.page.path}"
        return forms[0]

    def send(self, action: str, **typed: str) -> HttpResponse:
        form = self.form(action)
        assert set(typed) <= set(form.fields) | {name for name, _ in form.buttons}
        target = form.action or self.page.path
        self.page = self.client.post(target, {**form.fields, **typed}, follow=True)
        self.page.path = self.page.redirect_chain[-1][0] if self.page.redirect_chain else target
        return self.page

    def sign_in(self, name: str, password: str) -> "Browser":
        self.get("/app/sign-in/")
        self.send("/app/sign-in/", identifier=name, password=password)
        assert self.page.path == "/app/", self.page.text
        return self


def browser_of(person: User | str) -> Browser:
    return Browser().sign_in(person if isinstance(person, str) else person.username, build.PASSWORD)
