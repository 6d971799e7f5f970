"""Rate limits: cases AU-03, RL-01, RL-02 and RL-04 to RL-08, PR-16."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from commontime.core import limits
from commontime.core.clients import client_of
from commontime.mail.models import Message
from tests import build
from tests.client import Caller, caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db
HERE = {"REMOTE_ADDR": "192.0.2.7"}
ELSEWHERE = {"REMOTE_ADDR": "198.51.100.9"}


def attempt(name: str, password: str = "wrong", *, path: str = "/login/", **environ: str) -> int:
    """Sign in by the API, or by the page for /app/sign-in/, and return the status."""
    client = caller().client
    if path.startswith("/app/"):
        answer: Any = client.post(
            path, {"identifier": name, "password": password}, **{**HERE, **environ}
        )
        return 429 if "reached the limit" in answer.content.decode() else answer.status_code
    answer = client.post(
        path,
        {"username": name, "password": password},
        content_type="application/json",
        **{**HERE, **environ},
    )
    if answer.status_code == 429:
        assert 0 < int(answer["Retry-After"]) <= 900
    return answer.status_code


# Exports ------------------------------------------------------------------------------------------


def test_exports_that_nobody_read_filled_the_memory(settings):
    settings.LIMITS = {**settings.LIMITS, "export": (2, 3600)}
    mina = caller("mina")
    page = browser_of(mina.user)
    assert mina.get("/profile/export/").status_code == 200
    assert page.get("/app/settings/export/").status_code == 200

    assert mina.get("/profile/export/").status_code == 429
    assert page.get("/app/settings/export/").status_code == 429
    assert caller("sam").get("/profile/export/").status_code == 200


# Passwords (AU-03, RL-01, RL-02, RL-04, RL-08) ----------------------------------------------------


def test_ten_wrong_passwords_then_none_is_compared_on_any_path(hashed):
    build.user("mina")
    hashed.clear()
    paths = ["/login/", "/token/", "/app/sign-in/"]

    tries = [attempt("mina", path=paths[number % 3]) for number in range(10)]

    assert set(tries) == {401, 422}
    assert len(hashed) == 10
    for path in paths:
        assert attempt("mina", path=path) == 429
        assert attempt("mina", build.PASSWORD, path=path) == 429
    assert len(hashed) == 10


def test_the_right_password_from_elsewhere_still_works_and_only_failures_count(later):
    build.user("mina")
    for _ in range(11):
        attempt("mina")

    assert attempt("mina", build.PASSWORD) == 429
    assert [attempt("mina", build.PASSWORD, **ELSEWHERE) for _ in range(25)] == [200] * 25
    later(minutes=16)
    assert attempt("mina", build.PASSWORD) == 200


@pytest.mark.parametrize(
    "header",
    [
        "X_FORWARDED_FOR",
        "FORWARDED",
        "X_REAL_IP",
        "TRUE_CLIENT_IP",
        "CF_CONNECTING_IP",
        "X_CLIENT_IP",
    ],
)
def test_a_client_cannot_choose_its_address(header):
    build.user("mina")

    tries = [attempt("mina", **{f"HTTP_{header}": f"203.0.113.{number}"}) for number in range(12)]

    assert tries == [401] * 10 + [429] * 2


def test_behind_a_proxy_of_ours_its_word_counts_and_no_other(settings):
    settings.TRUSTED_PROXIES = ["192.0.2.7", "192.0.2.8"]
    build.user("mina")
    said = {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}

    # Whatever the client itself put in front, the last word is the proxy's.
    tries = [
        attempt("mina", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.1, 192.0.2.8")
        for number in range(11)
    ]

    assert tries == [401] * 10 + [429]
    assert attempt("mina", **said) == 429
    assert attempt("mina", **said, **ELSEWHERE) == 401  # from a stranger the header says nothing
    assert attempt("mina", HTTP_X_FORWARDED_FOR="203.0.113.2") == 401


def test_a_network_of_proxies_was_ignored(settings):
    settings.TRUSTED_PROXIES = ["172.18.0.0/16", "fd00::/8"]
    said = {"HTTP_X_FORWARDED_FOR": "198.51.100.4, 203.0.113.1, 172.18.0.9"}

    assert client_of({"REMOTE_ADDR": "172.18.3.4", **said}).address == "203.0.113.1"
    assert client_of({"REMOTE_ADDR": "::ffff:172.18.3.4", **said}).address == "203.0.113.1"
    assert client_of({"REMOTE_ADDR": "fd12::1", **said}).address == "203.0.113.1"
    assert client_of({"REMOTE_ADDR": "172.19.3.4", **said}).address == "172.19.3.4"


@pytest.mark.parametrize("peer", ["", "no address", "unix:"])
def test_an_unreadable_peer_was_believed(settings, peer):
    settings.TRUSTED_PROXIES = ["172.18.0.0/16"]

    said = client_of({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.1"})

    assert said.address == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("no address", ""),
    ],
)
def test_limits_count_by_what_a_client_cannot_change(address, network):
    assert client_of({"REMOTE_ADDR": address}).network == network


def test_a_whole_ipv6_network_is_one_guesser():
    build.user("mina")

    tries = [attempt("mina", REMOTE_ADDR=f"2001:db8:1:2::{number:x}") for number in range(1, 13)]

    assert tries == [401] * 10 + [429] * 2
    assert attempt("mina", REMOTE_ADDR="2001:db8:1:3::1") == 401


@pytest.mark.parametrize(
    ("stored", "spellings"),
    [
        ("mina", ["mina", "Mina", "MINA", "ｍina", " mina", "mina  ", "ＭＩＮＡ"]),
        ("straße", ["straße", "STRASSE", "strasse", "STRAẞE"]),
    ],
)
def test_every_spelling_of_a_name_is_one_counter(stored, spellings):
    build.user(stored, email="mina@example.org")

    tries = [attempt(spellings[number % len(spellings)]) for number in range(10)]

    assert tries == [401] * 10
    assert [attempt(spelling) for spelling in spellings] == [429] * len(spellings)


def test_name_and_address_together_give_no_more_tries_and_do_not_tell_that_they_belong_together(
    hashed,
):
    build.user("mina")
    build.user("sam")
    for _ in range(10):
        attempt("mina")
    hashed.clear()

    known = [(attempt("mina@example.org"), len(hashed), "wrong" in hashed) for _ in range(2)]
    right = attempt("mina@example.org", build.PASSWORD)
    hashed.clear()
    other = [(attempt("nobody@example.org"), len(hashed), "wrong" in hashed) for _ in range(2)]

    # A password was compared, so that it takes as long; it was not Mina's.
    assert known == other == [(401, 1, True), (401, 2, True)]
    assert right == 401
    assert attempt("mina@example.org", build.PASSWORD, **ELSEWHERE) == 200
    assert attempt("sam@example.org", build.PASSWORD) == 200


def test_a_wrong_current_password_counts_like_a_wrong_sign_in(later):
    mina = caller("mina")
    later(minutes=11)
    mina.access = caller().post("/token/refresh/", {"refresh": mina.refresh}).data["access"]

    def change(current: str, **headers: str) -> int:
        return mina.post(
            "/profile/edit/",
            {"password": "a wholly new password", "current_password": current},
            **headers,
        ).status_code

    # Each with a key of its own: a refusal that is taken back must not take its count back.
    tries = [change("wrong", idempotency_key=f"key {number}") for number in range(10)]

    assert tries == [403] * 10
    assert change(build.PASSWORD) == 429
    assert change(build.PASSWORD, idempotency_key="another") == 429
    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="127.0.0.1") == 429
    assert User.objects.get().check_password(build.PASSWORD)


def test_when_tries_cannot_be_counted_no_password_is_compared(monkeypatch, hashed):
    build.user("mina")
    hashed.clear()

    def away(*args: object) -> None:
        raise OperationalError("the limits are away")

    monkeypatch.setattr(limits, "count_each", away)

    for path in ("/login/", "/token/", "/signup/", "/password_reset/MQ/x-y/"):
        body = {
            "username": "mina",
            "email": "m@example.org",
            "first_name": "",
            "last_name": "",
            "password": build.PASSWORD,
        }
        answer = caller().post(path, body)
        assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (
            503,
            "unavailable",
            "5",
        ), path
    assert (
        caller()
        .client.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
        .status_code
        == 503
    )
    assert not hashed
    assert User.objects.count() == 1


def test_a_limit_survives_what_forgets_old_ones(later):
    build.user("mina")
    for _ in range(10):
        attempt("mina")
    limits.forget_old()
    assert attempt("mina") == 429

    later(days=2)
    limits.forget_old()
    assert attempt("mina") == 401


def test_a_reset_lets_in_who_forgot_the_password_and_tried_too_often(mina):
    from commontime.accounts.tasks import reset_url

    for name in ("mina", "mina@example.org"):
        for _ in range(11):
            attempt(name)
    assert attempt("mina", build.PASSWORD) == 429

    path = reset_url(mina).partition("/password_reset/")[2]
    answer = caller().client.post(
        f"/password_reset/{path}",
        {"password": "a wholly new password"},
        content_type="application/json",
        **HERE,
    )

    assert answer.status_code == 200
    assert attempt("mina", "a wholly new password") == 200
    assert attempt("mina@example.org", "a wholly new password") == 200


# Who is here --------------------------------------------------------------------------------------


def test_signing_up_tells_who_is_here_only_a_hundred_times_an_hour():
    """Also when nothing could come of it, because the password is none."""
    build.user("mina")

    def ask_for(address: str) -> Any:
        body = {
            "username": f"guess{address[:3]}",
            "email": address,
            "first_name": "",
            "last_name": "",
            "password": "",
        }
        return caller().client.post("/signup/", body, content_type="application/json", **HERE)

    answers = [
        ask_for("mina@example.org" if number % 2 else f"{number}@example.org")
        for number in range(101)
    ]

    assert [answer.status_code for answer in answers] == [400] * 100 + [429]
    assert ["email" in answer.json()["fields"] for answer in answers[:100]] == [False, True] * 50


def test_editing_a_profile_tells_who_is_here_only_sixty_times_an_hour():
    mina, sam = caller("mina"), caller("sam")

    answers = [
        sam.post(
            "/profile/edit/",
            {"email": "mina@example.org", **({"password": "short"} if number % 2 else {})},
        )
        for number in range(61)
    ]

    assert [answer.status_code for answer in answers] == [400] * 60 + [429]
    assert (
        mina.post(
            "/profile/edit/",
            {"first_name": "Minna", "username": "mina", "email": "Mina@example.org"},
        ).status_code
        == 200
    )
    assert [
        sam.post("/profile/edit/", {"first_name": f"Sam {number}"}).status_code
        for number in range(5)
    ] == [200] * 5


# Reset mails and links (RL-05, PR-16) -------------------------------------------------------------


def ask(address: str, **environ: str) -> tuple[int, bytes]:
    answer = caller().client.post(
        "/password_reset/",
        {"email": address},
        content_type="application/json",
        **{**HERE, **environ},
    )
    return answer.status_code, answer.content


@pytest.fixture
def resets(monkeypatch) -> list[str]:
    """The addresses whose reset mails were posted. The worker's part runs at once."""
    from commontime.accounts import tasks

    class AtOnce:
        enqueue = staticmethod(tasks.send_password_reset.func)

    monkeypatch.setattr(tasks, "send_password_reset", AtOnce)

    class Sent(list):
        def __iter__(self):
            return iter(
                Message.objects.filter(kind="password_reset").values_list("recipient", flat=True)
            )

    return Sent()


