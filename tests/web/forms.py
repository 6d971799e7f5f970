"""The forms of a page, and what a browser sends of them when nothing is typed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

NO_VALUE = {"submit", "button", "reset", "image", "file"}


@dataclass
class Form:
    """A form that is posted. buttons: the names and values that pressing them adds."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    passwords: set[str] = field(default_factory=set)

    def data(self, **typed: str | list[str]) -> dict[str, str | list[str]]:
        """Return what is sent with these fields typed, for a test client."""
        data: dict[str, str | list[str]] = {}
        for name, value in self.fields:
            earlier = data.get(name, [])
            data[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        return {name: value for name, value in {**data, **typed}.items() if value != []}


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.form: Form | None = None
        self.select: tuple[Form, str, list[tuple[str, bool]]] | None = None
        self.text: tuple[Form, str, list[str]] | None = None
        self.later: list[tuple[str, str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self.form = Form(urljoin(self.path, values.get("action", "")))
            if values.get("method", "").lower() == "post":
                self.forms.append(self.form)
            if "id" in values:
                self.by_id[values["id"]] = self.form
        elif values.get("form"):
            self.later.append((values["form"], tag, values))
        elif self.form is not None:
            self.control(self.form, tag, values)

    def control(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "option" and self.select:
            self.select[2].append((value, "selected" in values))
        elif not name or "disabled" in values:
            return
        elif tag == "button":
            form.buttons.append((name, value))
        elif tag == "select":
            self.select = form, name, []
        elif tag == "textarea":
            self.text = form, name, []
        elif tag == "input" and values.get("type") not in NO_VALUE:
            if values.get("type") == "password":
                form.passwords.add(name)
            if values.get("type") in {"checkbox", "radio"}:
                if "checked" in values:
                    form.fields.append((name, values.get("value", "on")))
            else:
                form.fields.append((name, value))

    def handle_data(self, data: str) -> None:
        if self.text:
            self.text[2].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.text:
            form, name, parts = self.text
            # A browser drops the line end behind the tag, and sends each as two characters.
            text = "".join(parts).removeprefix("\n").replace("\r\n", "\n")
            form.fields.append((name, text.replace("\n", "\r\n")))
            self.text = None
        elif tag == "select" and self.select:
            form, name, options = self.select
            chosen = [value for value, is_selected in options if is_selected]
            form.fields += [(name, value) for value in chosen or [v for v, _ in options[:1]]]
            self.select = None
        elif tag == "form":
            self.form = None


def forms_in(html: str, path: str) -> list[Form]:
    """Return the forms that are posted, with the controls elsewhere on the page that name them."""
    reader = _Reader(path)
    reader.feed(html)
    for name, tag, values in reader.later:
        if name in reader.by_id:
            reader.control(reader.by_id[name], tag, values)
    return reader.forms
