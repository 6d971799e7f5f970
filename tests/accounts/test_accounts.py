"""Making an account and changing it."""

import unicodedata
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User

from commontime.accounts import queries
from commontime.accounts.actions import names, profiles, sign_ins
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.enums import Door
from commontime.accounts.models import Mute, Session, UserSetting
from commontime.core import clock
from commontime.core.clients import Client
from commontime.core.errors import InvalidInput, NotAllowed, NotFound, TooMany, Unidentified
from commontime.mail.models import Message
from tests import build

pytestmark = pytest.mark.django_db
CLIENT = Client("192.0.2.1", "A program")
GOOD = {
    "username": "mina",
    "email": "mina@example.org",
    "first_name": "Mina",
    "last_name": "Ito",
    "password": build.PASSWORD,
}


def everything() -> list[list]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (User, UserSetting, Session, Mute, Message)
    ]


def refused(kind, act) -> dict[str, list[str]]:
    before = everything()
    with pytest.raises(kind) as refusal:
        act()
    assert everything() == before
    return getattr(refusal.value, "fields", {})


def signed_in(user: User) -> User:
    """Return the user as a request of theirs sees them."""
    session = sign_ins.open_session(user, door=Door.API, client=CLIENT).session
    return user_of(session)


def user_of(session: Session) -> User | None:
    signed_in = queries.signed_in(session.pk, epoch=session.epoch)
    return signed_in and signed_in[0].user


# Make ---------------------------------------------------------------------------------------------


def test_an_account_is_what_was_typed_and_can_be_found_in_any_case(post):
    user = profiles.create_account(**{**GOOD, "username": " Mina "})

    assert (user.username, user.email, user.first_name, user.last_name) == (
        "Mina",
        "mina@example.org",
        "Mina",
        "Ito",
    )
    assert check_password(build.PASSWORD, user.password)
    assert queries.account_called("MINA") == user
    assert [queries.accounts_named(name) for name in ("mina", "MINA@example.ORG")] == [
        [user],
        [user],
    ]
    assert user.usersetting.who_may_add_me == "anyone"
    assert post.told() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "   "),
        ("username", "x" * 151),
        ("username", "two words"),
        ("username", ".."),  # a step in a path
        ("username", "two\nlines"),
        ("username", "mina\u200b"),
        ("username", "\ufdfa" * 100),  # its canonical form has 1,800 letters
        ("username", "mіna"),  # a Cyrillic і
        ("username", "other@example.org"),
        ("username", "\x00"),
        ("username", "\ud800"),
        ("first_name", "x" * 151),
        ("last_name", "two\nlines"),
        ("first_name", "\u202eevil"),
        ("email", ""),
        ("email", "mina"),
        ("email", "mina@"),
        ("email", "mina@example.org\nBcc: eve@example.org"),
        ("email", "a@example.org, b@example.org"),
        ("email", "mina@example.org\x00"),
        ("email", f"mina@{'\ufdfa' * 60}.example.org"),
        ("password", "short"),
        ("password", "12345678901234"),
        ("password", "password"),
        ("password", "mina@example.org"),
        ("password", "x" * 4097),
        ("password", "nul\x00byte in it"),
        ("password", "\ud800 lone surrogate"),
    ],
)
def test_what_makes_no_account_is_refused_by_name(field, value):
    assert list(
        refused(InvalidInput, lambda: profiles.create_account(**{**GOOD, field: value}))
    ) == [field]


def test_all_reasons_are_told_at_once():
    fields = refused(
        InvalidInput,
        lambda: profiles.create_account(
            username="", email="x", first_name="a\nb", last_name="c\nd", password="1"
        ),
    )

    assert fields.keys() == {"username", "email", "first_name", "last_name", "password"}
    assert len(fields["password"]) > 1


