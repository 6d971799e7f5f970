"""Inviting people and addresses, accepting, declining, taking back."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import signing

from commontime.accounts.models import Mute
from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation
from commontime.core import clock, links
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooMany
from tests import build
from tests.calendars.cast import changes_nothing, refuses

pytestmark = pytest.mark.django_db
TEN = build.day(10)


@pytest.fixture
def calendar(mina):
    return build.calendar(owner=mina)


def fresh(invitation: Invitation) -> Invitation:
    return Invitation.objects.select_related("calendar__owner", "sender", "receiver").get(
        pk=invitation.pk
    )


def takes_part(user, calendar) -> bool:
    return CalendarParticipant.objects.filter(calendar=calendar, user=user).exists()


# Invite somebody who has an account ---------------------------------------------------------------


def test_who_is_invited_hears_of_it_and_does_not_take_part_yet(mina, iris, calendar, post):
    invitation = actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)

    assert (invitation.status, invitation.sender, invitation.receiver) == ("pending", mina, iris)
    assert not takes_part(iris, calendar)
    assert post.told() == ["invitation iris"]
    assert post.deliver()[0].subject == "Mina invites you to Choir"


def test_a_person_is_invited_once_at_a_time(mina, iris, calendar):
    actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)

    with refuses(Conflict, "already_invited"):
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)


def test_who_takes_part_is_not_invited(mina, iris, calendar):
    build.participant(calendar, iris)

    with refuses(Conflict, "already_participant"):
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)


def test_who_declined_is_left_alone_for_seven_days(mina, iris, calendar):
    invitation = actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    actions.decline_invitation(invitation.pk, by=iris)

    with refuses(Conflict, "declined_recently"):
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    Invitation.objects.update(answered_at=clock.now() - timedelta(days=7))
    again = actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)

    assert again.pk != invitation.pk
    assert Invitation.objects.count() == 2


def test_only_the_owner_invites_and_only_people_there_are(mina, iris, calendar):
    build.participant(calendar, iris)
    gone, eve = build.user("gone", is_active=False), build.user("eve")

    with refuses(NotAllowed):
        actions.invite_person(calendar.pk, by=iris, receiver=eve.pk)
    with refuses(NotAllowed):
        actions.invite_address(calendar.pk, by=iris, email="eve@example.org")
    for unknown in (gone.pk, 0, mina.pk):
        with refuses(InvalidInput, field="receiver"):
            actions.invite_person(calendar.pk, by=mina, receiver=unknown)


def test_nobody_is_invited_while_the_calendar_is_finalised(mina, iris, calendar):
    Calendar.objects.update(is_finalized=True)

    with refuses(Conflict, "calendar_finalized"):
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    with refuses(Conflict, "calendar_finalized"):
        actions.invite_address(calendar.pk, by=mina, email="guest@example.org")


# Answer -------------------------------------------------------------------------------------------


def test_who_accepts_takes_part_and_the_owner_hears_of_it(mina, iris, calendar, post):
    meeting = build.meeting(calendar=calendar, final_time=TEN)
    invitation = build.invitation(calendar, iris)

    accepted = actions.accept_invitation(invitation.pk, by=iris)

    assert accepted.status == fresh(invitation).status == "accepted"
    assert fresh(invitation).answered_at == accepted.answered_at
    assert takes_part(iris, calendar)
    assert post.told() == ["accepted mina", "request iris"]
    to_iris, to_mina = post.deliver()
    assert to_iris.documents[0].components[0].one("UID").value == str(meeting.pk)
    assert to_mina.subject == "Iris has joined Choir"


def test_accepting_again_changes_nothing(iris, calendar, monkeypatch):
    invitation = build.invitation(calendar, iris)
    read_before = fresh(invitation)
    actions.accept_invitation(invitation.pk, by=iris)

    for again in (fresh(invitation), read_before):
        monkeypatch.setattr(
            queries.invitations, "locked_invitation_for", lambda user, pk, found=again: found
        )
        with changes_nothing():
            assert actions.accept_invitation(invitation.pk, by=iris).status == "accepted"


def test_declining_keeps_one_out_and_again_changes_nothing(iris, calendar, post, monkeypatch):
    invitation = build.invitation(calendar, iris)
    read_before = fresh(invitation)

    assert actions.decline_invitation(invitation.pk, by=iris).status == "declined"

    assert not takes_part(iris, calendar)
    assert post.told() == []
    for again in (fresh(invitation), read_before):
        monkeypatch.setattr(
            queries.invitations, "invitation_for", lambda user, pk, found=again: found
        )
        with changes_nothing():
            assert actions.decline_invitation(invitation.pk, by=iris).status == "declined"


def test_an_answer_stands(iris, calendar):
    accepted, declined = build.invitation(calendar, iris), build.invitation(build.calendar(), iris)
    actions.accept_invitation(accepted.pk, by=iris)
    actions.decline_invitation(declined.pk, by=iris)

    with refuses(Conflict, "already_answered"):
        actions.decline_invitation(accepted.pk, by=iris)
    with refuses(Conflict, "already_answered"):
        actions.accept_invitation(declined.pk, by=iris)


def test_accepting_after_the_owner_added_them_is_no_conflict(mina, iris, calendar, post):
    invitation = build.invitation(calendar, iris)
    build.participant(calendar, iris)

    assert actions.accept_invitation(invitation.pk, by=iris).status == "accepted"

    assert post.told() == []


def test_an_accepted_invitation_is_no_way_back_in(mina, iris, calendar):
    invitation = build.invitation(calendar, iris)
    actions.accept_invitation(invitation.pk, by=iris)
    CalendarParticipant.objects.filter(user=iris).delete()

    with changes_nothing(), refuses(NotFound):
        actions.accept_invitation(invitation.pk, by=iris)
    assert not takes_part(iris, calendar)


def test_nobody_else_answers(mina, iris, calendar):
    eve, invitation = build.user("eve"), build.invitation(calendar, iris)

    for who, refusal in ((mina, NotAllowed), (eve, NotFound)):
        for answer in (actions.accept_invitation, actions.decline_invitation):
            with refuses(refusal):
                answer(invitation.pk, by=who)


def test_joining_waits_until_the_calendar_is_open_again(iris, calendar):
    invitation = build.invitation(calendar, iris)
    Calendar.objects.update(is_finalized=True)

    with refuses(Conflict, "calendar_finalized"):
        actions.accept_invitation(invitation.pk, by=iris)
    Calendar.objects.update(is_finalized=False)
    actions.accept_invitation(invitation.pk, by=iris)

    assert takes_part(iris, calendar)


# Take back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "declined"])
def test_the_sender_takes_an_invitation_back(mina, iris, calendar, status):
    invitation = build.invitation(calendar, iris, status=status)

    actions.revoke_invitation(fresh(invitation), by=mina)

    assert not Invitation.objects.exists()


def test_what_was_declined_lately_is_not_taken_back_to_invite_again(mina, iris, calendar):
    invitation = actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    actions.decline_invitation(invitation.pk, by=iris)

    with changes_nothing(), refuses(Conflict, "declined_recently"):
        actions.revoke_invitation(fresh(invitation), by=mina)
    with refuses(Conflict, "declined_recently"):
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    Invitation.objects.update(answered_at=clock.now() - timedelta(days=7))
    actions.revoke_invitation(fresh(invitation), by=mina)

    assert not Invitation.objects.exists()


def test_whoever_owns_the_calendar_now_takes_invitations_back(mina, iris, calendar, sam):
    invitation = build.invitation(calendar, iris)
    Calendar.objects.update(owner=sam)

    actions.revoke_invitation(fresh(invitation), by=sam)

    assert not Invitation.objects.exists()


def test_an_accepted_invitation_can_not_be_taken_back(mina, iris, calendar):
    accepted = build.invitation(calendar, iris, status="accepted")
    build.participant(calendar, iris)

    with changes_nothing(), refuses(Conflict, "already_accepted"):
        actions.revoke_invitation(fresh(accepted), by=mina)


def test_the_receiver_can_not_take_an_invitation_back(iris, calendar):
    pending = build.invitation(calendar, iris)

    with changes_nothing(), refuses(NotAllowed):
        actions.revoke_invitation(fresh(pending), by=iris)


def test_the_accepted_invitation_of_somebody_who_was_removed_can_be_taken_back(
    mina, iris, calendar
):
    invitation = build.invitation(calendar, iris)
    actions.accept_invitation(invitation.pk, by=iris)
    actions.remove_participant(queries.people.participants_of(calendar).get(user=iris), by=mina)

    actions.revoke_invitation(fresh(invitation), by=mina)

    assert not Invitation.objects.exists()


def test_what_was_taken_back_can_not_be_answered(mina, iris, calendar):
    invitation = fresh(build.invitation(calendar, iris))
    actions.revoke_invitation(fresh(invitation), by=mina)

    for answer in (actions.accept_invitation, actions.decline_invitation):
        with refuses(NotFound):
            answer(invitation.pk, by=iris)


# Invite an address --------------------------------------------------------------------------------


def link_in(mail) -> str:
    (line,) = [line for line in mail.text.splitlines() if "/app/invitations/" in line]
    return urlsplit(line[line.index("http") :]).path.removeprefix("/app/invitations/").rstrip("/")


def test_where_sign_up_is_closed_the_mail_asked_people_to_sign_up(mina, calendar, post, settings):
    settings.SIGN_UP = "closed"
    actions.invite_address(calendar.pk, by=mina, email="ana@example.org")

    (mail,) = post.deliver()

    assert "sign up" not in mail.text
    assert "If you have no account yet, ask whoever runs the site for one first." in mail.text


def test_the_holder_of_an_address_gets_a_link_that_joins(mina, calendar, post):
    invitation = actions.invite_address(calendar.pk, by=mina, email="New.Friend@Example.org")

    assert (invitation.status, invitation.receiver, invitation.email) == (
        "pending",
        None,
        "new.friend@example.org",
    )
    assert post.told() == ["invitation_by_email new.friend"]
    token = link_in(post.deliver()[0])
    # The link, not the address, says who is invited.
    friend = build.user("friend", email="another@example.org")
    accepted = actions.accept_invitation_link(token, by=friend)

    assert (accepted.status, accepted.receiver) == ("accepted", friend)
    assert takes_part(friend, calendar)
    assert post.told() == ["accepted mina"]


def test_an_address_keeps_its_letters(mina, calendar):
    # strasse.example is somebody else's domain.
    assert (
        actions.invite_address(calendar.pk, by=mina, email="me@Straße.example").email
        == "me@straße.example"
    )


def test_an_address_is_invited_once_at_a_time_whatever_its_case(mina, calendar):
    actions.invite_address(calendar.pk, by=mina, email="guest@example.org")

    with refuses(Conflict, "already_invited"):
        actions.invite_address(calendar.pk, by=mina, email="GUEST@example.org")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "two@x.org, three@x.org",
        "x@example.org\n",
        "\ud800@example.org",
        "a" * 250 + "@example.org",
    ],
)
def test_what_is_no_address_is_not_invited(mina, calendar, email):
    with refuses(InvalidInput, field="email"):
        actions.invite_address(calendar.pk, by=mina, email=email)


def test_the_owners_own_address_is_not_invited(mina, calendar):
    with refuses(InvalidInput, field="email"):
        actions.invite_address(calendar.pk, by=mina, email=mina.email.upper())


@pytest.mark.parametrize("way", ["accept", "link", "add"])
def test_joining_does_not_reveal_which_invited_address_is_theirs(mina, iris, calendar, post, way):
    guesses = [
        actions.invite_address(calendar.pk, by=mina, email=email)
        for email in (iris.email, "else@example.org")
    ]
    if way == "link":
        actions.invite_address(calendar.pk, by=mina, email="iris@private.example")
        actions.accept_invitation_link(link_in(post.deliver()[-1]), by=iris)
    elif way == "accept":
        actions.accept_invitation(
            actions.invite_person(calendar.pk, by=mina, receiver=iris.pk).pk, by=iris
        )
    else:
        actions.add_participant(calendar, by=mina, user=iris.pk)

    assert takes_part(iris, calendar)
    assert [fresh(guess).status for guess in guesses] == ["pending", "pending"]


def test_who_declines_leaves_the_invitation_to_their_address(mina, iris, calendar):
    by_mail = actions.invite_address(calendar.pk, by=mina, email=iris.email)
    actions.decline_invitation(
        actions.invite_person(calendar.pk, by=mina, receiver=iris.pk).pk, by=iris
    )

    assert fresh(by_mail).status == "pending"


def test_an_invitation_to_ones_address_gives_no_right_to_be_added(mina, calendar):
    wary = build.user("wary", who_may_add_me="contacts")
    actions.invite_address(calendar.pk, by=mina, email=wary.email)

    with refuses(NotAllowed, "invitation_required"):
        actions.add_participant(calendar, by=mina, user=wary.pk)


def test_that_an_address_has_an_account_is_told_to_nobody(mina, iris, calendar):
    build.participant(calendar, iris)

    known = actions.invite_address(calendar.pk, by=mina, email=iris.email)
    unknown = actions.invite_address(calendar.pk, by=mina, email="unknown@example.org")

    assert (known.status, known.receiver) == (unknown.status, unknown.receiver) == ("pending", None)


def test_an_address_is_not_written_to_more_often_than_the_limit(mina, post, settings):
    settings.LIMITS = {**settings.LIMITS, "mail_receiver": (3, 86400)}
    calendars = [build.calendar(owner=build.user()) for _ in range(4)]

    for calendar in calendars[:3]:
        actions.invite_address(calendar.pk, by=calendar.owner, email="victim@example.org")
    with refuses(TooMany):
        actions.invite_address(calendars[3].pk, by=calendars[3].owner, email="VICTIM@example.org")


def test_a_link_works_once(mina, iris, calendar, post, eve):
    actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    token = link_in(post.deliver()[0])
    actions.accept_invitation_link(token, by=iris)

    for who in (eve, iris):
        with refuses(NotFound):
            actions.accept_invitation_link(token, by=who)


def test_a_link_that_was_claimed_is_nobody_elses(mina, iris, calendar, post):
    invitation = actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    token, eve = link_in(post.deliver()[0]), build.user("eve")
    Invitation.objects.filter(pk=invitation.pk).update(receiver=iris)

    with refuses(NotFound):
        actions.accept_invitation_link(token, by=eve)
    assert actions.accept_invitation_link(token, by=iris).status == "accepted"


def test_a_link_taken_back_or_tampered_with_is_dead(mina, iris, calendar, post):
    invitation = actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    token = link_in(post.deliver()[0])
    forged = [
        token[:-1] + ("a" if token[-1] != "a" else "b"),
        str(invitation.pk),
        links.token(links.Kind.CONFIRMATION, invitation.pk),
        links.token(links.Kind.INVITATION, invitation.pk, 1),
        "",
    ]

    for bad in forged:
        with refuses(NotFound):
            actions.accept_invitation_link(bad, by=iris)
    actions.revoke_invitation(fresh(invitation), by=mina)
    with refuses(NotFound):
        actions.accept_invitation_link(token, by=iris)


def test_a_link_mailed_by_an_earlier_version_still_works(mina, iris, calendar):
    invitation = actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    token = signing.Signer(salt="commontime.invitation").sign(str(invitation.pk))

    assert actions.accept_invitation_link(token, by=iris).status == "accepted"


def test_who_takes_part_needs_no_link(mina, calendar, post):
    actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    token = link_in(post.deliver()[0])

    with refuses(Conflict, "already_participant"):
        actions.accept_invitation_link(token, by=mina)


def test_somebody_invited_twice_joins_once(mina, iris, calendar, post):
    actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    actions.invite_address(calendar.pk, by=mina, email="iris@private.example")
    token = link_in(post.deliver()[-1])

    actions.accept_invitation_link(token, by=iris)

    assert takes_part(iris, calendar)
    assert [invitation.status for invitation in Invitation.objects.all()] == ["accepted"]


# What is asked again when the mail goes out -------------------------------------------------------


def test_an_invitation_taken_back_or_answered_before_its_mail_went_out_has_none(
    mina, iris, calendar, post, sam
):
    revoked = actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    declined = actions.invite_person(calendar.pk, by=mina, receiver=sam.pk)
    by_mail = actions.invite_address(calendar.pk, by=mina, email="guest@example.org")

    for invitation in (revoked, by_mail):
        actions.revoke_invitation(fresh(invitation), by=mina)
    actions.decline_invitation(declined.pk, by=sam)

    assert post.deliver() == []


def test_who_muted_the_sender_or_switched_invitations_off_gets_no_mail(mina, iris, calendar, post):
    sam = build.user("sam", mail_invitations=False)
    Mute.objects.create(user=iris, sender=mina)

    for receiver in (iris, sam):
        actions.invite_person(calendar.pk, by=mina, receiver=receiver.pk)

    assert post.deliver() == []
    assert Invitation.objects.count() == 2


def test_an_invitation_by_somebody_deactivated_meanwhile_is_not_sent(mina, iris, calendar, post):
    actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    actions.invite_address(calendar.pk, by=mina, email="guest@example.org")
    type(mina).objects.filter(pk=mina.pk).update(is_active=False)

    assert post.deliver() == []
