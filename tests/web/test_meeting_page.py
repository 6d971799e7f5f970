"""A meeting's page as a browser without scripts meets it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime import engine
from commontime.calendars.models import Calendar, Meeting, ScheduleSuggestion
from commontime.core import clock
from commontime.mail.models import Message
from tests import build
from tests.pages import Client
from tests.web.test_calendar_page import browser_of, crowd, handlers_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
TYPED = "%Y-%m-%dT%H:%M"


class Choir:
    """Mina and Sam, both free from nine to twelve, Iris, who has not answered, and a rehearsal."""

    def __init__(self, **fields) -> None:
        self.mina, self.sam, self.iris = (build.user(name) for name in ("mina", "sam", "iris"))
        self.calendar = build.calendar(
            owner=self.mina, participants=[self.sam, self.iris], **fields
        )
        for person in (self.mina, self.sam):
            build.window(self.calendar, person, build.day(9), build.day(12), 9)
        self.meeting = build.meeting(calendar=self.calendar, title="Rehearsal")
        self.here = f"/app/calendars/{self.calendar.pk}/meetings/{self.meeting.pk}/"

    def now(self) -> Meeting:
        return Meeting.objects.get(pk=self.meeting.pk)

    def fix(self, hour: float) -> None:
        Meeting.objects.filter(pk=self.meeting.pk).update(final_time=build.day(hour))


def answer_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the question on a page."""
    form = page.split('class="choice" method="post"')[1].split("</form>")[0]
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


# Looking ------------------------------------------------------------------------------------------


def test_it_ranks_starts_with_what_people_suggested_among_them():
    choir = Choir()
    build.suggestion(choir.meeting, choir.sam, build.day(20))

    page = browser_of(choir.mina).get(choir.here).text

    best, *_, worst = page.split('class="best"')[1].split('class="rank"')[1:]
    assert "Both people who answered can come." in best
    assert "Choose this time" in best
    assert "Nobody who answered can come." in worst
    assert "Suggested by Sam" in worst
    assert "What if" in page


def test_a_meeting_without_a_title_is_called_by_its_calendar_everywhere():
    choir = Choir(name="Chamber choir")
    Meeting.objects.filter(pk=choir.meeting.pk).update(title="")
    browser, calendar = browser_of(choir.mina), f"/app/calendars/{choir.calendar.pk}/"
    names = {
        calendar: rf'<a href="{choir.here}">(.*?)</a>',
        choir.here: "<h1>(.*?)</h1>",
        f"{choir.here}edit/": "← (.*?)</a>",
    }

    called = {re.search(pattern, browser.get(path).text)[1] for path, pattern in names.items()}
    planned = browser.get(f"{calendar}plan/").text
    asked = browser.post(choir.here, {"do": "fix", "final_time": build.day(20).isoformat()}).text
    Meeting.objects.filter(pk=choir.meeting.pk).update(final_time=build.day(10))
    called |= {re.search(pattern, browser.get(path).text)[1] for path, pattern in names.items()}
    called.add(re.search(rf'<a href="{choir.here}">(.*?)</a>', browser.get("/app/").text)[1])

    assert called == {"Chamber choir"}
    assert '<span class="what">Chamber choir' in planned
    assert "← Chamber choir" in asked
    assert "SUMMARY:Chamber choir" in browser.get(f"{choir.here}invite.ics").text


def test_who_takes_part_gets_no_button_of_the_owners():
    choir = Choir()

    page = browser_of(choir.sam).get(choir.here).text

    assert "Suggest a time" in page
    for word in (
        "Choose this time",
        "Choose another time",
        "Send reminders",
        "Change meeting",
        "Delete meeting",
    ):
        assert word not in page


def test_times_are_of_the_viewers_zone_and_clock_and_the_calendars_zone_is_said():
    choir = Choir(time_zone="Europe/Berlin")
    nina = build.user("nina", time_zone="Asia/Kathmandu", hour_cycle="h12")
    build.participant(choir.calendar, nina)
    choir.fix(9)

    page = browser_of(nina).get(choir.here).text

    local = build.day(9).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{local.hour - 12}:{local.minute:02} pm" in page
    assert "this calendar uses Europe/Berlin" in page
    assert "Times in America/Lima" in browser_of(nina).get(f"{choir.here}?zone=America/Lima").text


