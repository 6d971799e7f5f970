"""Measure R15 and R16: the cost and the weight of the calendar's page.

It is asked for as a browser does, with everybody's times.
"""

import gzip
import http.client
import itertools
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode

from bench.http import data
from bench.http.load import request
from bench.http.measures import (
    RALLLY_BARE_MS,
    Effort,
    Row,
    measure,
    repeat,
    repeat_after_changes,
    vary,
)
from bench.http.scene import Scene
from stage.callers import PASSWORD

RALLLY_PAGE_MS, RALLLY_PAGE_BYTES = 231, 912_000


def results_page(scene: Scene, effort: Effort) -> list[Row]:
    browser = Browser(*scene.product.address)
    browser.sign_in(scene.made["owner"])
    size = max(data.SIZES)
    calendar = scene.made["calendars"][str(size)]
    path = f"/app/calendars/{calendar}/?from={scene.made['monday'][:10]}"

    def asking(path: str) -> bytes:
        return request("GET", path, Cookie=browser.cookie, Accept_Encoding="gzip")

    get = asking(path)
    unchanged = measure(
        scene,
        effort,
        "R15",
        f"the calendar's page, nothing changed, N = {size:,}",
        repeat(scene, get),
        20,
    )
    # As for somebody else: what everybody sees is in memory, what one sees of oneself is not.
    first = vary(scene, get, (asking(f"{path}&look={number}") for number in itertools.count()))
    changed = repeat_after_changes(scene, get, calendar)
    weight = browser.visit(path)
    return [
        unchanged,
        measure(
            scene,
            effort,
            "R15",
            f"the calendar's page, nothing changed, a first look, N = {size:,}",
            first,
        ),
        measure(
            scene,
            effort,
            "R15",
            f"the calendar's page, right after a change, N = {size:,}",
            changed,
        ),
        Row(
            "R15",
            "times less CPU than Rallly's page",
            RALLLY_PAGE_MS / RALLLY_BARE_MS / unchanged.value,
            "x less",
            least=40,
        ),
        Row(
            "R16", "first visit of that page, all files, compressed", weight.bytes / 1000, "KB", 40
        ),
        Row("R16", "of these, our own scripts", weight.scripts / 1000, "KB", 20),
        Row(
            "R16",
            "times fewer bytes than Rallly's page",
            RALLLY_PAGE_BYTES / weight.bytes,
            "x less",
        ),
        Row("R16", "requests of the first visit", weight.requests, "", 4),
        Row("R16", "elements in the page", weight.elements, "", 3000),
    ]


@dataclass
class Weight:
    """The bytes, requests and elements of a first visit, headers apart."""

    bytes: int = 0
    scripts: int = 0
    requests: int = 0
    elements: int = 0


class Browser:
    """A minimal browser: it signs in, and fetches a page with its files."""

    def __init__(self, host: str, port: int) -> None:
        self.connection = http.client.HTTPConnection(host, port)
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request(
            method,
            path,
            body or None,
            {"Cookie": self.cookie, "Accept-Encoding": "gzip", **headers},
        )
        answer = self.connection.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, content

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        path = "/app/sign-in/"
        page = unpacked(*self.ask("GET", path))
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        fields = {
            "csrfmiddlewaretoken": token[1] if token else "",
            "identifier": name,
            "password": password,
        }
        answer, content = self.ask(
            "POST", path, urlencode(fields), **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        if answer.status != 302:
            raise RuntimeError(
                f"{name} could not sign in to the pages: {answer.status} {content[:300]!r}"
            )

    def visit(self, path: str) -> Weight:
        """Fetch a page with all styles, scripts and images, as a browser does."""
        answer, content = self.ask("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"{path} is answered {answer.status}")
        page = PageParser(unpacked(answer, content))
        weight = Weight(len(content), 0, 1, page.elements)
        todo, fetched = list(page.files), set()
        while todo:
            if (name := todo.pop()) in fetched:
                continue
            fetched.add(name)
            answer, content = self.ask("GET", name)
            weight.bytes += len(content)
            weight.requests += 1
            if name.endswith(".js"):
                weight.scripts += len(content)
                folder = name.rpartition("/")[0]
                todo += [
                    f"{folder}/{other}"
                    for other in re.findall(r'from "\./([^"]+)"', unpacked(answer, content))
                ]
        return weight


def unpacked(answer: http.client.HTTPResponse, content: bytes) -> str:
    return (
        gzip.decompress(content) if answer.headers.get("Content-Encoding") == "gzip" else content
    ).decode()


class PageParser(HTMLParser):
    """The elements of a page, and the files that a browser fetches for it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements = 0
        self.files: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        values = dict(attrs)
        if (
            tag == "link" and values.get("rel") in {"stylesheet", "icon", "modulepreload"}
        ) or tag in {"script", "img"}:
            self.files |= {value for value in (values.get("href"), values.get("src")) if value}