@pytest.mark.parametrize(
    ("username", "email", "taken"),
    [
        ("MINA", "new@example.org", ["username"]),
        ("new", "MINA@EXAMPLE.ORG", ["email"]),
        ("Mina", "Mina@Example.org", ["email", "username"]),
        ("ｍｉｎａ", "new@example.org", ["username"]),  # full-width letters
        ("mina@example.org", "mina@example.org", ["email", "username"]),
    ],
)
def test_a_name_or_address_is_taken_whatever_its_case(username, email, taken):
    profiles.create_account(**GOOD)

    fields = refused(
        InvalidInput,
        lambda: profiles.create_account(**{**GOOD, "username": username, "email": email}),
    )

    assert sorted(fields) == taken


def test_a_name_taken_at_the_same_moment_is_refused_by_the_database(monkeypatch):
    profiles.create_account(**GOOD)
    real, looks = queries.names_taken, []

    def look(keys, *, except_by):
        looks.append(keys)
        return set() if len(looks) == 1 else real(keys, except_by=except_by)

    monkeypatch.setattr(queries, "names_taken", look)

    fields = refused(InvalidInput, lambda: profiles.create_account(**GOOD))

    assert fields.keys() == {"username", "email"}


@pytest.mark.parametrize(
    "name", ["佐々木", "野々村", "kaʻiulani", "राम", "தமிழ்_99", "김철수", "Gal·la"]
)
def test_an_ordinary_name_is_not_refused_as_mixed_alphabets_or_no_letters(name):
    user = profiles.create_account(**{**GOOD, "username": name})

    assert (user.username, queries.account_called(name)) == (name, user)


def test_a_username_is_composed_before_it_is_judged():
    typed = unicodedata.normalize("NFD", "Zoë" + "é" * 147)

    user = profiles.create_account(**{**GOOD, "username": typed})

    assert user.username == "Zoë" + "é" * 147


def test_a_thousand_spaces_behind_a_name_made_it_another_name():
    spaces = " " * 1001
    padded = {"username": f"Mina{spaces}", "email": f"Mina@example.org{spaces}"}

    user = profiles.create_account(**{**GOOD, **padded})

    assert (user.usersetting.username_key, user.usersetting.email_key) == (
        "mina",
        "mina@example.org",
    )


def test_signing_up_is_limited_by_where_it_comes_from(settings):
    settings.LIMITS = {**settings.LIMITS, "sign_up": (1, 3600)}
    profiles.sign_up(**GOOD, client=CLIENT)
    other = {**GOOD, "username": "sam", "email": "sam@example.org"}

    refused(TooMany, lambda: profiles.sign_up(**other, client=CLIENT))
    profiles.sign_up(**other, client=Client("198.51.100.1"))


# Change -------------------------------------------------------------------------------------------


@pytest.fixture
def mina():
    return signed_in(build.user("mina", first_name="Mina", last_name="Ito"))


def edit(user: User, **changes):
    """Change the profile in a request that came with the user's first sign-in."""
    session = Session.objects.filter(user=user).earliest("created_at")
    sign_in = queries.SignIn(session.pk, session.created_at, user)
    return profiles.edit_profile(user, by=user, sign_in=sign_in, client=CLIENT, **changes)


def grow_old(user: User) -> None:
    """Let the sign-in be older than ten minutes."""
    Session.objects.filter(user=user).update(created_at=clock.now() - timedelta(minutes=11))


def test_names_change_and_what_is_absent_stays(mina, post):
    assert edit(mina, username="MINA", first_name=" Wilhelmina ", password="") is None

    stored = User.objects.get(pk=mina.pk)
    assert (
        (stored.username, stored.first_name, stored.last_name)
        == ("MINA", "Wilhelmina", "Ito")
        == (mina.username, mina.first_name, mina.last_name)
    )
    assert queries.account_called("mina") == mina
    assert check_password(build.PASSWORD, stored.password)
    assert Session.objects.get(user=mina).ended_at is None
    assert post.told() == []


def test_a_change_of_nothing_writes_nothing(mina, post):
    before = everything()

    assert (
        edit(mina, username="mina", email=mina.email, first_name="Mina ", last_name="Ito") is None
    )

    assert everything() == before