def test_fifty_requests_for_one_address_send_three_mails_and_look_alike(resets):
    build.user("mina")

    answers = {ask("mina@example.org", REMOTE_ADDR=f"203.0.113.{number}") for number in range(50)}
    spelled = {ask(" Mina@Example.ORG ", REMOTE_ADDR="198.51.100.1")}

    assert len(answers | spelled) == 1
    assert list(resets) == ["mina@example.org"] * 3


def test_fifty_addresses_from_one_client_send_ten_mails_and_look_alike(resets):
    for number in range(15):
        build.user(f"m{number}")

    answers = {ask(f"m{number}@example.org") for number in range(15)} | {
        ask(f"nobody{number}@example.org") for number in range(35)
    }

    assert len(answers) == 1
    assert len(list(resets)) == 10


def test_random_links_are_limited():
    def follow(number: int) -> Any:
        return caller().post(
            f"/password_reset/MQ/c{number:05}-{'0' * 32}/", {"password": "a wholly new password"}
        )

    tries = [follow(number).status_code for number in range(21)]

    assert tries == [400] * 20 + [429]


# Other people (RL-06, RL-07) ----------------------------------------------------------------------


def letter(sender: Caller, receiver: str) -> int:
    return sender.post("/calendars/send-email/", {"username": receiver}).status_code