@pytest.mark.parametrize(
    ("visibility", "member", "owner"),
    [("open", True, True), ("counts", False, False), ("owner", False, True)],
)
def test_who_comes_is_told_by_name_only_as_far_as_visibility_allows(visibility, member, owner):
    choir = Choir(visibility=visibility)
    nina = build.user("nina", first_name="Ninotschka")
    build.participant(choir.calendar, nina)
    build.window(choir.calendar, nina, build.day(9), build.day(12), 1)
    build.meeting(calendar=choir.calendar)
    choir.fix(10)

    for person, tells in ((choir.sam, member), (choir.mina, owner)):
        browser = browser_of(person)
        page = browser.get(choir.here).text
        assert ("<dd>Ninotschka</dd>" in page) == tells
        assert ("Mina, Sam" in page) == tells
        assert "If need be <b>1</b>" in page
        assert "No answer yet <b>1</b>" in page
        assert "your answer is: Yes." in page
        # Leaving somebody out would tell what they answered.
        asked = browser.get(f"{choir.here}?if=1&without={nina.pk}")
        assert (asked.status_code == 200) == tells


def test_the_file_for_ones_own_calendar():
    choir = Choir()
    browser = browser_of(choir.sam)

    assert browser.get(f"{choir.here}invite.ics").status_code == 409
    choir.fix(10)
    answer = browser.get(f"{choir.here}invite.ics")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert str(choir.meeting.pk) in answer.text


def test_the_link_to_the_file_ended_in_a_slash():
    choir = Choir()
    choir.fix(10)
    browser = browser_of(choir.sam)

    assert f'href="{choir.here}invite.ics"' in browser.get(choir.here).text
    assert browser.get(f"{choir.here}invite.ics/").status_code == 200


def test_as_many_queries_for_many_people_and_suggestions_as_for_few():
    costs = []
    for size in (2, 20):
        calendar = crowd(size, 5)
        meeting = build.meeting(calendar=calendar)
        ScheduleSuggestion.objects.bulk_create(
            ScheduleSuggestion(
                meeting=meeting, author=calendar.owner, suggested_time=build.day(number / 4)
            )
            for number in range(size)
        )
        browser = browser_of(calendar.owner)
        for final_time in (None, build.day(10)):
            Meeting.objects.filter(pk=meeting.pk).update(final_time=final_time)
            for query in ("", "?if=1&duration_minutes=30"):
                with CaptureQueriesContext(connection) as asked:
                    assert (
                        browser.get(
                            f"/app/calendars/{calendar.pk}/meetings/{meeting.pk}/{query}"
                        ).status_code
                        == 200
                    )
                costs.append(len(asked))

    assert costs[:4] == costs[4:]
    assert max(costs) <= 8