def test_a_new_address_ends_other_sign_ins_and_the_old_one_hears_of_it(mina, post):
    other = sign_ins.open_session(mina, door=Door.WEB, client=CLIENT).session

    opened = edit(mina, email="new@example.org")

    assert User.objects.get(pk=mina.pk).email == "new@example.org"
    assert queries.accounts_named("new@example.org") == [mina]
    assert queries.accounts_named("mina@example.org") == []
    assert Session.objects.get(pk=other.pk).ended_at
    assert list(Session.objects.filter(user=mina, ended_at=None)) == [opened.session]
    assert post.told() == ["confirm_address new", "email_changed mina"]
    mail, asked = post.deliver()
    assert (mail.to, asked.to) == ("mina@example.org", "new@example.org")
    assert "new@example.org" not in mail.everything  # only how it begins


def test_a_new_password_ends_other_sign_ins_and_is_told(mina, post):
    opened = edit(mina, password="a wholly new phrase")

    assert check_password("a wholly new phrase", User.objects.get(pk=mina.pk).password)
    assert list(Session.objects.filter(user=mina, ended_at=None)) == [opened.session]
    assert user_of(opened.session) == mina
    assert post.told() == ["password_changed mina"]
    assert len(post.deliver()) == 1


@pytest.mark.parametrize(
    "change", [{"password": "a wholly new phrase"}, {"email": "new@example.org"}]
)
def test_after_ten_minutes_such_a_change_needs_the_password_again(mina, change):
    grow_old(mina)

    refused(NotAllowed, lambda: edit(mina, **change))
    with pytest.raises(NotAllowed) as refusal:
        edit(mina, **change, current_password="wrong guess")
    assert refusal.value.code == "reauth_required"
    assert edit(mina, **change, current_password=build.PASSWORD)


def test_other_changes_do_not(mina):
    grow_old(mina)

    edit(mina, first_name="Wilhelmina")

    assert User.objects.get(pk=mina.pk).first_name == "Wilhelmina"


@pytest.mark.parametrize(
    "change",
    [{"password": "another long secret"}, {"email": "new@example.org"}, {"first_name": "Minna"}],
)
def test_a_wrong_current_password_is_refused_however_fresh_the_sign_in_is(mina, change, settings):
    settings.LIMITS = {**settings.LIMITS, "password": (1, 900)}

    refused(NotAllowed, lambda: edit(mina, **change, current_password="wrong guess"))
    refused(TooMany, lambda: edit(mina, **change, current_password=build.PASSWORD))


def test_wrong_current_passwords_are_counted(mina, settings):
    settings.LIMITS = {**settings.LIMITS, "password": (3, 900)}
    grow_old(mina)

    for _ in range(3):
        with pytest.raises(NotAllowed):
            edit(mina, email="new@example.org", current_password="wrong guess")
    with pytest.raises(TooMany):
        edit(mina, email="new@example.org", current_password=build.PASSWORD)
    assert User.objects.get(pk=mina.pk).email == "mina@example.org"


def test_names_of_others_are_refused_and_everything_stays(mina):
    build.user("sam")

    fields = refused(
        InvalidInput,
        lambda: edit(
            mina, username="SAM", email="Sam@example.org", first_name="a\nb", password="1"
        ),
    )

    assert fields.keys() == {"username", "email", "first_name", "password"}
    assert (mina.username, mina.first_name) == ("mina", "Mina")


def test_who_was_signed_out_by_a_new_password_changes_nothing_any_more(mina):
    stale = User.objects.get(pk=mina.pk)
    edit(mina, password="a wholly new phrase")

    refused(Unidentified, lambda: edit(stale, first_name="Eve"))
    refused(Unidentified, lambda: edit(stale, password="the thief's own phrase"))


# Settings -----------------------------------------------------------------------------------------


