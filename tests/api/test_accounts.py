"""Accounts over HTTP: signing up, in and out, the profile and what belongs to it."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from commontime.accounts.models import Session
from commontime.core import clock
from tests import build
from tests.api.cast import fields_of, refused
from tests.client import caller

pytestmark = pytest.mark.django_db

NOVA = {
    "username": "nova",
    "email": "nova@example.org",
    "first_name": "Nova",
    "last_name": "Ng",
    "password": build.PASSWORD,
}


# Signing up ---------------------------------------------------------------------------------------


def test_signing_up_shows_the_account_without_the_password():
    answer = caller().post("/signup/", NOVA)

    assert answer.status_code == 201
    assert answer.data == {
        **{name: NOVA[name] for name in NOVA if name != "password"},
        "id": User.objects.get(username="nova").pk,
    }
    assert answer["Location"] == "/profile/"


def test_a_name_and_an_address_are_taken_whatever_their_case(group):
    answer = caller().post("/signup/", {**NOVA, "username": "MINA", "email": "Sam@Example.ORG"})

    assert refused(answer, 400, "invalid_input", "username", "email")
    assert not User.objects.filter(username="MINA").exists()


def test_every_reason_against_a_sign_up_is_told_at_once(group):
    answer = caller().post(
        "/signup/", {"username": "mina", "email": "nowhere", "password": "12345"}
    )

    assert refused(answer, 400, "invalid_input", "username", "email", "password")
    assert len(answer.data["fields"]["password"]) == 3  # short, common, only digits


def test_a_refused_sign_up_with_unreadable_names_stays_a_refusal():
    """PostgreSQL can't look up a name with NUL in it; this was a server error."""
    answer = caller().post(
        "/signup/",
        {
            "username": "no\x00body",
            "email": "a\x00@b.c",
            "first_name": 7,
            "password": build.PASSWORD,
        },
    )

    assert refused(answer, 400, "invalid_input", "username", "email", "first_name")


# Signing in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mina", "MINA", "mina@example.org"])
def test_signing_in_gives_tokens_and_the_account(group, name):
    answer = caller().post("/login/", {"username": name, "password": build.PASSWORD})

    assert answer.status_code == 200
    assert set(answer.data) == {"access", "refresh", "user"}
    assert (
        set(answer.data["user"])
        == fields_of("Account")
        == {"id", "username", "email", "first_name", "last_name"}
    )


def test_every_failed_sign_in_gets_the_same_answer(group):
    build.user("gone", is_active=False)
    wrong = [("mina", "wrong password"), ("nobody", build.PASSWORD), ("gone", build.PASSWORD)]

    answers = [
        caller().post(path, {"username": name, "password": word})
        for path in ("/login/", "/token/")
        for name, word in wrong
    ]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, answers[0].content)
    }
    assert refused(answers[0], 401, "invalid_credentials")


def test_a_pair_of_tokens_is_renewed_once(group):
    pair = caller().post("/token/", {"username": "sam", "password": build.PASSWORD})
    renewed = caller().post("/token/refresh/", {"refresh": pair.data["refresh"]})

    again = caller().post("/token/refresh/", {"refresh": pair.data["refresh"]})

    assert pair.status_code == renewed.status_code == 200
    assert set(pair.data) == set(renewed.data) == {"access", "refresh"}
    assert refused(again, 401, "refreshed_meanwhile")
    profile = caller().get("/profile/", authorization=f"Bearer {renewed.data['access']}")
    assert profile.status_code == 200


def test_signing_out_ends_the_sign_in_at_once_and_may_be_repeated(group):
    sam = caller(group.sam.user)

    assert sam.post("/logout/", {"refresh_token": sam.refresh}).status_code == 204
    assert refused(sam.get("/profile/"), 401, "token_not_valid")
    assert group.sam.post("/logout/", {"refresh_token": sam.refresh}).status_code == 204


