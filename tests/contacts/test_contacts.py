"""Keeping people in one's list of contacts."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.calendars.actions import find_contact
from commontime.contacts import queries
from commontime.contacts.actions import add_contact, remove_contact
from commontime.contacts.models import Contact
from commontime.core.errors import Conflict, InvalidInput, NotFound, TooMany
from tests import build

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def names_of(user) -> list[str]:
    return [contact.contactee.username for contact in queries.contacts_of(user)]


@pytest.mark.parametrize("spelling", ["id", "sam", "SAM", " Sam "])
def test_a_person_is_kept_by_id_or_name_whatever_its_case(mina, sam, spelling):
    contactee = find_contact(sam.pk, by=mina) if spelling == "id" else spelling

    contact = add_contact(contactee, by=mina)

    assert (contact.owner, contact.contactee) == (mina, sam)
    assert names_of(mina) == ["sam"]
    assert names_of(sam) == []


def test_whether_it_is_mutual_is_told(mina, sam, iris):
    for person in (sam, iris):
        add_contact(person, by=mina)
    add_contact(mina, by=sam)

    assert {
        contact.contactee.username: contact.mutual for contact in queries.contacts_of(mina)
    } == {"iris": False, "sam": True}


def test_oneself_nobody_and_who_is_gone_are_refused(mina):
    gone = build.user("gone", is_active=False)

    ids = (mina.pk, gone.pk, 0, 2**31 - 1)
    for unfit in (*ids, "mina", "gone", "nobody", ""):
        with pytest.raises(InvalidInput) as refusal:
            add_contact(find_contact(unfit, by=mina) if unfit in ids else unfit, by=mina)
        assert "contactee" in refusal.value.fields
    assert not Contact.objects.exists()


def test_the_same_person_twice_is_a_conflict(mina, sam):
    add_contact(sam, by=mina)

    with pytest.raises(Conflict) as refusal:
        add_contact("sam", by=mina)

    assert refusal.value.code == "already_contact"
    assert Contact.objects.count() == 1


def test_a_contact_is_removed_once_by_name(mina, sam):
    add_contact(sam, by=mina)
    add_contact(mina, by=sam)

    remove_contact("SAM", by=mina)

    assert names_of(mina) == []
    assert names_of(sam) == ["mina"]
    with pytest.raises(NotFound):
        remove_contact("sam", by=mina)
    with pytest.raises(NotFound):
        remove_contact("nobody", by=mina)


def test_somebody_who_was_deactivated_is_not_shown_but_can_be_removed(mina, sam):
    add_contact(sam, by=mina)
    User.objects.filter(pk=sam.pk).update(is_active=False)

    assert names_of(mina) == []
    remove_contact("sam", by=mina)
    assert not Contact.objects.exists()


def test_an_account_of_djangos_own_commands_is_a_person_like_others(mina):
    root = User.objects.create_user("Root", "root@example.org")

    add_contact("root", by=mina)
    assert names_of(mina) == ["Root"]
    remove_contact("ROOT", by=mina)

    assert not Contact.objects.filter(contactee=root).exists()


def test_guessing_names_is_limited(mina, sam, settings):
    settings.LIMITS = {**settings.LIMITS, "look_up": (2, 3600)}

    for number in range(2):
        with pytest.raises(InvalidInput):
            add_contact(f"guess{number}", by=mina)
    with pytest.raises(TooMany):
        add_contact("guess", by=mina)
    add_contact("sam", by=mina)  # a right name is no guess


def test_a_list_of_one_and_of_three_costs_the_same(mina):
    counts = []
    for size in (1, 2):
        for _ in range(size):
            add_contact(build.user(), by=mina)
        with CaptureQueriesContext(connection) as statements:
            assert [contact.mutual for contact in queries.contacts_of(mina)]
            assert [contact.contactee.first_name for contact in queries.contacts_of(mina)]
        counts.append(len(statements))

    assert counts == [2, 2]
