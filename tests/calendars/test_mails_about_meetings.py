"""Mails say what a meeting is about, what became of it, and which of two namesakes did it."""

from datetime import timedelta

import pytest

from commontime.accounts.models import UserSetting
from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar
from tests import build

pytestmark = pytest.mark.django_db
TEN, NOON = build.day(10), build.day(12)


@pytest.fixture
def mina():
    return build.user("mina", first_name="Mina", last_name="Okafor")


@pytest.fixture
def choir(mina, sam):
    return build.calendar(
        owner=mina, participants=[sam], name="Choir board", location="Church hall"
    )


@pytest.fixture
def rehearsal(choir):
    return build.meeting(
        calendar=choir,
        title="Rehearsal",
        description="Bring the blue scores.\nAnd a pencil.",
        duration_minutes=90,
    )


def edit(meeting, **changes):
    meeting = queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)
    return actions.edit_meeting(meeting, by=meeting.calendar.owner, **changes)[0]


def first_line(mail) -> str:
    """The first line after the greeting."""
    return mail.text.split("\n\n")[1]


# What a meeting is about --------------------------------------------------------------------------


def asked_of(kind: str, choir, mina, post):
    """The mail that asks somebody new, or Sam, for their times."""
    if kind == "invitation":
        actions.invite_person(choir.pk, by=mina, receiver=build.user("iris").pk)
        return post.deliver_to("iris")[0]
    if kind == "invitation_by_email":
        actions.invite_address(choir.pk, by=mina, email="zoe@example.org")
        return post.deliver_to("zoe")[0]
    if kind == "added":
        actions.add_participant(choir, by=mina, user=build.user("iris").pk)
        return post.deliver_to("iris")[0]
    actions.send_letter(by=mina, username="sam", kind="reminder", calendar_id=choir.pk)
    return post.deliver_to("sam")[0]


@pytest.mark.parametrize("kind", ["invitation", "invitation_by_email", "added", "reminder"])
def test_invitations_and_reminders_did_not_say_what_they_were_about(
    kind, mina, choir, rehearsal, post
):
    mail = asked_of(kind, choir, mina, post)

    for part in (mail.text, mail.html):
        assert "Rehearsal" in part
        assert "1 h 30 min" in part
        assert "Church hall" in part
        assert "Please answer by " in part
        assert f"{rehearsal.deadline:%Y, %-H:%M} (UTC)" in part
        assert "Bring the blue scores." in part


@pytest.mark.parametrize("kind", ["invitation", "invitation_by_email", "added", "reminder"])
@pytest.mark.parametrize("has_meeting", [True, False])
def test_invitations_and_reminders_did_not_have_the_description_of_the_calendar(
    kind, has_meeting, mina, choir, post
):
    actions.edit_calendar(choir, by=mina, description="We sing & <laugh>.\nAll are welcome.")
    if has_meeting:
        build.meeting(calendar=choir)

    mail = asked_of(kind, choir, mina, post)

    assert "\n    We sing & <laugh>.\n    All are welcome.\n" in mail.text
    assert "We sing &amp; &lt;laugh&gt;.<br>All are welcome." in mail.html


def test_meetings_with_different_deadlines_each_name_theirs(mina, choir, rehearsal, post):
    build.meeting(
        calendar=choir, title="Concert", deadline=rehearsal.deadline + timedelta(days=1, hours=1)
    )

    mail = asked_of("reminder", choir, mina, post)

    assert mail.text.count("Answer by ") == 2
    assert mail.text.index("Rehearsal") < mail.text.index("Concert")
    assert "Please answer by" not in mail.text


def test_of_many_meetings_the_mail_names_the_first_few(mina, choir, post):
    for number in range(17):
        build.meeting(calendar=choir, title=f"Number {number}", description="x" * 9000)

    mail = asked_of("reminder", choir, mina, post)

    assert mail.text.count("Number ") == 5
    assert "and 12 more" in mail.text
    assert "and 12 more" in mail.html
    assert len(mail.text) < 5000


def test_who_is_reminded_reads_only_of_meetings_that_are_for_them(mina, sam, choir, post, iris):
    build.participant(choir, iris)
    build.meeting(calendar=choir, title="Secret talk", required=[mina, iris])
    build.meeting(calendar=choir, title="With Sam", required=[mina, sam])
    build.meeting(calendar=choir, title="Confirmed", final_time=TEN)

    mail = asked_of("reminder", choir, mina, post)

    assert "With Sam" in mail.text
    assert "Secret talk" not in mail.everything
    assert "Confirmed" not in mail.everything


def test_who_is_only_invited_reads_of_no_meeting_between_others(mina, sam, choir, post):
    build.meeting(calendar=choir, title="Secret talk", required=[mina, sam])

    mail = asked_of("invitation", choir, mina, post)

    assert "Secret talk" not in mail.everything