@pytest.mark.parametrize("path", ["/logout/", "/profile/delete/"])
def test_only_ones_own_refresh_token_signs_out_or_deletes(group, path):
    for token in (group.mina.refresh, group.sam.access, "garbage", ""):
        assert refused(
            group.sam.post(path, {"refresh_token": token}), 400, "invalid_input", "refresh_token"
        )
    assert refused(group.sam.post(path, {}), 400, "invalid_input", "refresh_token")

    assert group.mina.get("/profile/").status_code == group.sam.get("/profile/").status_code == 200


# The profile --------------------------------------------------------------------------------------


def test_the_profile_shows_the_account_and_its_settings(group):
    answer = group.mina.get("/profile/")

    assert answer.status_code == 200
    assert set(answer.data) == fields_of("Profile")
    assert set(answer.data["settings"]) == fields_of("Settings")
    assert "password" not in answer.content.decode()


def test_editing_with_what_was_signed_up_with(group):
    answer = group.sam.post("/profile/edit/", {**NOVA, "password": "another long secret"})

    assert answer.status_code == 200
    assert {name: answer.data[name] for name in NOVA if name != "password"} == {
        name: NOVA[name] for name in NOVA if name != "password"
    }
    assert (
        caller().get("/profile/", authorization=f"Bearer {answer.data['access']}").data["username"]
        == "nova"
    )
    assert refused(group.sam.get("/profile/"), 401, "token_not_valid")


def test_an_empty_password_changes_none_and_ends_no_sign_in(group):
    answer = group.sam.post("/profile/edit/", {"first_name": "Samuel", "password": ""})

    assert answer.status_code == 200
    assert "access" not in answer.data
    assert group.sam.get("/profile/").data["first_name"] == "Samuel"
    assert (
        caller().post("/login/", {"username": "sam", "password": build.PASSWORD}).status_code == 200
    )


def test_a_new_password_needs_a_fresh_sign_in_or_the_current_one(group):
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        sam = caller(group.sam.user)
        Session.objects.filter(user=group.sam.user).update(
            created_at=clock.now() - timedelta(minutes=11)
        )

        assert refused(
            sam.post("/profile/edit/", {"password": "another long secret"}), 403, "reauth_required"
        )
        wrong = sam.post(
            "/profile/edit/", {"password": "another long secret", "current_password": "wrong"}
        )
        assert refused(wrong, 403, "reauth_required")
        right = sam.post(
            "/profile/edit/",
            {"password": "another long secret", "current_password": build.PASSWORD},
        )

    assert right.status_code == 200


def test_somebody_elses_name_or_address_can_not_be_taken_over(group):
    answer = group.sam.post(
        "/profile/edit/", {"first_name": "X", "username": "Mina", "email": "MINA@example.org"}
    )

    assert refused(answer, 400, "invalid_input", "username", "email")
    assert group.sam.get("/profile/").data["first_name"] == "Sam"


def test_deleting_an_account_ends_it(group):
    answer = group.eve.post("/profile/delete/", {"refresh_token": group.eve.refresh})

    assert answer.status_code == 204
    assert not User.objects.filter(username="eve").exists()
    assert refused(group.eve.get("/profile/"), 401, "token_not_valid")
    assert refused(
        caller().post("/token/refresh/", {"refresh": group.eve.refresh}), 401, "token_not_valid"
    )


def test_deleting_an_account_hands_its_calendars_over(group):
    strangers = group.mina.post(
        "/profile/delete/", {"refresh_token": group.mina.refresh, "transfer_to": group.eve.user.pk}
    )
    handed = group.mina.post(
        "/profile/delete/", {"refresh_token": group.mina.refresh, "transfer_to": group.sam.user.pk}
    )

    assert refused(strangers, 400, "invalid_input", "transfer_to")
    assert handed.status_code == 204
    assert group.sam.get(group.path).data["my_role"] == "owner"


