"""Several people are invited, or kept as contacts, at once: who was is said, and who was not stays
in the field with the reason.
"""

import re
from html import unescape
from typing import Any

import pytest

from commontime.accounts.models import UserSetting
from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation
from commontime.contacts.models import Contact
from commontime.web.inviting import LONGEST_SAID, MOST, MOST_NAMED, named, pieces_in
from tests import build
from tests.web.test_calendar_page import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sam", ["sam"]),
        ("sam, iris;bao\nkim  zoe\t,;\n", ["sam", "iris", "bao", "kim zoe"]),
        ("Sam sam SAM Sam@example.org sam@example.org", ["Sam Sam@example.org"]),
        ("Tom Baker, Vik Muniz", ["Tom Baker", "Vik Muniz"]),
        ("Ana Silva <ana@example.org>", ["ana@example.org"]),
        (
            '"Silva, Ana" <ana@example.org>, Bao <bao@example.org>',
            ["ana@example.org", "bao@example.org"],
        ),
        (
            "Ana <ana@example.org> Bao <bao@example.org> sam",
            ["ana@example.org bao@example.org sam"],
        ),
        ("ana@example.org Bao <bao@example.org>", ["ana@example.org bao@example.org"]),
        ('"ana@example.org" <ana@example.org>', ["ana@example.org"]),
        ("<ana@example.org>;< bao@example.org >", ["ana@example.org", "bao@example.org"]),
        ("Ana <ana@example.org", ["Ana <ana@example.org"]),
        (" ,;\n<> ", []),
        ("\u200esam\u200b，iris、 bao；kim\ufeff", ["sam", "iris", "bao", "kim"]),
        (
            "zoe\u200b@example.org,Ana\xad <ana@\u2060example.org>",
            ["zoe@example.org", "ana@example.org"],
        ),
    ],
)
def test_names_are_read_as_one_types_or_pastes_them(text, names):
    assert [" ".join(piece) for piece in pieces_in(text)] == names


def test_of_many_names_the_first_are_said():
    assert named(["Ana", "Bao"]) == "Ana, Bao"
    assert named([str(number) for number in range(MOST_NAMED + 2)]).endswith(
        f"{MOST_NAMED - 1} and 2 more"
    )


def invite(calendar: Calendar, who: str, **typed: str) -> Any:
    return browser_of(calendar.owner).post(
        f"/app/calendars/{calendar.pk}/people/", {"do": "invite", "who": who, **typed}, follow=True
    )


def said(answer: Any) -> str:
    return unescape(" ".join(re.findall(r'<p class="done" role="status">(.*?)</p>', answer.text)))


def kept(answer: Any) -> str:
    return unescape(re.search(r"<textarea.*?>\n(.*?)</textarea>", answer.text, re.DOTALL)[1])


def reasons(answer: Any) -> list[str]:
    return [
        unescape(each)
        for each in re.findall(
            r"<li>(.*?)</li>", re.search(r'<ul class="mend".*?</ul>', answer.text, re.DOTALL)[0]
        )
    ]


def test_all_are_invited_and_named():
    build.user("sam")
    build.user("iris")
    calendar = build.calendar()

    answer = invite(calendar, 'sam; Iris, "Ferreira, Bao" <Bao@example.org>')

    assert answer.status_code == 200
    assert said(answer) == "Invited: Sam, Iris, bao@example.org."
    assert kept(answer) == ""
    assert set(Invitation.objects.values_list("receiver__username", "email")) == {
        ("sam", ""),
        ("iris", ""),
        (None, "bao@example.org"),
    }


def test_who_can_be_invited_is_and_the_others_stay_in_the_field_with_the_reason(sam):
    build.user("iris")
    calendar = build.calendar(participants=[sam])
    actions.invite_address(calendar.pk, by=calendar.owner, email="zoe@example.org")

    answer = invite(calendar, "iris sam, nobody-here, bao@example.org zoe@example.org, bad@address")

    assert answer.status_code == 422
    assert said(answer) == "Invited: Iris, bao@example.org."
    assert kept(answer).split("\n") == ["nobody-here", "sam", "zoe@example.org", "bad@address"]
    assert reasons(answer) == [
        "nobody-here: Nobody here has this username.",
        "sam: This person is already in this calendar.",
        "zoe@example.org: They’ve already been invited and haven’t answered yet.",
        "bad@address: Enter an email address like mina@example.org.",
    ]
    assert Invitation.objects.count() == 3