def test_settings_change_and_what_is_absent_stays(mina):
    account_settings.change_settings(
        mina,
        time_zone="Asia/Kathmandu",
        week_start="sunday",
        hour_cycle="h12",
        locale="de",
        mail_meetings=False,
    )
    account_settings.change_settings(User.objects.get(pk=mina.pk), who_may_add_me="contacts")

    stored = UserSetting.objects.get(user=mina)
    assert (stored.time_zone, stored.week_start, stored.hour_cycle, stored.locale) == (
        "Asia/Kathmandu",
        "sunday",
        "h12",
        "de",
    )
    assert (stored.mail_meetings, stored.mail_reminders, stored.who_may_add_me) == (
        False,
        True,
        "contacts",
    )


def test_every_bad_setting_is_named(mina):
    bad = {
        "time_zone": "Mars/Olympus",
        "week_start": "friday",
        "hour_cycle": "h11",
        "locale": "tlh",
        "who_may_add_me": "nobody",
    }

    assert (
        refused(
            InvalidInput, lambda: account_settings.change_settings(mina, **bad, mail_meetings=False)
        ).keys()
        == bad.keys()
    )


def test_mutes_are_the_list_that_was_sent(mina):
    sam, iris = build.user("sam"), build.user("iris")

    account_settings.change_settings(mina, muted=["SAM", "iris"])
    assert queries.muted_by(mina) == ["iris", "sam"]
    account_settings.change_settings(mina, muted=["sam"])

    assert (
        queries.has_muted(mina.pk, sam.pk),
        queries.has_muted(mina.pk, iris.pk),
        queries.has_muted(sam.pk, mina.pk),
    ) == (
        True,
        False,
        False,
    )
    assert refused(
        InvalidInput,
        lambda: account_settings.change_settings(mina, muted=["iris", "nobody"], locale="de"),
    ).keys() == {"muted"}
    assert UserSetting.objects.get(user=mina).locale == "en"


def test_a_link_in_a_mail_stops_what_it_names_again_and_again(mina, sam):
    for _ in range(2):
        account_settings.stop_mails(queries.Stop(mina.pk, "mail_reminders", None))
        account_settings.stop_mails(queries.Stop(mina.pk, f"mute:{sam.pk}", sam))

    stored = UserSetting.objects.get(user=mina)
    assert (stored.mail_reminders, stored.mail_meetings) == (False, True)
    assert queries.muted_by(mina) == ["sam"]


def test_a_new_feed_address_ends_the_old_one(mina):
    first, second = (
        account_settings.rotate_feed(mina),
        account_settings.rotate_feed(User.objects.get(pk=mina.pk)),
    )

    assert first != second
    assert UserSetting.objects.get(user=mina).feed_hash == queries.hashed(second)
    assert len(second) >= 22  # 128 bits


def test_an_account_of_djangos_own_commands_has_settings_too():
    root = User.objects.create_user("root", "root@example.org", build.PASSWORD)

    account_settings.change_settings(root, time_zone="Europe/Berlin")
    signed = signed_in(User.objects.get(pk=root.pk))
    edit(signed, username="Admin")

    assert UserSetting.objects.get(user=root).time_zone == "Europe/Berlin"
    assert queries.account_called("admin") == root


def test_a_first_setting_whose_address_is_taken_was_an_error_of_ours():
    """An account of Django's own commands can share a canonical address, having no setting yet."""
    build.user("other", email="root@xn--strae-oqa.example")
    root = signed_in(User.objects.create_user("root", "root@straße.example", build.PASSWORD))

    assert refused(InvalidInput, lambda: edit(root, username="admin")).keys() == {"email"}


# Finding people -----------------------------------------------------------------------------------


def test_people_are_found_by_exactly_their_name(mina):
    build.user("gone", is_active=False)

    assert names.look_up(" MINA", by=mina) == mina
    for missing in ("min", "mina2", "gone", "mina@example.org", "", "%"):
        with pytest.raises(NotFound):
            names.look_up(missing, by=mina)


def test_closing_an_account_ends_its_sign_ins_and_opening_it_brings_none_back(mina):
    session = Session.objects.get(user=mina)

    profiles.deactivate(mina)
    assert user_of(session) is None
    profiles.reactivate(mina)

    assert User.objects.get(pk=mina.pk).is_active
    assert user_of(session) is None
