"""What people are called where others see them."""

from importlib import import_module
from time import perf_counter
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from commontime.accounts import queries
from commontime.accounts.actions.names import check_email
from commontime.accounts.models import UserSetting
from commontime.accounts.names import display_names, told_apart
from commontime.core.errors import InvalidInput
from commontime.core.text import canonical
from tests import build


def called(*people: tuple[str, str, str]) -> list[str]:
    """What people of these usernames, first and last names are called together."""
    users = [
        User(pk=number, username=username, first_name=first, last_name=last)
        for number, (username, first, last) in enumerate(people, start=1)
    ]
    return list(display_names(users).values())


def test_namesakes_have_their_usernames_beside_the_name_and_nobody_else():
    assert called(
        ("thomas", "Thomas", "Müller"), ("olga", "Olga", "Berg"), ("thomas2", "Thomas", "Müller")
    ) == ["Thomas Müller (thomas)", "Olga Berg", "Thomas Müller (thomas2)"]


@pytest.mark.parametrize(
    "spelling",
    [
        "thomas müller",
        "Thomas Mu\u0308ller",
        "Thomas  Müller",
        "Ｔhomas Müller",
        "Tho\u200bmas Mül\xadler",
    ],
)
def test_names_that_read_the_same_are_the_same(spelling):
    assert called(("a", "Thomas", "Müller"), ("b", spelling, "")) == [
        "Thomas Müller (a)",
        f"{spelling} (b)",
    ]


def test_nobody_passes_for_a_namesake_by_typing_their_username_too():
    assert called(
        ("thomas", "Thomas", ""), ("thomas2", "Thomas", ""), ("eve", "Thomas (thomas2)", "")
    ) == ["Thomas (thomas)", "Thomas (thomas2)", "Thomas (thomas2) (eve)"]


def test_who_gave_no_name_is_called_by_their_username_once():
    assert called(("thomas", "", ""), ("tom", "Thomas", "")) == ["thomas", "Thomas (tom)"]


def test_one_person_twice_is_no_namesake():
    thomas = User(pk=1, username="thomas", first_name="Thomas")

    assert display_names([thomas, thomas]) == {1: "Thomas"}


def test_a_thousand_people_are_told_apart_within_milliseconds():
    people = [(number, f"Person {number % 900}", f"p{number}") for number in range(1000)]
    begun = perf_counter()

    names = told_apart(people)

    assert perf_counter() - begun < 0.1
    assert names[0] == "Person 0 (p0)"
    assert names[899] == "Person 899"


@pytest.mark.django_db
def test_one_address_in_two_spellings_of_its_domain_was_two():
    sam = build.user("sam", email="sam@müller.example")

    assert queries.accounts_named("Sam@xn--mller-kva.example") == [sam]
    assert queries.names_taken([canonical("sam@XN--MLLER-KVA.example")], except_by=None)


@pytest.mark.django_db
def test_addresses_stored_in_letters_of_their_domain_are_found_by_it_in_ascii():
    sam, other = build.user("sam", email="sam@straße.example"), build.user("other")
    UserSetting.objects.filter(user=sam).update(email_key="sam@strasse.example")
    before = UserSetting.objects.get(user=other).email_key
    migration = import_module("commontime.accounts.migrations.0005_keys_of_domains")

    migration.renew_keys(apps, SimpleNamespace(connection=connection))

    assert UserSetting.objects.get(user=sam).email_key == "sam@xn--strae-oqa.example"
    assert UserSetting.objects.get(user=other).email_key == before


@pytest.mark.parametrize("domain", ["☃.example", f"{'ü' * 60}.example", "a\u200cb.example"])
def test_an_address_was_taken_that_no_mail_can_go_to(domain):
    with pytest.raises(InvalidInput) as refusal:
        check_email(f"sam@{domain}")

    assert refusal.value.fields.keys() == {"email"}


@pytest.mark.parametrize("domain", ["example.org", "MÜLLER.example", "пример.испытание"])
def test_an_address_in_any_script_is_taken(domain):
    check_email(f"sam@{domain}")
