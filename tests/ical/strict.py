"""A second reader, written from RFC 5545's grammar alone: it refuses what the grammar does not
allow.
"""

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z0-9-]+")
# 3.1: SAFE-CHAR and QSAFE-CHAR leave out controls and the double quote; tabs are allowed.
PARAMETER = re.compile(
    r';([A-Za-z0-9-]+)=(?:"([^"\x00-\x08\x0a-\x1f\x7f]*)"|([^";:,\x00-\x08\x0a-\x1f\x7f]*))'
)
FORBIDDEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass
class Property:
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", self.value), (
            f"no TEXT value: {self.value!r}"
        )
        return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], self.value)


@dataclass
class Component:
    name: str
    properties: list[Property] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [line for line in self.properties if line.name == name]

    def one(self, name: str) -> Property:
        (line,) = self.all(name)
        return line

    @property
    def names(self) -> list[str]:
        return [line.name for line in self.properties]


def read(document: bytes) -> Component:
    """Return the one component of the document."""
    physical = document.split(b"\r\n")
    assert physical.pop() == b"", "the last line has its CRLF"
    unfolded: list[str] = []
    for octets in physical:
        assert 0 < len(octets) <= 75, "a line has 1 to 75 octets"
        text = octets.decode("utf-8")  # folded on character boundaries, or this fails
        assert not FORBIDDEN.search(text), f"a control in {text!r}"
        if text.startswith((" ", "\t")):
            unfolded[-1] += text[1:]
        else:
            unfolded.append(text)

    root = Component("")
    path = [root]
    for content in unfolded:
        line = _property(content)
        if line.name == "BEGIN":
            path[-1].components.append(Component(line.value))
            path.append(path[-1].components[-1])
        elif line.name == "END":
            assert path.pop().name == line.value
        else:
            path[-1].properties.append(line)
    assert path == [root]
    (only,) = root.components
    return only


def _property(content: str) -> Property:
    name = NAME.match(content)
    assert name, f"no property name in {content!r}"
    at = name.end()
    parameters = {}
    while content[at] == ";":
        match = PARAMETER.match(content, at)
        assert match, f"no parameter in {content[at:]!r}"
        assert match[1] not in parameters
        raw = match[2] if match[2] is not None else match[3]
        # RFC 6868
        parameters[match[1]] = re.sub(
            r"\^([n^'])", lambda pair: {"n": "\n", "^": "^", "'": '"'}[pair[1]], raw
        )
        at = match.end()
    assert content[at] == ":", f"no value in {content!r}"
    return Property(name[0].upper(), parameters, content[at + 1 :])