def test_one_person_sends_another_five_letters_a_day(later):
    mina, sam = caller("mina"), caller("sam")
    build.user("iris")

    assert [letter(mina, "iris") for _ in range(7)] == [202] * 5 + [429] * 2
    assert letter(mina, "sam") == 202
    assert letter(sam, "iris") == 202
    assert Message.objects.filter(recipient="iris@example.org").count() == 6
    later(hours=25)
    mina.sign_in()
    assert letter(mina, "Iris") == 202


def test_one_person_gets_twenty_letters_a_day_from_people():
    build.user("iris")
    senders = [caller(f"s{number}") for number in range(5)]

    statuses = [letter(sender, "iris") for sender in senders for _ in range(5)]

    assert statuses == [202] * 20 + [429] * 5
    assert Message.objects.filter(recipient="iris@example.org").count() == 20


def test_invitations_to_one_person_are_all_made_but_five_a_day_are_mailed(mails, iris):
    mina = caller("mina")

    for number in range(8):
        calendar = build.calendar(owner=mina.user, name=f"Choir {number}")
        answer = mina.post(
            "/calendars/invitations/", {"calendar": str(calendar.pk), "receiver": iris.pk}
        )
        assert answer.status_code == 201

    assert len(mails()) == 5
    assert letter(mina, "iris") == 429
    assert iris.received_invitations.filter(status="pending").count() == 8