@pytest.mark.parametrize(
    "query", ["", "?explain=1", "?if=1&duration_minutes=30", "?zone=Asia/Tokyo"]
)
def test_asking_again_without_a_change_is_304_and_touches_no_engine(query, monkeypatch):
    choir = Choir()
    browser = browser_of(choir.sam)
    with time_machine.travel(clock.now().replace(minute=1), tick=False):
        page = browser.get(choir.here + query).text
        address, tag = (
            unescape(re.search(rf'data-{name}="([^"]+)"', page)[1]) for name in ("url", "tag")
        )
        for name in ("profile", "preferences"):
            monkeypatch.setattr(engine, name, lambda *_, **__: pytest.fail("The engine was asked."))

        with CaptureQueriesContext(connection) as asked:
            again = browser.get(address, headers={"If-None-Match": tag})

        assert (again.status_code, again.content) == (304, b"")
        assert len(asked) <= 5
        monkeypatch.undo()
        for change, told in (
            (
                lambda: build.window(choir.calendar, choir.iris, build.day(9), build.day(12)),
                "3 of 3|Everybody can come",
            ),
            (
                lambda: build.suggestion(choir.meeting, choir.iris, build.day(20)),
                "Suggested by Iris",
            ),
            (
                lambda: Meeting.objects.filter(pk=choir.meeting.pk).update(
                    final_time=build.day(9), version=2
                ),
                "Confirmed",
            ),
        ):
            change()
            now = browser.get(address, headers={"If-None-Match": tag})
            assert now.status_code == 200
            assert now["ETag"] != tag
            tag = now["ETag"]
            assert f'data-tag="{tag}"' in unescape(now.text)
            assert re.search(told, now.text)
            assert "<html" not in now.text


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}{% debug %}",
        "' onfocus=x '",
    ],
)
def test_what_people_write_is_shown_as_written(payload):
    mina, sam = build.user("mina"), build.user("sam", first_name=payload[:140])
    calendar = build.calendar(owner=mina, participants=[sam], name=payload, location=payload)
    build.window(calendar, mina, build.day(9), build.day(12))
    texts = {"title": payload, "description": payload, "location": payload}
    meetings = [
        build.meeting(calendar=calendar, required=[mina, sam], final_time=final, **texts)
        for final in (None, build.day(20))
    ]
    build.suggestion(meetings[0], sam, build.day(10))
    browser = browser_of(mina)

    pages = [
        browser.get(f"/app/calendars/{calendar.pk}/meetings/{m.pk}/{rest}").text
        for m in meetings
        for rest in ("", "live/", "edit/", "?if=1")
    ]
    pages.append(
        browser.post(
            f"/app/calendars/{calendar.pk}/meetings/{meetings[0].pk}/",
            {"do": "fix", "final_time": "2031-05-01T10:00"},
        ).text
    )
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert handlers_in(page) == []
        assert "{{7*7}}" in page or "{{7" not in payload


# What if ------------------------------------------------------------------------------------------


def test_what_if_answers_and_stores_nothing():
    choir = Choir()
    build.window(choir.calendar, choir.iris, build.day(10.5), build.day(11))
    browser = browser_of(choir.mina)
    before = Meeting.objects.values().get()

    def supposed(query: str) -> str:
        page = browser.get(f"{choir.here}?if=1&{query}").text
        assert "Nothing is saved" in page
        return page.split('class="supposed"')[1].split("</section>")[0]

    shorter = supposed("duration_minutes=30&quarter=on")
    assert "10:30–11:00" in shorter
    assert "Everybody can come" in shorter
    assert "Choose this time" not in shorter  # it would be fixed at its own length
    without = supposed(f"without={choir.iris.pk}")
    assert "without Iris" in without
    assert "Everybody can come" in without
    assert "Choose this time" in without
    later = build.day(10).strftime(TYPED)
    assert "9:00–" not in supposed(f"earliest={later}")
    assert "at least 3 can come" in supposed("quorum=3")
    assert Meeting.objects.values().get() == before


@pytest.mark.parametrize(
    "query",
    [
        "duration_minutes=0",
        "duration_minutes=x",
        "without=x",
        "without=999999",
        "earliest=never",
        "quorum=-1",
        "earliest=0001-01-01T00:00",
    ],
)
def test_a_question_that_makes_no_sense_is_refused_beside_its_field(query):
    choir = Choir()

    answer = browser_of(choir.mina).get(f"{choir.here}?if=1&{query}")

    assert answer.status_code == 422
    assert 'class="mend"' in answer.text
    assert "Best times" in answer.text


def test_bounds_in_the_wrong_order_are_refused():
    choir = Choir()
    query = f"earliest={build.day(12).strftime(TYPED)}&latest={build.day(10).strftime(TYPED)}"

    answer = browser_of(choir.mina).get(f"{choir.here}?if=1&{query}")

    assert answer.status_code == 422
    assert "The latest end must be after the earliest start." in answer.text


# What could change it -----------------------------------------------------------------------------


def divided(**fields) -> Choir:
    """Mina can in the morning, Sam half of it and in the afternoon, Iris has not answered."""
    choir = Choir(**fields)
    choir.sam.non_busy_times.all().delete()
    for start, end in ((11.5, 13), (14, 15)):
        build.window(choir.calendar, choir.sam, build.day(start), build.day(end), 9)
    return choir


