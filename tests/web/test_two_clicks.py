"""Two clicks over real HTTP, at once and 180 ms apart, with two web processes."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import pytest

from stage.callers import PASSWORD
from stage.servers import Answer, Site, open_site
from tests.web.forms import Form, forms_in

pytestmark = pytest.mark.processes
ROUNDS = 6
RESETS = "django_ox_oxtask", "task_path LIKE '%send_password_reset'"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site(COMMONTIME_LIMIT_LOOK_UP="1000", COMMONTIME_LIMIT_MAIL_PAIR="1000") as site:
        yield site


class Browser:
    """Sends forms with the cookies it has."""

    def __init__(self, site: Site) -> None:
        self.wire, self.cookies = site.caller().client, {}

    def ask(self, method: str, path: str, fields: dict | None = None) -> Answer:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        content = None
        if fields is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            content = urlencode(fields, doseq=True).encode()
        answer = self.wire.request(method, path, content, headers)
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def form(self, path: str, field: str) -> Form:
        page = self.ask("GET", path)
        assert page.status_code == 200, page.text
        return next(
            form for form in forms_in(page.text, path) if field in {name for name, _ in form.fields}
        )

    def sign_in(self, name: str) -> "Browser":
        form = self.form("/app/sign-in/", "identifier")
        answer = self.ask("POST", form.action, form.data(identifier=name, password=PASSWORD))
        assert answer.status_code == 302, answer.text
        return self


def two_clicks(
    browser: Browser, form: Form, pause: float, status: int = 302, **typed: str
) -> list[str]:
    """Send the form twice, and return where each answer leads."""
    start, sent = Barrier(2), form.data(**typed)

    def click(number: int) -> str:
        start.wait()
        time.sleep(number * pause)
        answer = browser.ask("POST", form.action, sent)
        assert answer.status_code == status, answer.text
        return answer.headers.get("Location", "")

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(click, range(2)))


PAUSES = pytest.mark.parametrize("pause", [0, 0.02, 0.18])


@pytest.fixture(scope="module")
def mina(site) -> Browser:
    site.person("sam")
    return Browser(site).sign_in(site.person("mina").name)


@PAUSES
def test_two_clicks_make_one_calendar_and_write_to_everybody_once(site, mina, pause):
    for number in range(ROUNDS):
        calendars, invitations, mails = (
            site.count(table)
            for table in ("calendars_calendar", "calendars_invitation", "mail_message")
        )
        form = mina.form("/app/calendars/new/", "first_day")

        first, second = two_clicks(
            mina, form, pause, name=f"Concert {number}", others=f"sam ana{number}@example.org"
        )

        assert first == second
        assert site.count("calendars_calendar") == calendars + 1
        assert site.count("calendars_invitation") == invitations + 2
        assert site.count("mail_message") == mails + 2


@PAUSES
def test_two_clicks_copy_a_calendar_once(site, mina, pause):
    form = mina.form("/app/calendars/new/", "first_day")
    path = mina.ask("POST", form.action, form.data(name="Choir")).headers["Location"]
    for _ in range(ROUNDS):
        calendars = site.count("calendars_calendar")
        form = mina.form(f"{path}settings/", "shift_days")

        first, second = two_clicks(mina, form, pause, do="duplicate")

        assert first == second
        assert site.count("calendars_calendar") == calendars + 1


@PAUSES
def test_two_clicks_ask_for_one_reset_mail(site, pause):
    browser = Browser(site)
    form = browser.form("/app/password_reset/", "email")
    asked = site.count(*RESETS)

    two_clicks(browser, form, pause, status=200, email="nobody@example.org")

    assert site.count(*RESETS) == asked + 1


@PAUSES
def test_two_clicks_make_one_account_and_both_are_signed_in(site, pause):
    for number in range(ROUNDS):
        browser, name = Browser(site), f"rio{pause}{number}"
        accounts = site.count("auth_user")
        form = browser.form("/app/sign-up/", "email")

        first, second = two_clicks(
            browser, form, pause, username=name, email=f"{name}@example.org", password=PASSWORD
        )

        assert first == second == "/app/"
        assert site.count("auth_user") == accounts + 1
        assert browser.ask("GET", "/app/").status_code == 200