@pytest.mark.parametrize("step", ["request", "moved", "withdrawn", "cancelled"])
def test_the_description_stood_only_in_the_calendar_part(step, mina, rehearsal, post):
    meeting = edit(rehearsal, final_time=TEN)
    if step != "request":
        post.deliver()
    if step == "moved":
        edit(meeting, final_time=NOON)
    elif step == "withdrawn":
        edit(meeting, final_time=None)
    elif step == "cancelled":
        actions.delete_meeting(meeting, by=mina)

    (mail,) = post.deliver_to("sam")

    assert "    Bring the blue scores.\n    And a pencil.\n" in mail.text
    assert "Bring the blue scores.<br>And a pencil." in mail.html


def test_a_very_long_description_is_cut(rehearsal, post):
    edit(rehearsal, description="word " * 1999, final_time=TEN)

    (mail,) = post.deliver_to("sam")

    assert len(mail.text) < 4000
    assert "word …\n" in mail.text
    assert mail.documents[0].components[0].one("DESCRIPTION").text.count("word") == 1999


# What became of it --------------------------------------------------------------------------------


def test_exchange_named_the_event_after_what_the_subject_said(rehearsal, post):
    edit(rehearsal, final_time=TEN)
    (request,) = post.deliver_to("sam")
    edit(rehearsal, final_time=NOON)
    (moved,) = post.deliver_to("sam")

    assert [mail.documents[0].one("METHOD").value for mail in (request, moved)] == ["REQUEST"] * 2
    assert request.subject == moved.subject == "Rehearsal"


@pytest.mark.parametrize(
    ("changes", "sentence", "earlier"),
    [
        ({"final_time": NOON}, "new time", "{day}, 10:00–11:30 (UTC)"),
        ({"duration_minutes": 60}, "new length", "{day}, 10:00–11:30 (UTC)"),
        ({"title": "Concert"}, "new name", "Rehearsal"),
        ({"location": "Studio"}, "new place", "Church hall"),
        ({"description": "No scores."}, "new description", ""),
        ({"description": ""}, "description removed", ""),
        (
            {"final_time": NOON, "location": "Studio"},
            "new time, new place",
            "{day}, 10:00–11:30 (UTC), Church hall",
        ),
    ],
)
def test_the_first_line_says_what_changed(changes, sentence, earlier, rehearsal, post):
    edit(rehearsal, final_time=TEN)
    post.deliver()

    edit(rehearsal, **changes)

    (mail,) = post.deliver_to("sam")
    assert first_line(mail) == f"Mina Okafor has changed this meeting: {sentence}."
    day = f"{TEN:%A} {TEN.day} {TEN:%B %Y}"
    assert (f"Previously: {earlier.format(day=day)}." in mail.text) == bool(earlier)
    assert ("Previously" in mail.text) == bool(earlier)


def test_the_organiser_does_not_read_their_own_name_in_what_they_did(rehearsal, post):
    edit(rehearsal, final_time=TEN)
    assert first_line(post.deliver_to("mina")[0]) == "The time of this meeting is confirmed."

    edit(rehearsal, final_time=NOON)

    (mail,) = post.deliver_to("mina")
    assert first_line(mail) == "You have changed this meeting: new time."


def test_a_place_that_is_gone_is_said_too(rehearsal, post):
    edit(rehearsal, final_time=TEN)
    post.deliver()

    actions.edit_calendar(
        Calendar.objects.select_related("owner").get(),
        by=rehearsal.calendar.owner,
        location="",
    )

    (mail,) = post.deliver_to("sam")
    assert first_line(mail) == "Mina Okafor has changed this meeting: place removed."


def test_a_withdrawn_time_was_called_a_cancelled_meeting(rehearsal, post):
    edit(rehearsal, final_time=TEN)
    post.deliver()

    edit(rehearsal, final_time=None)

    owner, sam = post.deliver()
    assert sam.subject.startswith("Time withdrawn: Rehearsal, ")
    assert first_line(sam) == (
        "Mina Okafor has withdrawn this time and is looking for another one."
    )
    assert f"/app/calendars/{rehearsal.calendar_id}/" in sam.text
    assert first_line(owner) == "You have withdrawn this time."
    for mail in (owner, sam):
        event = mail.documents[0].components[0]
        assert mail.documents[0].one("METHOD").value == "CANCEL"
        assert event.one("STATUS").value == "CANCELLED"
        assert event.one("SEQUENCE").value == "1"


def test_a_deleted_meeting_is_cancelled(mina, rehearsal, post):
    meeting = edit(rehearsal, final_time=TEN)
    post.deliver()

    actions.delete_meeting(meeting, by=mina)

    (mail,) = post.deliver_to("sam")
    assert mail.subject.startswith("Cancelled: Rehearsal, ")
    assert first_line(mail).startswith("Mina Okafor has cancelled this meeting. ")


def test_who_is_taken_off_a_meeting_was_told_that_it_is_cancelled(mina, rehearsal, post):
    edit(rehearsal, final_time=TEN)
    post.deliver()

    edit(rehearsal, required=[mina.pk])

    (mail,) = post.deliver_to("sam")
    assert first_line(mail) == (
        "Mina Okafor has changed who this meeting is for. You don’t need to come."
    )
    assert mail.documents[0].one("METHOD").value == "CANCEL"


