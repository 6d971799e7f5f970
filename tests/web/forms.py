"""The forms of a page, and what a browser sends of them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

NOT_SENT = {"submit", "button", "reset", "image", "file"}
TICKS = {"checkbox", "radio"}


@dataclass
class Control:
    """kind: the type of an input, or `select`, `textarea`. options: of a select."""

    name: str
    kind: str
    value: str
    is_on: bool = True
    options: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A form that is posted. buttons: the names and values that pressing them adds."""

    action: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [(control.name, control.value) for control in self.controls if control.is_on]

    @property
    def typed(self) -> list[Control]:
        """The controls that a person sees."""
        return [control for control in self.controls if control.kind != "hidden"]

    def data(self, **typed: str | list[str]) -> dict[str, str | list[str]]:
        """Return what is sent with these fields typed, for a test client."""
        data: dict[str, str | list[str]] = {}
        for name, value in self.fields:
            data[name] = [*data.get(name, []), value]
        return data | typed


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.elsewhere: list[tuple[str, Control | tuple[str, str]]] = []
        self.form: Form | None = None
        self.open: Control | None = None
        self.has_choice = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "form":
            self.form = Form(urljoin(self.path, values.get("action", "")))
            if values.get("method", "").lower() == "post":
                self.forms.append(self.form)
            self.by_id[values.get("id", "")] = self.form
        elif tag == "option" and self.open:
            self.open.options.append(value)
            if "selected" in values or len(self.open.options) == 1:
                self.open.value = value
        elif not name or "disabled" in values:
            return
        elif tag == "button":
            self.add(values, (name, value))
        elif tag in {"select", "textarea"}:
            self.open = Control(name, tag, "")
            self.add(values, self.open)
        elif tag == "input" and values.get("type", "text") not in NOT_SENT:
            kind = values.get("type", "text")
            if kind in TICKS:
                value = values.get("value", "on")
            self.add(values, Control(name, kind, value, kind not in TICKS or "checked" in values))

    def add(self, values: dict[str, str], what: Control | tuple[str, str]) -> None:
        if values.get("form"):
            self.elsewhere.append((values["form"], what))
        elif self.form is not None:
            put(self.form, what)

    def handle_data(self, data: str) -> None:
        if self.open and self.open.kind == "textarea":
            self.open.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.open:
            # A browser drops the line end behind the tag, and sends each as two characters.
            text = self.open.value.removeprefix("\n").replace("\r\n", "\n")
            self.open.value = text.replace("\n", "\r\n")
        if tag in {"textarea", "select"}:
            self.open = None
        elif tag == "form":
            self.form = None


def put(form: Form, what: Control | tuple[str, str]) -> None:
    if isinstance(what, Control):
        form.controls.append(what)
    else:
        form.buttons.append(what)


def forms_in(html: str, path: str) -> list[Form]:
    """Return the forms that are posted, with the controls elsewhere on the page that name them."""
    reader = _Reader(path)
    reader.feed(html)
    for name, what in reader.elsewhere:
        if name in reader.by_id:
            put(reader.by_id[name], what)
    return reader.forms
