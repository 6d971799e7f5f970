"""The life and death of tokens.

Cases AU-01, AU-04 to AU-08, AU-10, AU-11, AU-16 to AU-21 and AU-26.
"""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384, sha512
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from commontime.accounts.actions import profiles, sign_ins
from commontime.accounts.models import Session
from commontime.core import clock
from commontime.core.clients import Client as Visitor
from tests import build
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db
NEVER = "x" * 20


def b64(value: bytes | dict[str, Any]) -> str:
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def payload_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def forge(
    header: dict[str, Any],
    payload: dict[str, Any],
    *,
    key: str = settings.SECRET_KEY,
    digest: Any = sha256,
) -> str:
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(hmac.new(key.encode(), signed.encode(), digest).digest())}"


def is_signed_in(who: Caller, access: str | None = None) -> bool:
    answer = who.get("/profile/", authorization=f"Bearer {access or who.access}")
    assert answer.status_code in (200, 401), answer.content
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == "Bearer"
    return answer.status_code == 200


def refresh(token: Any) -> Any:
    return caller().post("/token/refresh/", {"refresh": token})


def can_refresh(token: str) -> bool:
    answer = refresh(token)
    assert answer.status_code in (200, 401), answer.content
    return answer.status_code == 200


# What signing in gives (AU-01) --------------------------------------------------------------------


def test_signing_up_and_in_tells_no_secret():
    account = {
        "username": "mina",
        "email": "mina@example.org",
        "first_name": "Mina",
        "last_name": "Ek",
        "password": build.PASSWORD,
    }
    mina = caller()

    up = mina.post("/signup/", account)
    into = mina.post("/login/", {"username": "mina", "password": build.PASSWORD})
    mina.access = into.data["access"]
    profile = mina.get("/profile/")

    assert (up.status_code, into.status_code, profile.status_code) == (201, 200, 200)
    assert set(up.data) == {"id", "username", "email", "first_name", "last_name"}
    assert set(into.data) == {"access", "refresh", "user"}
    assert into.data["user"] == up.data
    assert set(profile.data) == {*up.data, "email_confirmed", "settings"}
    stored = User.objects.get(username="mina").password
    for answer in (up, into, profile):
        assert answer["Cache-Control"] == "no-store"
        assert {"Cookie", "Authorization"} <= {name.strip() for name in answer["Vary"].split(",")}
        text = answer.content.decode()
        assert build.PASSWORD not in text
        assert stored not in text
        assert "is_staff" not in text


def test_refresh_secrets_are_stored_only_as_hashes():
    mina = caller("mina")

    secret = payload_of(mina.refresh)["secret"]

    session = Session.objects.get()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert session.refresh_hash == sha256(secret.encode()).hexdigest()
    assert secret not in json.dumps(list(Session.objects.values()), default=str)


# What is no token (AU-04 to AU-06, AU-21) ---------------------------------------------------------


def test_an_access_token_dies_of_age(later):
    mina = caller("mina")

    later(seconds=settings.ACCESS_LIFETIME.total_seconds() - 5)
    assert is_signed_in(mina)
    later(seconds=5 + 30)

    answer = mina.get("/profile/")
    assert answer.status_code == 401
    assert answer.data["code"] == "token_not_valid"


def test_a_refresh_token_dies_of_idleness_and_of_age(later):
    mina, sam = caller("mina"), caller("sam")

    later(days=14, seconds=-60)
    mina.refresh = refresh(mina.refresh).data["refresh"]
    later(seconds=120)
    assert not can_refresh(sam.refresh)
    for _ in range(6):
        later(days=12)
        mina.refresh = refresh(mina.refresh).data["refresh"]
    later(days=5)  # 14 + 6 * 12 + 5 > 90

    assert not can_refresh(mina.refresh)


def test_one_kind_of_token_does_not_serve_as_the_other():
    mina = caller("mina")

    assert not is_signed_in(mina, mina.refresh)
    assert not can_refresh(mina.access)