def test_settings_are_changed_in_part(group):
    before = group.mina.get("/profile/settings/").data

    answer = group.mina.put("/profile/settings/", {"time_zone": "Europe/Berlin", "muted": ["sam"]})

    assert (
        answer.data
        == group.mina.get("/profile/settings/").data
        == {**before, "time_zone": "Europe/Berlin", "muted": ["sam"]}
    )
    assert set(before) == fields_of("SettingsWithMuted")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "posixrules"),
        ("week_start", "friday"),
        ("hour_cycle", 24),
        ("locale", "tlh"),
        ("mail_meetings", "yes"),
        ("who_may_add_me", "nobody"),
        ("muted", ["nobody-here"]),
        ("muted", "sam"),
    ],
)
def test_settings_that_are_none_are_refused_by_name(group, field, value):
    before = group.mina.get("/profile/settings/").data

    assert refused(
        group.mina.put("/profile/settings/", {"week_start": "sunday", field: value}),
        400,
        "invalid_input",
        field,
    )
    assert group.mina.get("/profile/settings/").data == before


def test_the_export_holds_ones_own_things_and_no_secret(group):
    answer = group.sam.get("/profile/export/")

    assert set(answer.data) == fields_of("Export")
    assert [window["calendar_id"] for window in answer.data["non_busy_times"]] == [
        str(group.calendar.pk)
    ]
    assert not {"password", "refresh_hash", "feed_hash"} & set(answer.content.decode().split('"'))


def test_the_feed_address_is_new_each_time(group):
    first, second = (group.mina.post("/profile/feed/rotate/").data["url"] for _ in range(2))

    assert first != second
    assert first.endswith(".ics")


def test_sign_ins_are_listed_and_ended_one_by_one(group):
    sam = caller(group.sam.user)
    rows = sam.get("/profile/sessions/").data
    other = next(row for row in rows if not row["current"])

    assert set(other) == fields_of("SignedInAt")
    assert sum(row["current"] for row in rows) == 1
    assert sam.delete(f"/profile/sessions/{other['id']}/").status_code == 204
    assert refused(sam.delete(f"/profile/sessions/{other['id']}/"), 404, "not_found")
    assert refused(group.sam.get("/profile/"), 401, "token_not_valid")


def test_somebody_elses_sign_in_does_not_exist(group):
    theirs = group.mina.get("/profile/sessions/").data[0]["id"]

    assert refused(group.sam.delete(f"/profile/sessions/{theirs}/"), 404, "not_found")
    assert group.mina.get("/profile/").status_code == 200


# A forgotten password -----------------------------------------------------------------------------


def reset_path(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/password_reset/{uid}/{default_token_generator.make_token(user)}/"


def test_asking_for_a_reset_mail_answers_the_same_to_all(group):
    answers = [
        caller().post("/password_reset/", {"email": email})
        for email in ("mina@example.org", "nobody@example.org", "none")
    ]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, answers[0].content)
    }


def test_a_reset_link_works_once(group):
    path = reset_path(group.sam.user)

    weak = caller().post(path, {"password": "short"})
    done = caller().post(path, {"password": "another long secret"})
    again = caller().post(path, {"password": "yet another secret"})

    assert refused(weak, 400, "invalid_input", "password")
    assert done.status_code == 200
    assert set(done.data) == {"detail"}
    assert refused(again, 400, "invalid_or_used_token")
    assert refused(group.sam.get("/profile/"), 401, "token_not_valid")


def test_looking_at_a_reset_link_shows_a_form_and_uses_nothing_up(group):
    path = reset_path(group.sam.user)

    pages = [caller()(method, path) for method in ("GET", "HEAD", "GET")]

    assert {page.status_code for page in pages} == {200}
    assert pages[0]["Content-Type"].startswith("text/html")
    assert caller().post(path, {"password": "another long secret"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["MQ/x-y", "!!/x-y", "LTE/x-y", "Mg/c8k-aaaa", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5/x-y"]
)
def test_a_link_that_is_none_gets_one_answer(group, path):
    assert refused(
        caller().post(f"/password_reset/{path}/", {"password": "another long secret"}),
        400,
        "invalid_or_used_token",
    )