def test_what_could_change_the_best_start_is_told_in_words():
    choir = divided()
    browser = browser_of(choir.mina)

    page = browser.get(choir.here).text

    change = page.split('id="change"')[1].split("</section>")[0]
    assert "If nothing suits everybody" in change
    assert "At any time, at least 1 required person can’t come." in change
    assert "Sam would need to free up 30 minutes." in change
    assert "11:00–11:30</b> · Sam" in change
    assert "Two sessions reach everybody who answered." in change
    assert "Iris could still change the best time by answering." in change
    second = page.split('class="rank"')[2].split("</details>")[0]
    assert "Compared with the best time: " in second
    assert "Could still end up anywhere from place 1 to 3: 1 answer is missing." in second
    # What is supposed is explained instead.
    supposed = browser.get(f"{choir.here}?if=1&duration_minutes=30").text
    assert supposed.count('id="change"') == 1
    assert "What could change this" in supposed.split('id="if"')[1].split('id="best-h"')[0]


@pytest.mark.parametrize(
    ("visibility", "member", "owner"),
    [("open", True, True), ("counts", False, False), ("owner", False, True)],
)
def test_what_could_change_it_names_people_only_as_far_as_visibility_allows(
    visibility, member, owner
):
    choir = divided(visibility=visibility)

    for person, other, tells in ((choir.sam, "Mina", member), (choir.mina, "Sam", owner)):
        page = browser_of(person).get(choir.here).text
        told = "".join(page.split('<section class="best-times"')[1].split("</section>")[:2])
        assert "If nothing suits everybody" in told
        assert (re.search(rf"\b{other}\b", told) is not None) == tells
        assert ("Iris" in told) == tells


def test_what_if_is_not_offered_where_it_would_show_what_one_of_a_few_answered():
    choir = divided(visibility="counts")
    browser = browser_of(choir.sam)

    page = browser.get(choir.here).text

    assert "What if …?" not in page
    assert browser.get(f"{choir.here}?if=1&duration_minutes=1").status_code == 403
    for name in ("nina", "noor"):
        build.window(
            choir.calendar,
            build.participant(choir.calendar, build.user(name)).user,
            build.day(9),
            build.day(10),
        )
    assert "What if …?" in browser.get(choir.here).text
    assert browser.get(f"{choir.here}?if=1&duration_minutes=1").status_code == 200


def test_the_best_times_of_two_others_are_not_shown_where_answers_are_hidden():
    choir = divided(visibility="counts")
    noor = build.user("noor")
    build.participant(choir.calendar, noor)
    meeting = build.meeting(calendar=choir.calendar, title="Duet", required=[choir.mina, choir.sam])
    pages = (
        f"/app/calendars/{choir.calendar.pk}/",
        f"/app/calendars/{choir.calendar.pk}/meetings/{meeting.pk}/",
    )

    assert "this would reveal what each person said" in browser_of(noor).get(pages[1]).text
    for page in pages:
        assert "Duet" in browser_of(noor).get(page).text
        assert "this would reveal what each person said" not in browser_of(choir.sam).get(page).text
        assert (
            "this would reveal what each person said" not in browser_of(choir.mina).get(page).text
        )


def test_of_whom_the_same_time_is_wanted_is_said_at_once():
    mina, sam, iris = (build.user(name) for name in ("mina", "sam", "iris"))
    calendar = build.calendar(owner=mina, participants=[sam, iris], duration_minutes=60)
    for person, start in ((mina, 9), (sam, 14), (iris, 15)):
        build.window(calendar, person, build.day(start), build.day(start + 1), 5)
    meeting = build.meeting(calendar=calendar)

    page = browser_of(mina).get(f"/app/calendars/{calendar.pk}/meetings/{meeting.pk}/").text

    asked = page.split("What you could ask for")[1].split("</ul>")[0]
    assert asked.count("<li>") == 2
    assert "Iris, Sam" in asked or "Sam, Iris" in asked


