"""Requests made up from an OpenAPI text, some of them damaged.

The same chance makes the same requests.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from stage.times import day, iso

Known = Mapping[str, list[Any]]
DEEP: Any = []
for _ in range(60):
    DEEP = [DEEP]
STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**30, -(2**63), "", " ", "x" * 3000, "\x00", "\x1b[31m",
    "a\r\nBcc: b@example.org", "\ud800", "\u202egnp", "e\u0301" * 200, "𝕏" * 300, "' OR 1=1 --",
    "../../etc/passwd", "{{7*7}}", "<script>", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
    "2030-02-30T10:00:00Z", "2030-01-01T10:00:00", "2030-01-01T10:00:00+99:99", "NaN", "-0", [], {},
    [None], {"a": {"b": []}}, DEEP, "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
STRANGE_HEADERS = [
    ("If-Match", ["*", '"x"', 'W/"1"', "x" * 500, ""]),
    ("If-None-Match", ["*", '"x"', ", ,"]),
    ("Idempotency-Key", ["k", "x" * 256, "\xe9", ""]),
    ("Accept", ["text/html", "application/xml", "*/*;q=x", ""]),
    ("Accept-Language", ["de", "fr;q=2", "x" * 200, "*"]),
    ("Accept-Encoding", ["gzip", "br;q=0", "x"]),
    ("X-Forwarded-For", ["1.2.3.4", "x", "::1, ::2"]),
    ("X-Request-ID", ["x" * 300, "a b", "\xff"]),
    ("Cookie", ["session=x; session=y", "=;=", "csrf=" + "x" * 100]),
    ("Range", ["bytes=0-", "x"]),
    ("Content-Encoding", ["gzip", "x"]),
    ("Transfer-Encoding", ["identity"]),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]


@dataclass
class Made:
    """A request. `statuses` are those its operation describes; None if it is no operation's."""

    method: str
    path: str
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    statuses: set[int] | None = None


