"""Contacts over HTTP."""

import pytest

from commontime.contacts.models import Contact
from tests.api.cast import fields_of, refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by_name", [True, False])
def test_a_contact_is_added_with_what_is_printed(group, by_name):
    answer = group.mina.post(
        "/contacts/add/", {"contactee": "IRIS" if by_name else group.iris.user.pk}
    )

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("ContactOutput")
    assert (answer.data["username"], answer.data["mutual"]) == ("iris", False)
    assert answer.data in group.mina.get("/contacts/").data


def test_one_learns_neither_address_nor_times_of_a_contact(group):
    assert b"example.org" not in group.mina.get("/contacts/").content
    assert group.sam.get("/contacts/").data == []


@pytest.mark.parametrize(
    "contactee",
    ["mina", "nobody", "", None, 0, -1, 2**31, 2**70, True, 1.5, [], {}, "a\x00b", "a" * 10_000],
)
def test_a_contact_is_somebody_else_who_is_here(group, contactee):
    assert refused(
        group.mina.post("/contacts/add/", {"contactee": contactee}),
        400,
        "invalid_input",
        "contactee",
    )
    assert Contact.objects.count() == 1


def test_a_contact_is_added_once(group):
    assert refused(group.mina.post("/contacts/add/", {"contactee": "sam"}), 409, "already_contact")


def test_contacts_are_listed_by_name_and_mutual_ones_marked(group):
    group.mina.post("/contacts/add/", {"contactee": "eve"})
    group.sam.post("/contacts/add/", {"contactee": "mina"})

    rows = group.mina.get("/contacts/").data

    assert [(row["username"], row["mutual"]) for row in rows] == [("eve", False), ("sam", True)]
    assert set(rows[0]) == fields_of("ContactOutput")


@pytest.mark.parametrize("name", ["sam", "SAM"])
def test_a_contact_is_removed_by_name(group, name):
    assert group.mina.delete(f"/contacts/delete/{name}/").status_code == 204
    assert refused(group.mina.delete(f"/contacts/delete/{name}/"), 404, "not_found")


@pytest.mark.parametrize("name", ["eve", "nobody", "%00", "sa%00m", "%F0%9F%98%80"])
def test_only_a_contact_is_removed(group, name):
    assert refused(group.mina.delete(f"/contacts/delete/{name}/"), 404, "not_found")
    assert len(group.mina.get("/contacts/").data) == 1