def test_at_once_those_with_an_account_get_a_seat_and_addresses_a_mail():
    sam, iris = build.user("sam"), build.user("iris")
    UserSetting.objects.filter(user=iris).update(who_may_add_me="contacts")
    calendar = build.calendar()

    answer = invite(calendar, "sam iris bao@example.org", at_once="on")

    assert said(answer) == "Invited: bao@example.org. Added: Sam."
    assert reasons(answer) == [
        "iris: This person can’t be added without being asked. Invite them instead."
    ]
    assert CalendarParticipant.objects.filter(calendar=calendar, user=sam).exists()
    assert not CalendarParticipant.objects.filter(calendar=calendar, user=iris).exists()


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (" ".join(f"p{n}@example.org" for n in range(MOST + 1)), "at most 100"),
        (",;", "at least one name"),
    ],
)
def test_too_many_at_once_or_none_are_refused_before_anything_is_done(who, why):
    answer = invite(build.calendar(), who)

    assert why in " ".join(reasons(answer))
    assert kept(answer) == who
    assert not Invitation.objects.exists()


def test_once_too_many_wrong_names_were_typed_no_more_are_looked_up(settings):
    settings.LIMITS = {**settings.LIMITS, "look_up": (2, 3600)}
    build.user("sam")
    calendar = build.calendar()

    answer = invite(calendar, "aa, bb, cc, sam, bao@example.org")

    assert said(answer) == "Invited: bao@example.org."
    assert [why for why in reasons(answer) if "reached the limit" in why] == [
        why for why in reasons(answer) if why[:3] in {"cc:", "sam"}
    ]
    assert kept(answer).split("\n") == ["aa", "bb", "cc", "sam"]


def test_a_full_name_is_not_taken_for_user_names():
    for name in ("tom", "vik", "sam"):
        build.user(name)
    calendar = build.calendar()

    answer = invite(calendar, "Tom Baker, Vik Muniz; tom@example.org Zoe\nsam vik")

    assert said(answer) == "Invited: Sam, Vik."
    assert kept(answer).split("\n") == ["Tom Baker", "Vik Muniz", "tom@example.org Zoe"]
    assert reasons(answer)[0] == (
        "Tom Baker: Nobody here has the username Baker, so none of these people was added. Enter "
        "usernames or email addresses."
    )
    assert Invitation.objects.count() == 2


def test_a_long_name_is_repeated_shortly():
    answer = invite(build.calendar(), f"{'x' * 3000} {'y' * 3000}, {'z' * 3000}")

    assert len(kept(answer)) == 9002
    assert max(map(len, reasons(answer))) < 3 * LONGEST_SAID + 130


@pytest.mark.parametrize("who", ["mina", "Mina@Example.org"])
def test_oneself_is_refused_by_name_and_by_address(who):
    answer = invite(build.calendar(owner=build.user("mina")), who)

    assert reasons(answer) == [f"{who}: You can’t invite yourself."]
    assert not Invitation.objects.exists()


def test_several_contacts_are_kept_at_once():
    mina, sam, iris = build.user("mina"), build.user("sam"), build.user("iris")
    browser = browser_of(mina)

    answer = browser.post(
        "/app/people/", {"do": "add", "contactee": "sam, nobody-here, iris, bao@example.org, mina"}
    )

    assert answer.status_code == 422
    assert said(answer) == "Added: Iris, Sam."
    assert kept(answer).split("\n") == ["nobody-here", "bao@example.org", "mina"]
    assert reasons(answer) == [
        "nobody-here: Nobody here has this username.",
        "bao@example.org: Add contacts by username. To invite somebody by email address, use a "
        "calendar’s People page.",
        "mina: You can’t be your own contact.",
    ]
    assert set(Contact.objects.values_list("contactee", flat=True)) == {sam.pk, iris.pk}


def test_in_a_new_calendar_everybody_who_can_not_be_invited_is_named_and_nothing_is_made():
    """The form keeps all of it until every name is right; then the calendar is created."""
    sheet = {
        "name": "Choir",
        "first_day": "2031-05-05",
        "last_day": "2031-05-09",
        "earliest_hour": "18:00",
        "latest_hour": "22:00",
    }
    sheet |= {
        "duration_minutes": "60",
        "visibility": "open",
        "time_zone": "UTC",
        "others": "iris, bad@address, nobody, mina, worse@, Tom Baker",
    }
    mina, _iris = build.user("mina"), build.user("iris")

    answer = browser_of(mina).post("/app/calendars/new/", sheet)

    assert answer.status_code == 422
    assert kept(answer) == sheet["others"]
    assert [why.partition(":")[0] for why in reasons(answer)] == [
        "nobody",
        "Tom Baker",
        "bad@address",
        "mina",
        "worse@",
    ]
    assert not Calendar.objects.exists()
    assert not Invitation.objects.exists()