class Requests:
    """Makes requests. `known` has existing values by the names of parameters and fields."""

    def __init__(self, text: dict[str, Any], chance: random.Random, known: Known) -> None:
        self._text, self._chance, self._known = text, chance, known
        self._operations = [
            (path, method, operation)
            for path, methods in text["paths"].items()
            for method, operation in methods.items()
        ]

    def make(self) -> Made:
        """Return a request: a third whole, the others with one to three mistakes."""
        path, method, operation = self._chance.choice(self._operations)
        body = self._body(operation)
        made = Made(
            method.upper(), self._path(path), statuses=set(map(int, operation["responses"]))
        )
        made.path += self._query(operation)
        if body is not None:
            made.content = json.dumps(body).encode()
            made.headers["Content-Type"] = "application/json"
        mistakes = [self._in_body, self._in_bytes, self._in_path, self._in_query, self._in_headers]
        for _ in range(self._chance.choice([0, 0, 1, 1, 2, 3])):
            self._chance.choice([self._in_body, *mistakes, self._in_method])(made, body)
        return made

    # What the text describes ----------------------------------------------------------------------

    def value(self, schema: dict[str, Any], name: str = "") -> Any:
        """Return a value of the schema, mostly an existing one of that name."""
        schema = self._resolved(schema)
        if name in self._known and self._chance.random() < 0.85:
            return self._chance.choice(self._known[name])
        for of in ("oneOf", "anyOf", "allOf"):
            if of in schema:
                return self.value(self._chance.choice(schema[of]), name)
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        kinds = schema.get("type", "string")
        kind = self._chance.choice(kinds) if isinstance(kinds, list) else kinds
        makers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "object": self._object,
            "array": lambda s: [
                self.value(s.get("items", {})) for _ in range(self._chance.randrange(3))
            ],
            "integer": lambda s: self._chance.randint(s.get("minimum", 0), s.get("maximum", 99)),
            "number": lambda s: self._chance.uniform(0, 10),
            "boolean": lambda s: self._chance.random() < 0.5,
            "null": lambda s: None,
        }
        return makers.get(kind, self._string)(schema)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while reference := schema.get("$ref"):
            schema = self._text["components"]["schemas"][reference.rpartition("/")[2]]
        return schema

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        required = schema.get("required", ())
        return {
            name: self.value(one, name)
            for name, one in schema.get("properties", {}).items()
            if name in required or self._chance.random() < 0.5
        }

    def _string(self, schema: dict[str, Any]) -> str:
        if schema.get("format") == "date-time":
            return iso(day(self._chance.randrange(24 * 30)))
        if schema.get("format") == "uuid":
            return f"{self._chance.getrandbits(128):032x}"
        return f"made up {self._chance.randrange(1000)}"

    def _path(self, path: str) -> str:
        for name in self._known:
            value = self._chance.choice(self._known[name] or [""])
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path.replace("{", "").replace("}", "")

    def _query(self, operation: dict[str, Any]) -> str:
        named = {
            one["name"]: self.value(one["schema"], one["name"])
            for one in operation.get("parameters", [])
            if one["in"] == "query" and self._chance.random() < 0.4
        }
        return f"?{urlencode(named)}" if named else ""

    def _body(self, operation: dict[str, Any]) -> Any:
        content = operation.get("requestBody", {}).get("content", {})
        return self.value(content["application/json"]["schema"]) if content else None

    # Mistakes -------------------------------------------------------------------------------------

    def _strange(self) -> Any:
        return self._chance.choice(STRANGE)

    def _in_body(self, made: Made, body: Any) -> None:
        """Put a strange value somewhere, drop a field, or add one."""
        if not isinstance(body, dict) or not body or self._chance.random() < 0.05:
            body = self._strange()
        elif self._chance.random() < 0.2:
            body.pop(self._chance.choice(list(body)))
        else:
            name = self._chance.choice([*body, "unknown", "id", "owner", "is_staff", "\x00"])
            body[name] = self._strange()
        made.content = json.dumps(body).encode()
        made.headers.setdefault("Content-Type", "application/json")

    def _in_bytes(self, made: Made, body: Any) -> None:
        """Damage the body as it travels."""
        content = made.content or b"{}"
        made.content = self._chance.choice(
            [
                content[: len(content) // 2],
                b"\xef\xbb\xbf" + content,
                content.replace(b'"', b'"\xff', 1),
                content[:-1] + b', "name": "twice", "name": "twice"}',
                b"a=1&b=2",
                b"[" * 5000,
                b"",
                b'{"name": ' + b"9" * 5000 + b"}",
                b'{"x": "' + b"x" * 1_100_000 + b'"}',
            ]
        )
        kinds = [
            "application/json",
            "text/plain",
            "multipart/form-data",
            "application/json; charset=x",
        ]
        made.headers["Content-Type"] = self._chance.choice(kinds)

    def _in_path(self, made: Made, body: Any) -> None:
        """Replace one part of the path, or add one. Then it is nobody's."""
        path, _, query = made.path.partition("?")
        parts = path.split("/")
        strange = quote(str(self._strange())[:300].encode("utf-8", "surrogatepass"), safe="")
        parts[self._chance.randrange(1, len(parts))] = strange
        made.path, made.statuses = "/".join(parts) + (f"?{query}" if query else ""), None

    def _in_query(self, made: Made, body: Any) -> None:
        names = [
            "cursor",
            "page_size",
            "from",
            "to",
            "role",
            "without",
            "limit",
            "x" * 40,
            "format",
        ]
        value = str(self._strange())[:500].encode("utf-8", "surrogatepass")
        more = urlencode({self._chance.choice(names): value})
        made.path += f"{'&' if '?' in made.path else '?'}{more}"

    def _in_headers(self, made: Made, body: Any) -> None:
        name, values = self._chance.choice(STRANGE_HEADERS)
        made.headers[name] = self._chance.choice(values)

    def _in_method(self, made: Made, body: Any) -> None:
        made.method, made.statuses = self._chance.choice(METHODS), None