def test_taking_an_invitation_back_and_sending_it_again_is_no_way_around_the_limit(mails):
    mina = caller("mina")
    calendar = str(build.calendar(owner=mina.user).pk)

    def invite() -> int:
        answer = mina.post(
            "/calendars/invitations/", {"calendar": calendar, "email": "Iris@example.com"}
        )
        if answer.status_code == 201:
            mails()
            assert mina.delete(answer["Location"]).status_code == 204
        return answer.status_code

    assert [invite() for _ in range(7)] == [201] * 5 + [429] * 2
    assert len(mails()) == 5


def test_adding_and_removing_somebody_again_and_again_sends_five_mails(mails, sam):
    mina = caller("mina")
    calendar = build.calendar(owner=mina.user)

    for _ in range(6):
        added = mina.post(f"/calendars/{calendar.pk}/participants/", {"user": sam.pk})
        assert added.status_code == 201
        mails()
        assert (
            mina.delete(f"/calendars/{calendar.pk}/participants/{added.data['id']}/").status_code
            == 204
        )

    assert len(mails()) == 5


def test_a_muted_sender_learns_nothing_of_it():
    mina, iris = caller("mina"), caller("iris")
    iris.put("/profile/settings/", {"muted": ["mina"]})

    assert [letter(mina, "iris") for _ in range(6)] == [202] * 5 + [429]


def test_names_can_be_looked_up_sixty_times_an_hour():
    mina, sam = caller("mina"), caller("sam")

    statuses = [
        mina.get(f"/calendars/get-user-id/{'sam' if number % 2 else 'nobody'}/")
        for number in range(100)
    ]

    assert [answer.status_code for answer in statuses] == [404, 200] * 30 + [429] * 40
    assert 0 < int(statuses[-1]["Retry-After"]) <= 3600
    assert sam.get("/calendars/get-user-id/mina/").status_code == 200