def test_of_many_people_it_is_told_when_asked_for(monkeypatch):
    monkeypatch.setattr("commontime.web.meeting_starts.MOST_AT_ONCE", 1)
    choir = divided()
    browser = browser_of(choir.mina)

    page = browser.get(f"{choir.here}?if=1&duration_minutes=30").text

    assert "Why no time is better" not in page
    link = unescape(re.search(r'href="(\?[^"]*explain=1)#change"', page)[1])
    assert "duration_minutes=30" in link
    assert "Why no time is better" in browser.get(choir.here + link).text


# Suggesting ---------------------------------------------------------------------------------------


def test_a_suggestion_is_typed_in_the_zone_of_the_page_and_taken_back():
    choir = Choir()
    browser = browser_of(
        build.participant(choir.calendar, build.user("nina", time_zone="Asia/Kathmandu")).user
    )

    browser.post(choir.here, {"do": "suggest", "suggested_time": "2031-05-01T10:00"})
    assert ScheduleSuggestion.objects.get().suggested_time == datetime(
        2031, 5, 1, 4, 15, tzinfo=UTC
    )
    refused = browser.post(choir.here, {"do": "suggest", "suggested_time": "2031-05-01T10:00"})
    assert refused.status_code == 422
    assert "This time has already been suggested." in refused.text
    assert 'value="2031-05-01T10:00"' in refused.text
    for typed in ("2001-05-01T10:00", "soon", "9999-12-31T23:59", "0001-01-01T00:00"):
        answer = browser.post(choir.here, {"do": "suggest", "suggested_time": typed})
        assert (answer.status_code, f'value="{typed}"' in answer.text) == (422, True), typed

    pk = str(ScheduleSuggestion.objects.get().pk)
    assert (
        browser_of(choir.sam).post(choir.here, {"do": "take-back", "suggestion": pk}).status_code
        == 403
    )
    browser.post(choir.here, {"do": "take-back", "suggestion": pk})
    assert not ScheduleSuggestion.objects.exists()
    assert browser.post(choir.here, {"do": "take-back", "suggestion": "x"}).status_code == 404


def test_after_the_deadline_the_page_says_who_decides():
    choir = Choir()
    Meeting.objects.update(deadline=clock.now() - timedelta(hours=1))

    page = browser_of(choir.sam).get(choir.here).text

    assert "The deadline has passed. The organiser will choose a time." in page
    assert "Suggest a time" not in page
    assert "Suggest a time" in browser_of(choir.mina).get(choir.here).text


# Fixing -------------------------------------------------------------------------------------------


def test_one_of_the_starts_is_fixed_by_its_button_moved_and_withdrawn():
    choir = Choir()
    browser = browser_of(choir.mina)
    starts = re.findall(
        r'form="fix" name="final_time" value="([^"]+)"', browser.get(choir.here).text
    )

    assert browser.post(choir.here, {"do": "fix", "final_time": starts[0]}).status_code == 302
    assert choir.now().final_time == datetime.fromisoformat(starts[0]) == build.day(9)
    assert Message.objects.filter(kind="request").count() == 3
    browser.post(choir.here, {"do": "fix", "final_time": build.day(10).strftime(TYPED)})
    assert choir.now().final_time == build.day(10)
    assert (
        "The time has been withdrawn. The meeting is open again."
        in browser.post(choir.here, {"do": "withdraw"}, follow=True).text
    )
    assert choir.now().final_time is None
    assert Message.objects.filter(kind="withdrawn").exists()


def test_what_speaks_against_a_time_is_asked_and_done_all_the_same_only_when_confirmed():
    choir = Choir()
    browser = browser_of(choir.mina)
    late = build.day(13).strftime(TYPED)

    question = browser.post(choir.here, {"do": "fix", "final_time": late})
    assert question.status_code == 409
    assert "Choose this time anyway?" in question.text
    assert "Mina, Sam: required, but can’t come at this time." in question.text
    assert choir.now().final_time is None

    assert browser.post(choir.here, answer_of(question.text)).status_code == 302
    assert choir.now().final_time == build.day(13)