def test_two_meetings_of_one_name_were_one_conversation(mina, choir, post):
    references = []
    for _number in range(2):
        meeting = edit(build.meeting(calendar=choir, title="Rehearsal"), final_time=TEN)
        mails = post.deliver_to("sam")
        edit(meeting, final_time=NOON)
        mails += post.deliver_to("sam")
        edit(meeting, final_time=None)
        mails += post.deliver_to("sam")
        references.append({str(mail.content["References"]) for mail in mails})

    assert [len(ids) for ids in references] == [1, 1]
    assert references[0] != references[1]


def test_a_mail_links_to_the_page_that_its_words_name(rehearsal, post):
    edit(rehearsal, final_time=TEN)

    (mail,) = post.deliver_to("sam")

    page = f"/app/calendars/{rehearsal.calendar_id}/meetings/{rehearsal.pk}/"
    assert f"Open the meeting: http://127.0.0.1:8000{page}\n" in mail.text


# From one person to another -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "subject", "line"),
    [
        (
            "See you",
            "Sam wrote to you about Choir board",
            "Sam, who shares the calendar Choir board with you, wrote:",
        ),
        (
            "",
            "Choir board: Sam asks you to have a look",
            "Sam asks you to look at the calendar Choir board.",
        ),
    ],
)
def test_a_note_says_who_wrote_it_and_about_what(note, subject, line, sam, choir, post):
    actions.send_letter(by=sam, username="mina", kind="note", calendar_id=choir.pk, note=note)

    (mail,) = post.deliver_to("mina")

    assert mail.subject == subject
    assert first_line(mail) == line
    assert ("> See you" in mail.text) == bool(note)


# Namesakes ----------------------------------------------------------------------------------------


@pytest.fixture
def namesakes():
    return [
        build.user(name, first_name="Thomas", last_name="Müller") for name in ("thomas", "thomas2")
    ]


def test_mails_did_not_say_which_of_two_namesakes_did_it(namesakes, sam, post):
    first, second = namesakes
    calendar = build.calendar(owner=second, participants=[first, sam])

    meeting = edit(build.meeting(calendar=calendar), final_time=TEN)
    (request,) = post.deliver_to("sam")
    edit(meeting, final_time=NOON)
    (moved,) = post.deliver_to("sam")
    edit(meeting, final_time=None)
    (withdrawn,) = post.deliver_to("sam")

    for mail in (request, moved, withdrawn):
        assert first_line(mail).startswith("Thomas Müller (thomas2) has ")
        event = mail.documents[0].components[0]
        assert event.one("ORGANIZER").parameters["CN"] == "Thomas Müller (thomas2)"


def test_who_reads_a_mail_of_their_namesake_can_tell(namesakes, post):
    first, second = namesakes
    calendar = build.calendar(owner=second)

    actions.invite_person(calendar.pk, by=second, receiver=first.pk)

    (mail,) = post.deliver_to("thomas")
    assert mail.subject == "Thomas Müller (thomas2) invites you to Choir"


def test_a_deleted_calendar_says_whose_it_was(namesakes, sam, post):
    first, second = namesakes
    calendar = build.calendar(owner=second, participants=[first, sam])

    actions.delete_calendar(calendar, by=second)

    (mail,) = post.deliver_to("sam")
    assert first_line(mail).startswith("Thomas Müller (thomas2) has deleted ")


def test_a_name_that_nobody_shares_stays_as_it_is(namesakes, sam, post):
    calendar = build.calendar(owner=namesakes[1], participants=[sam])

    edit(build.meeting(calendar=calendar), final_time=TEN)

    (mail,) = post.deliver_to("sam")
    assert first_line(mail).startswith("Thomas Müller has ")


# In three languages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (
            "de",
            [
                "Bitte antworte bis ",
                "Mina Okafor hat den Termin dieses Treffens festgelegt.",
                "Mina Okafor hat dieses Treffen geändert: neuer Termin, neuer Ort.",
                "Mina Okafor hat diesen Termin zurückgezogen und sucht einen anderen.",
            ],
        ),
        (
            "fr",
            [
                "Merci de répondre avant le ",
                "Mina Okafor a confirmé l’horaire de cette réunion.",
                "Mina Okafor a modifié cette réunion\u00a0: nouvel horaire, nouveau lieu.",
                "Mina Okafor a retiré cet horaire et en cherche un autre.",
            ],
        ),
    ],
)
def test_the_life_of_a_meeting_reads_well(locale, lines, mina, sam, choir, rehearsal, post):
    UserSetting.objects.filter(user=sam).update(locale=locale)
    mails = [asked_of("reminder", choir, mina, post)]
    for changes in (
        {"final_time": TEN},
        {"final_time": NOON, "location": "Studio"},
        {"final_time": None},
    ):
        edit(rehearsal, **changes)
        mails += post.deliver_to("sam")

    assert lines[0] in mails[0].text
    assert [first_line(mail) for mail in mails[1:]] == lines[1:]
    assert [mail.subject for mail in mails[1:3]] == ["Rehearsal"] * 2