FORGERIES: dict[str, Any] = {
    **{
        f"alg {alg}": lambda claims, alg=alg: f"{b64({'alg': alg, 'typ': 'JWT'})}.{b64(claims)}."
        for alg in ("none", "None", "nOnE", "")
    },
    "alg none with our signature": lambda claims: forge({"alg": "none", "typ": "JWT"}, claims),
    "HS384 with our key": lambda claims: forge(
        {"alg": "HS384", "typ": "JWT"}, claims, digest=sha384
    ),
    "HS512 with our key": lambda claims: forge(
        {"alg": "HS512", "typ": "JWT"}, claims, digest=sha512
    ),
    "RS256 header": lambda claims: forge({"alg": "RS256", "typ": "JWT"}, claims),
    "another key": lambda claims: forge({"alg": "HS256", "typ": "JWT"}, claims, key="0" * 50),
    "empty key": lambda claims: forge({"alg": "HS256", "typ": "JWT"}, claims, key=""),
    "no session": lambda claims: forge(
        {"alg": "HS256"}, {k: v for k, v in claims.items() if k != "sid"}
    ),
    "a session of nobody": lambda claims: forge(
        {"alg": "HS256"}, {**claims, "sid": "00000000-0000-4000-8000-000000000000"}
    ),
    "a session that is no id": lambda claims: forge({"alg": "HS256"}, {**claims, "sid": ["1"]}),
    "another epoch": lambda claims: forge({"alg": "HS256"}, {**claims, "epoch": "0" * 32}),
    "an epoch beyond ASCII": lambda claims: forge({"alg": "HS256"}, {**claims, "epoch": "é" * 32}),
    "no epoch": lambda claims: forge(
        {"alg": "HS256"}, {k: v for k, v in claims.items() if k != "epoch"}
    ),
    **{
        f"no {claim}": lambda claims, claim=claim: forge(
            {"alg": "HS256"}, {k: v for k, v in claims.items() if k != claim}
        )
        for claim in ("exp", "iat", "jti", "token_type")
    },
    "signed in the future": lambda claims: forge(
        {"alg": "HS256"}, {**claims, "iat": claims["iat"] + 3600, "exp": claims["exp"] + 3600}
    ),
    "an end just past": lambda claims: forge({"alg": "HS256"}, {**claims, "exp": claims["iat"]}),
    "an end that is no time": lambda claims: forge({"alg": "HS256"}, {**claims, "exp": "never"}),
    "an end far away": lambda claims: forge(
        {"alg": "HS256"}, {**claims, "exp": 10**30}, key="0" * 50
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_nobody(name):
    mina = caller("mina")

    assert not is_signed_in(mina, FORGERIES[name](payload_of(mina.access)))


def test_a_token_of_a_machine_whose_clock_is_ahead_was_refused():
    mina = caller("mina")
    claims = payload_of(mina.access)

    assert is_signed_in(mina, forge({"alg": "HS256"}, {**claims, "iat": claims["iat"] + 3}))


def test_a_changed_or_unsigned_token_is_nobody():
    mina = caller("mina")
    head, claims, signature = mina.access.split(".")
    longer = b64({**payload_of(mina.access), "exp": 2**31})

    for token in (
        f"{head}.{longer}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}",
        f"{head}.{claims}.{signature}x",
        f".{claims}.",
    ):
        assert not is_signed_in(mina, token)


def test_what_a_header_names_is_not_fetched_and_claims_of_rights_mean_nothing(monkeypatch):
    import socket

    mina, eve = caller("mina"), caller("eve")
    contacted: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: contacted.append(address))
    header = {
        "alg": "HS256",
        "kid": "../../etc/passwd",
        "jku": "http://127.0.0.1:9/keys",
        "x5u": "http://127.0.0.1:9/cert",
    }

    stranger = forge({**header, "alg": "RS256"}, payload_of(eve.access))
    own = forge(
        header,
        {
            **payload_of(eve.access),
            "user_id": str(mina.user.pk),
            "username": "mina",
            "is_superuser": True,
            "role": "owner",
        },
    )

    assert not is_signed_in(eve, stranger)
    answer = eve.get("/profile/", authorization=f"Bearer {own}")
    # Signed with our key it is a token of ours: whose, the session says, and no claim.
    assert answer.status_code == 401 or answer.data["username"] == "eve"
    assert not contacted


def test_a_token_elsewhere_than_in_its_header_is_ignored():
    mina = caller("mina")
    token, mina.access = mina.access, ""
    mina.client.cookies["access"] = token
    mina.client.cookies["token"] = token

    for answer in (
        mina.get(f"/profile/?token={token}"),
        mina.get(f"/profile/?access={token}&access_token={token}"),
        mina.get("/profile/", x_authorization=f"Bearer {token}", x_access_token=token),
        mina.post("/calendars/", {"name": "Choir", "access": token, "token": token}),
    ):
        assert answer.status_code == 401
    assert not User.objects.get(username="mina").owned_calendars.exists()


# Signing out (AU-08, AU-10, AU-11) ----------------------------------------------------------------


def test_signing_out_ends_both_tokens_and_can_be_said_twice():
    mina = caller("mina")
    elsewhere = Caller(user=mina.user).sign_in()

    assert mina.post("/logout/", {"refresh_token": mina.refresh}).status_code == 204

    assert not can_refresh(mina.refresh)
    assert not is_signed_in(mina)
    assert mina.post("/logout/", {"refresh_token": mina.refresh}).status_code == 401
    assert elsewhere.post("/logout/", {"refresh_token": mina.refresh}).status_code == 204
    assert is_signed_in(elsewhere)
    assert can_refresh(elsewhere.refresh)


@pytest.mark.parametrize("path", ["/logout/", "/profile/delete/"])
def test_the_token_of_somebody_else_is_refused_without_effect(path):
    mina, sam = caller("mina"), caller("sam")

    answer = mina.post(path, {"refresh_token": sam.refresh})

    assert answer.status_code == 400
    assert is_signed_in(sam)
    assert is_signed_in(mina)
    assert can_refresh(sam.refresh)
    assert User.objects.filter(username="mina").exists()


@pytest.mark.parametrize("path", ["/logout/", "/profile/delete/"])
def test_what_is_no_refresh_token_is_refused_without_effect(path, later):
    mina = caller("mina")
    old = Caller(user=mina.user).sign_in()
    later(days=15)
    mina.sign_in()

    for bad in (
        "",
        NEVER,
        mina.access,
        old.refresh,
        None,
        7,
        [mina.refresh],
        {"refresh": mina.refresh},
        "é",
        f"{mina.refresh} ",
    ):
        answer = mina.post(path, {"refresh_token": bad})
        assert answer.status_code == 400, bad
    assert mina.post(path, {}).status_code == 400

    assert is_signed_in(mina)
    assert can_refresh(mina.refresh)
    assert User.objects.filter(username="mina").exists()


# A refresh token that is used twice ---------------------------------------------------------------


def test_a_used_refresh_token_ends_its_family_and_no_other(later):
    mina = caller("mina")
    elsewhere = Caller(user=mina.user).sign_in()
    renewed = refresh(mina.refresh).data

    assert is_signed_in(mina, renewed["access"])
    later(seconds=11)
    assert refresh(mina.refresh).data["code"] == "token_not_valid"

    assert not can_refresh(renewed["refresh"])
    assert not is_signed_in(mina, renewed["access"])
    assert is_signed_in(elsewhere)


def test_two_tabs_that_refresh_at_once_sign_nobody_out():
    mina = caller("mina")
    renewed = refresh(mina.refresh).data

    for _ in range(2):
        again = refresh(mina.refresh)
        assert (again.status_code, again.data["code"]) == (401, "refreshed_meanwhile")

    assert is_signed_in(mina, renewed["access"])
    assert can_refresh(renewed["refresh"])


@pytest.mark.parametrize("how", ["older", "elsewhere", "ended"])
def test_a_copy_of_a_refresh_token_has_no_grace(how):
    mina = caller("mina")
    renewed = refresh(mina.refresh).data
    last, headers = renewed["refresh"], {}
    if how == "older":
        last = refresh(last).data["refresh"]
    if how == "elsewhere":
        headers = {"REMOTE_ADDR": "198.51.100.9"}
    if how == "ended":
        Session.objects.update(ended_at=clock.now())

    again = caller().client.post(
        "/token/refresh/",
        {"refresh": mina.refresh},
        content_type="application/json",
        **headers,
    )

    assert (again.status_code, again.json()["code"]) == (401, "token_not_valid")
    assert not can_refresh(last)
    assert not is_signed_in(mina, renewed["access"])


@pytest.mark.parametrize("bad", ["", NEVER, None, 7, [], {}, "a.b.c", "é.é.é"])
def test_what_is_no_refresh_token_is_refused_by_refresh(bad):
    assert refresh(bad).status_code in (400, 401)


# The person behind it (AU-16 to AU-19) ------------------------------------------------------------


def test_deactivation_ends_everything_at_once_and_for_good():
    mina = caller("mina")
    browser = Caller(user=mina.user)
    browser.client.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    assert browser.client.get("/app/").status_code == 200

    profiles.deactivate(mina.user)

    assert not is_signed_in(mina)
    assert not can_refresh(mina.refresh)
    assert browser.client.get("/app/").status_code == 302
    assert mina.post("/login/", {"username": "mina", "password": build.PASSWORD}).status_code == 401

    profiles.reactivate(mina.user)

    assert not is_signed_in(mina)
    assert not can_refresh(mina.refresh)
    assert browser.client.get("/app/").status_code == 302
    assert is_signed_in(Caller(user=mina.user).sign_in())


def test_a_sign_in_that_was_opening_while_the_account_closed_stays_dead_when_it_opens_again(mina):
    profiles.deactivate(mina)
    late = sign_ins.open_session(
        mina, door="api", client=Visitor()
    )  # its password was checked a moment before

    profiles.reactivate(mina)

    assert Session.objects.get(pk=late.session.pk).ended_at is not None


def test_a_deleted_user_is_signed_out_everywhere():
    mina = caller("mina")
    elsewhere = Caller(user=mina.user).sign_in()

    assert mina.post("/profile/delete/", {"refresh_token": mina.refresh}).status_code == 204

    for tokens in (mina, elsewhere):
        assert not is_signed_in(tokens)
        assert refresh(tokens.refresh).status_code == 401


def test_a_new_name_keeps_the_person():
    mina, sam = caller("mina"), caller("sam")
    sam.post("/contacts/add/", {"contactee": mina.user.pk})
    calendar = build.calendar(owner=sam.user)
    sam.post("/calendars/invitations/", {"calendar": str(calendar.pk), "receiver": mina.user.pk})

    assert mina.post("/profile/edit/", {"username": "minerva"}).status_code == 200

    assert is_signed_in(mina)
    assert (
        caller().post("/login/", {"username": "mina", "password": build.PASSWORD}).status_code
        == 401
    )
    assert (
        caller().post("/login/", {"username": "minerva", "password": build.PASSWORD}).status_code
        == 200
    )
    assert [contact["username"] for contact in sam.get("/contacts/").data] == ["minerva"]
    assert [
        invitation["receiver"] for invitation in sam.get("/calendars/invitations/?box=sent").data
    ] == [mina.user.pk]


# Which door takes what (AU-20, AU-26) -------------------------------------------------------------


@pytest.mark.parametrize("header", ["Bearer dead", "Bearer", "Basic eDp5", "é", ""])
def test_public_routes_ignore_a_stale_header(header):
    mina = caller("mina")
    account = {
        "username": "new",
        "email": "new@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
    }

    for path, body, status in (
        ("/signup/", account, 201),
        ("/login/", {"username": "mina", "password": build.PASSWORD}, 200),
        ("/token/", {"username": "mina", "password": build.PASSWORD}, 200),
        ("/token/refresh/", {"refresh": mina.refresh}, 200),
        ("/password_reset/", {"email": "mina@example.org"}, 200),
    ):
        assert caller().post(path, body, authorization=header).status_code == status, path


def test_the_api_does_not_take_the_cookie_of_the_pages():
    browser = Caller(user=build.user("mina"))
    browser.client.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    assert browser.client.get("/app/").status_code == 200

    assert browser.get("/profile/").status_code == 401
    assert browser.post("/calendars/", {"name": "Choir"}).status_code == 401


def test_the_pages_take_no_bearer_token_and_no_form_without_its_csrf_token():
    from django.test import Client

    mina = caller("mina")
    strict = Client(enforce_csrf_checks=True)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {mina.access}"}

    assert strict.get("/app/", **bearer).status_code == 302
    assert strict.post("/app/sign-out/", **bearer).status_code == 403
    assert (
        strict.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD}).status_code
        == 403
    )
    assert is_signed_in(mina)


def test_a_claim_that_is_older_than_its_session_does_not_live_on(later):
    """A token with a later end than its session is as dead as the session."""
    mina = caller("mina")
    claims = payload_of(mina.access)
    ends = datetime.now(UTC) + timedelta(days=400)
    immortal = forge({"alg": "HS256", "typ": "JWT"}, {**claims, "exp": int(ends.timestamp())})
    assert is_signed_in(mina, immortal)

    later(days=91)

    assert not is_signed_in(mina, immortal)