def test_what_speaks_against_it_meanwhile_is_asked_too():
    choir = Choir()
    browser = browser_of(choir.mina)
    build.window(choir.calendar, choir.iris, build.day(9), build.day(12))
    question = browser.post(
        choir.here, {"do": "fix", "final_time": build.day(11.5).strftime(TYPED)}
    )
    assert "Mina, Sam, Iris: required" in question.text
    other = build.calendar(owner=choir.mina)
    build.meeting(calendar=other, final_time=build.day(11.5))

    again = browser.post(choir.here, answer_of(question.text))

    assert again.status_code == 409
    assert "Mina: in another meeting at that time." in again.text
    assert choir.now().final_time is None
    browser.post(choir.here, answer_of(again.text))
    assert choir.now().final_time == build.day(11.5)


def test_a_page_that_is_older_than_a_change_fixes_nothing():
    choir = Choir()
    browser = browser_of(choir.mina)
    version = re.search(r'name="version" value="(\d+)"', browser.get(choir.here).text)[1]
    Meeting.objects.update(version=int(version) + 1, duration_minutes=180)

    answer = browser.post(
        choir.here, {"do": "fix", "final_time": build.day(9).isoformat(), "version": version}
    )

    assert answer.status_code == 422
    assert "Somebody else changed this meeting" in answer.text
    assert choir.now().final_time is None


def test_a_time_that_clocks_skip_is_refused_beside_the_field():
    choir = Choir()

    answer = browser_of(choir.mina).post(
        f"{choir.here}?zone=Europe/Berlin", {"do": "fix", "final_time": "2031-03-30T02:30"}
    )

    assert answer.status_code == 422
    assert 'id="final_time_error"' in answer.text
    assert 'value="2031-03-30T02:30"' in answer.text
    assert choir.now().final_time is None


@pytest.mark.parametrize(
    ("typed", "offered", "stored"),
    [
        ("2031-03-30T02:30", ["Sun 30 Mar, 1:30", "Sun 30 Mar, 3:30"], ["00:30", "01:30"]),
        (
            "2031-10-26T02:30",
            ["Sun 26 Oct, 2:30 (first time, CEST)", "Sun 26 Oct, 2:30 (second time, CET)"],
            ["00:30", "01:30"],
        ),
    ],
)
@pytest.mark.parametrize("choice", [0, 1])
@pytest.mark.parametrize(("do", "name"), [("fix", "final_time"), ("suggest", "suggested_time")])
def test_of_two_times_that_may_be_meant_one_is_chosen(do, name, choice, typed, offered, stored):
    choir = Choir()
    browser, here = browser_of(choir.mina), f"{choir.here}?zone=Europe/Berlin"

    answer = browser.post(here, {"do": do, name: typed})
    moments = re.findall(rf'name="{name}_at" value="([^"]+)"> ([^<]+)<', answer.text)
    chosen = {"do": do, name: typed, f"{name}_at": moments[choice][0]}
    other = browser.post(here, {**chosen, name: typed.replace("2:30", "2:15")})
    done = browser.post(here, chosen)
    if done.status_code == 409:  # nobody can then, so it is asked once more
        done = browser.post(here, answer_of(done.text))

    assert [said for _, said in moments] == offered
    assert (answer.status_code, other.status_code, done.status_code) == (422, 422, 302)
    moment = (
        choir.now().final_time if do == "fix" else ScheduleSuggestion.objects.get().suggested_time
    )
    assert f"{moment:%H:%M}" == stored[choice]


def test_reminding_nobody_says_what_to_do():
    choir = Choir()

    page = browser_of(choir.mina).post(choir.here, {"do": "remind"}, follow=True).text

    assert "You didn’t tick anybody, so no reminder was sent." in page
    assert not Message.objects.exists()


def test_participants_fix_remind_change_and_delete_nothing():
    choir = Choir()
    browser = browser_of(choir.sam)
    forms = [
        {"do": "fix", "final_time": build.day(10).isoformat()},
        {"do": "withdraw"},
        {"do": "remind", "who": "iris"},
        {"do": "delete"},
    ]

    for form in forms:
        assert browser.post(choir.here, form).status_code in (403, 422), form
    assert browser.post(choir.here, {"do": "dance"}).status_code == 422
    assert choir.now().final_time is None
    assert not Message.objects.exists()


