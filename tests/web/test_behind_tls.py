"""As people run it for others: TLS ends at a proxy, which speaks plain HTTP with the product."""

from collections.abc import Iterator

import httpx
import pytest

from stage.servers import Site, open_site
from tests import build

pytestmark = pytest.mark.processes
HOST = "plan.example.org"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site(start=False, COMMONTIME_BASE_URL=f"https://{HOST}") as site:
        site.start("web")
        yield site


@pytest.fixture
def proxy(site) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=site.url, headers={"Host": HOST, "X-Forwarded-Proto": "https"}, trust_env=False
    ) as proxy:
        yield proxy


def cookies_set_by(answer: httpx.Response) -> dict[str, set[str]]:
    """Return the attributes of each cookie an answer sets."""
    cookies = {}
    for cookie in answer.headers.get_list("set-cookie"):
        first, *attributes = [part.strip() for part in cookie.split(";")]
        cookies[first.partition("=")[0]] = {attribute.lower() for attribute in attributes}
    return cookies


def token_on(page: httpx.Response) -> str:
    return page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_cookies_are_bound_to_the_host_and_to_tls(proxy):
    page = proxy.get("/app/sign-up/")
    account = {
        "username": "mina",
        "email": "mina@example.org",
        "password": build.PASSWORD,
        "csrfmiddlewaretoken": token_on(page),
    }
    # The client would keep a Secure cookie from a plain connection.
    sent = {
        "Cookie": f"__Host-csrf={page.cookies['__Host-csrf']}",
        "Origin": f"https://{HOST}",
        "Referer": f"https://{HOST}/app/sign-up/",
    }

    answer = proxy.post("/app/sign-up/", data=account, headers=sent)

    assert (answer.status_code, answer.headers["location"]) == (302, "/app/")
    cookies = cookies_set_by(page) | cookies_set_by(answer)
    assert set(cookies) == {"__Host-csrf", "__Host-session"}
    for attributes in cookies.values():
        assert {"secure", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)
    assert "httponly" in cookies["__Host-session"]


@pytest.mark.parametrize("origin", ["https://evil.example", f"http://{HOST}", "null"])
def test_a_form_from_another_origin_is_refused(proxy, origin):
    page = proxy.get("/app/sign-in/")
    sent = {"Cookie": f"__Host-csrf={page.cookies['__Host-csrf']}", "Origin": origin}

    answer = proxy.post("/app/sign-in/", data={"csrfmiddlewaretoken": token_on(page)}, headers=sent)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/app/nothing/", "/static/web/css/base.css", "/profile/", "/nothing/", "/healthz"]
)
def test_every_answer_keeps_browsers_on_tls(proxy, path):
    age, *rest = proxy.get(path).headers["strict-transport-security"].split("; ")

    assert int(age.removeprefix("max-age=")) >= 31_536_000
    assert rest == []  # for this host alone