def test_those_who_have_not_answered_are_reminded():
    choir = Choir()
    browser = browser_of(choir.mina)

    answer = browser.post(choir.here, {"do": "remind", "who": ["iris", "sam"]}, follow=True)

    assert "A reminder is on its way." in answer.text
    assert list(Message.objects.values_list("kind", "recipient")) == [
        ("from_person", "iris@example.org")
    ]
    assert browser.post(choir.here, {"do": "remind", "who": "sam"}).status_code == 404
    for _ in range(4):
        browser.post(choir.here, {"do": "remind", "who": "iris"})
    assert browser.post(choir.here, {"do": "remind", "who": "iris"}).status_code == 429


# Changing and deleting ----------------------------------------------------------------------------


def form_of(browser: Client, path: str) -> dict[str, str]:
    page = browser.get(path).text.split('class="fields"')[1]
    inputs = re.findall(
        r'<input type="(?:text|number|hidden|datetime-local)" name="(\w+)"(?: value="([^"]*)")?',
        page,
    )
    return {name: unescape(value) for name, value in inputs if name != "csrfmiddlewaretoken"}


def test_only_what_was_changed_in_the_form_is_changed():
    choir = Choir()
    Meeting.objects.update(deadline=clock.now() - timedelta(hours=1), earliest=build.day(8.3))
    before = choir.now()
    browser = browser_of(choir.mina)

    assert (
        browser.post(
            f"{choir.here}edit/", {**form_of(browser, f"{choir.here}edit/"), "title": "Concert"}
        ).status_code
        == 302
    )

    now = choir.now()
    assert (now.title, now.deadline, now.earliest, now.for_everyone) == (
        "Concert",
        before.deadline,
        before.earliest,
        True,
    )
    refused = browser.post(
        f"{choir.here}edit/",
        {**form_of(browser, f"{choir.here}edit/"), "deadline": "2001-01-01T10:00"},
    )
    assert refused.status_code == 422
    assert "The deadline must be in the future." in refused.text
    assert 'value="2001-01-01T10:00"' in refused.text


def test_a_longer_meeting_for_which_people_have_no_time_is_asked_about():
    choir = Choir()
    choir.fix(11)
    browser = browser_of(choir.mina)

    question = browser.post(
        f"{choir.here}edit/", {**form_of(browser, f"{choir.here}edit/"), "duration_minutes": "90"}
    )
    assert question.status_code == 409
    assert choir.now().duration_minutes is None

    assert browser.post(f"{choir.here}edit/", answer_of(question.text)).status_code == 302
    assert choir.now().duration_minutes == 90


def test_a_meeting_is_deleted():
    choir = Choir()
    choir.fix(10)

    answer = browser_of(choir.mina).post(choir.here, {"do": "delete"})

    assert answer["Location"] == f"/app/calendars/{choir.calendar.pk}/"
    assert not Meeting.objects.exists()


def test_a_finished_calendar_shows_its_meetings_without_buttons():
    choir = Choir()
    Calendar.objects.update(is_finalized=True)

    page = browser_of(choir.mina).get(choir.here).text

    assert "Best times" in page
    for word in ("Choose this time", "Suggest a time", "Change meeting"):
        assert word not in page


def test_the_calendars_page_leads_here_and_puts_ones_own_meetings_first():
    choir = Choir()
    for person, title in ((choir.sam, "With Sam"), (choir.iris, "With Iris")):
        build.meeting(
            calendar=choir.calendar,
            required=[choir.mina, person],
            title=title,
            final_time=build.day(10),
        )

    page = browser_of(choir.sam).get(f"/app/calendars/{choir.calendar.pk}/").text

    assert f'<a href="{choir.here}">Rehearsal</a>' in page
    own, others = page.split('class="fixed"')[1].split("<details>")[:2]
    assert "With Sam" in own
    assert "With Iris" not in own
    assert "1 meeting without you" in others
