"""The plan's page as a browser without scripts meets it, and what its scripts ask."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime import engine
from commontime.calendars import actions, limits
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Meeting, NonBusyTime, Plan
from commontime.calendars.planning import plans
from commontime.core import clock
from commontime.mail.models import Message
from commontime.web.plan_result import counts, quality
from tests import build
from tests.web.test_calendar_page import browser_of, handlers_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
ASK = {"do": "plan", "align": "15", "seconds": "10"}
PLAIN = {"planned": "on", "matters": "1", "then": ""}  # a row as it is at first
TYPED = "%Y-%m-%dT%H:%M"


class Talks:
    """Mina's calendar with so many others. All have time from nine on, an hour for each of them;
    the last one has not answered.
    """

    def __init__(self, others: int = 3, *, silent: int = 0, **fields: Any) -> None:
        self.mina = build.user("mina", time_zone="UTC", week_start="monday")
        self.people = [build.user(f"guest{number}") for number in range(others)]
        self.calendar = build.calendar(owner=self.mina, participants=self.people, **fields)
        for person in [self.mina, *self.people[: others - silent]]:
            build.window(self.calendar, person, build.day(9), build.day(9 + others), 9)
        self.here = f"/app/calendars/{self.calendar.pk}/plan/"
        self.browser = browser_of(self.mina)

    def pair(self, **fields: Any) -> list[Meeting]:
        made, _ = actions.create_one_on_ones(
            self.calendar, by=self.mina, deadline=clock.now() + timedelta(days=3), **fields
        )
        return made

    def post(self, **form: Any) -> Any:
        return self.browser.post(self.here, form)

    @property
    def page(self) -> str:
        return self.browser.get(self.here).text


def pins_on(page: str) -> dict[str, bool]:
    """Return what the ticks of a timetable would send, and whether they are ticked."""
    pins = re.findall(r'name="pin" value="([^"]+)"( checked)?', page)
    return {unescape(value): bool(checked) for value, checked in pins}


def titles_on(page: str) -> list[str]:
    return re.findall(r'<li class="slot".*?<a [^>]*>([^<]*)</a>', page, re.DOTALL)


def test_an_empty_page_says_what_to_do_next():
    talks = Talks()

    page = talks.page

    assert "There are no open meetings to plan yet." in page
    assert 'class="card pairs" open' in page


def test_who_is_alone_is_sent_to_invite_people():
    calendar = build.calendar()

    page = browser_of(calendar.owner).get(f"/app/calendars/{calendar.pk}/plan/").text

    assert "Nobody else has joined yet, so there’s nothing to plan." in page
    assert page.count(f'href="/app/calendars/{calendar.pk}/people/"') == 1


def test_one_on_ones_are_made_with_everybody_or_some_and_not_twice():
    talks = Talks()
    form = {"do": "one-on-ones", "deadline": "2031-05-01T10:00", "duration_minutes": "30"}

    refused = talks.post(do="one-on-ones", deadline="2001-01-01T10:00", duration_minutes="30")
    assert refused.status_code == 422
    assert "The deadline must be in the future." in refused.text
    assert 'value="2001-01-01T10:00"' in refused.text
    assert not Meeting.objects.exists()

    some = talks.browser.post(
        talks.here, {**form, "people": [str(talks.people[0].pk)]}, follow=True
    )
    assert "1 one-on-one is waiting for a time." in some.text
    rest = talks.browser.post(talks.here, form, follow=True)
    assert "2 one-on-ones are waiting for a time." in rest.text
    assert (
        "You already have a one-on-one with everybody."
        in talks.browser.post(talks.here, form, follow=True).text
    )
    made = Meeting.objects.order_by("created_at").values_list(
        "title", "duration_minutes", "buffer_minutes", "deadline"
    )
    assert len(made) == 3
    assert {row[1:] for row in made} == {(30, 0, datetime(2031, 5, 1, 10, tzinfo=UTC))}


def test_a_plan_is_a_timetable_with_a_proof_and_changes_nothing_before_it_is_published():
    talks = Talks()
    talks.pair()

    assert talks.post(**ASK).status_code == 302
    page = talks.page

    assert "A time for 3 of 3" in page
    assert "Optimal, proven: no plan is better." in page
    assert sorted(titles_on(page)) == [
        "Guest0",
        "Guest1",
        "Guest2",
    ]  # Mina's own name stands not in each
    assert re.findall(
        r'data-down="(\d)" data-below="0" data-long="1" data-over="0" data-lane="1"', page
    ) == ["0", "1", "2"]
    assert "sends 6 emails" in page
    assert re.search(r'<span>Mina</span> <span class="soft">\s*3 emails', page)
    assert not Meeting.objects.exclude(final_time=None).exists()
    assert not Message.objects.exists()

    assert (
        talks.post(
            do="publish", plan=re.search(r'name="plan" value="([^"]+)"', page)[1]
        ).status_code
        == 302
    )

    assert "Published" in talks.page
    assert not Meeting.objects.filter(final_time=None).exists()
    assert Message.objects.filter(kind="request").count() == 6
    assert "There are no open meetings." in talks.page


def test_every_day_of_the_timetable_and_what_has_no_time_can_be_jumped_to():
    talks = Talks(silent=1)
    talks.pair()
    talks.post(**ASK)

    page = talks.page

    nav = page.split('<nav class="to-day"')[1].split("</nav>")[0]
    assert re.findall('href="#([^"]+)"', nav) == [f"on-{build.day(9):%Y-%m-%d}", "left-h"]
    assert all(
        page.count(f' id="{part}"') == 1 for part in (f"on-{build.day(9):%Y-%m-%d}", "left-h")
    )


def test_what_is_pinned_stays_where_it_was_seen():
    talks = Talks()
    talks.pair()
    talks.post(**ASK)
    before = pins_on(talks.page)
    first = min(before, key=lambda pin: pin.split()[1])
    meeting, start = first.split()
    third = str(datetime.fromisoformat(start) + timedelta(hours=2)).replace(" ", "T")

    talks.browser.post(talks.here, {**ASK, "pin": [f"{meeting} {third}"]})

    assert {pin: ticked for pin, ticked in pins_on(talks.page).items() if ticked} == {
        f"{meeting} {third}": True
    }
    for pin in (
        "x",
        meeting,
        f"{meeting} soon",
        f"{meeting} 2031-05-01T10:00",
        f"{meeting} 9999-12-31T23:59:59+00:00",
        "\0",
    ):
        assert talks.browser.post(talks.here, {**ASK, "pin": [pin]}).status_code == 422, pin


def typed_on(page: str) -> dict[str, Any]:
    """Return what a browser would send of the page's rows of meetings."""
    ticks = re.findall(r'name="(planned-[^"]+)" checked', page)
    selects = re.findall(r'name="(matters-[^"]+)".*?value="([^"]+)" selected', page, re.DOTALL)
    return {
        **dict.fromkeys(ticks, "on"),
        **dict(selects),
        **dict(re.findall(r'name="(then-[^"]+)" value="([^"]*)"', page)),
    }


def test_one_says_which_meetings_are_planned_how_much_each_matters_and_when_one_must_be():
    talks = Talks(4)
    first, second, third, fourth = (meeting.pk for meeting in talks.pair())
    rows = typed_on(talks.page)
    assert rows == {
        f"{name}-{pk}": value
        for pk in (first, second, third, fourth)
        for name, value in PLAIN.items()
    }

    del rows[f"planned-{first}"]
    rows |= {
        f"matters-{second}": "4",
        f"then-{third}": build.day(11).strftime(TYPED),
        f"then-{first}": "junk",
    }
    assert talks.post(**ASK, **rows).status_code == 302

    asked = msgspec.convert(Plan.objects.get().question, plans.Question)
    assert (asked.meetings, asked.priorities, asked.pinned) == (
        (second, third, fourth),
        {second: 4},
        {third: build.day(11)},
    )
    page = talks.page
    assert sorted(titles_on(page)) == ["Guest1", "Guest2", "Guest3"]
    assert '<small class="soft">1 left out · 1 with a higher priority</small>' in page
    # It has its tick in the timetable now.
    assert typed_on(page) == {**rows, f"then-{first}": "", f"then-{third}": ""}
    assert [pin for pin, ticked in pins_on(page).items() if ticked] == [
        f"{third} {build.day(11).isoformat()}"
    ]

    talks.post(do="publish")
    assert typed_on(talks.page) == {f"{name}-{first}": value for name, value in PLAIN.items()}


def test_a_typed_time_goes_before_a_tick_and_what_is_left_out_is_not_pinned():
    talks = Talks()
    first, second, third = (meeting.pk for meeting in talks.pair())
    rows = typed_on(talks.page) | {f"then-{first}": build.day(11).strftime(TYPED)}
    del rows[f"planned-{second}"]
    pins = [
        f"{first} {build.day(9).isoformat()}",
        f"{second} {build.day(10).isoformat()}",
        f"{third} {build.day(10).isoformat()}",
    ]

    talks.post(**ASK, **rows, pin=pins)

    asked = msgspec.convert(Plan.objects.get().question, plans.Question)
    assert asked.pinned == {first: build.day(11), third: build.day(10)}


def test_what_has_no_time_where_it_must_be_keeps_what_was_typed():
    talks = Talks()
    pk = talks.pair()[0].pk
    typed = build.day(20).strftime(TYPED)

    talks.post(**ASK, **{**typed_on(talks.page), f"then-{pk}": typed})

    page = talks.page
    assert "A time for 2 of 3" in page
    assert typed_on(page)[f"then-{pk}"] == typed
    assert "1 at a set time" in page


def test_a_time_is_typed_by_the_clocks_of_the_page():
    talks = Talks()
    pk = talks.pair()[0].pk
    tokyo = {f"then-{pk}": (build.day(10) + timedelta(hours=9)).strftime(TYPED)}

    talks.browser.post(f"{talks.here}?zone=Asia/Tokyo", {**ASK, **typed_on(talks.page), **tokyo})

    assert msgspec.convert(Plan.objects.get().question, plans.Question).pinned == {
        pk: build.day(10)
    }


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"then": "2001-01-01T10:00"}, "can’t be pinned to a time in the past"),
        ({"then": "soon"}, "Enter a valid date/time."),
        ({"then": "2199-01-01T10:00"}, "between the years 2000 and 2099"),
        ({"matters": "0"}, "Choose a whole number from 1 to 1000."),
        ({"matters": "1001"}, "Choose a whole number from 1 to 1000."),
    ],
)
def test_a_refused_row_says_why_beside_it_and_all_that_was_typed_stays(typed, said):
    talks = Talks()
    first, second, third = (meeting.pk for meeting in talks.pair())
    talks.post(**ASK)
    before = Plan.objects.get()
    pin = next(pin for pin in pins_on(talks.page) if pin.startswith(str(second)))
    rows = (
        typed_on(talks.page)
        | {f"{name}-{first}": value for name, value in typed.items()}
        | {f"matters-{second}": "2"}
    )
    del rows[f"planned-{third}"]

    refused = talks.post(**{**ASK, "align": "60"}, **rows, pin=pin)

    assert refused.status_code == 422
    page = unescape(refused.text)
    assert '<details class="which" open>' in page
    assert f'aria-invalid="true" aria-describedby="then-{first}-error"' in page
    assert said in page.split(f'id="then-{first}-error"')[1].split("</ul>")[0]
    if "then" in typed:
        assert typed_on(page) == rows
    assert '<option value="60" selected>' in page
    assert [sent for sent, ticked in pins_on(page).items() if ticked] == [pin]
    assert Plan.objects.get().pk == before.pk


def test_a_plan_of_nothing_is_refused_and_a_meeting_that_came_meanwhile_is_planned_too():
    talks = Talks()
    talks.pair()
    rows = typed_on(talks.page)

    refused = talks.post(
        **ASK, **{name: value for name, value in rows.items() if not name.startswith("planned")}
    )
    assert refused.status_code == 422
    assert "Tick at least one meeting." in refused.text
    assert not Plan.objects.exists()

    other = build.meeting(calendar=talks.calendar, title="All of us")
    talks.post(**ASK, **rows)
    assert Plan.objects.get().question["meetings"] == []
    assert str(other.pk) in str(Plan.objects.get().answer["placed"])
    assert re.search(r'All of us <small class="soft">everybody</small>', talks.page)


def test_a_priority_that_was_asked_for_over_the_api_stays():
    talks = Talks()
    pk = talks.pair()[0].pk
    actions.make_plan(talks.calendar, by=talks.mina, question=plans.Question(priorities={pk: 7}))

    page = talks.page
    assert '<option value="7" selected>priority 7</option>' in page
    talks.post(**ASK, **typed_on(page))

    assert Plan.objects.get().question["priorities"] == {str(pk): 7}


def test_of_more_meetings_than_are_planned_at_once_the_first_are_chosen(monkeypatch):
    monkeypatch.setattr(limits, "MOST_PLANNED", 2)
    talks = Talks()
    first, second, _third = (meeting.pk for meeting in talks.pair())

    page = talks.page
    assert "1 more is waiting until these have times." in page
    talks.post(**ASK, **typed_on(page))

    assert Plan.objects.get().question["meetings"] == [str(first), str(second)]


def test_as_many_meetings_as_are_planned_at_once_can_be_sent():
    talks = Talks()
    pk = talks.pair()[0].pk
    rows = {
        f"{name}-{number}": "x"
        for name in ("planned", "matters", "then", "pin")
        for number in range(limits.MOST_PLANNED)
    }

    assert (
        talks.post(**ASK, **rows, **{f"matters-{pk}": "2", f"planned-{pk}": "on"}).status_code
        == 302
    )
    assert (
        talks.post(**ASK, **rows, **{f"more-{number}": "x" for number in range(200)}).status_code
        == 400
    )


def test_who_has_no_time_is_told_with_the_reason_and_the_smallest_ask():
    talks = Talks(3, silent=1)
    talks.pair()
    NonBusyTime.objects.filter(user=talks.people[1]).update(
        start_time=build.day(4), end_time=build.day(5)
    )

    talks.post(**ASK)
    page = talks.page

    left = page.split('class="left"')[1].split("</section>")[0]
    assert "Guest2 hasn’t answered yet." in left
    assert "no time long enough when Mina and Guest1 can come and aren’t in another meeting" in left
    assert re.search(
        r"It could be \w+ \d+ \w+, \d+:00–\d+:00 if (?:Mina|Guest1) could come then\.", left
    )
    assert "<ul>" not in left


def test_of_a_plan_without_any_time_it_is_said_that_none_can_have_one():
    talks = Talks(2, silent=2)
    talks.pair()

    talks.post(**ASK)

    assert "A time for 0 of 2" in talks.page
    assert "Proven: with the answers so far, none of them can have a time." in talks.page
    assert 'class="quality proved"' not in talks.page
    assert "publish" not in talks.page.split('class="after"')[1]


def test_who_lacks_a_part_of_the_time_is_asked_for_that_part():
    talks = Talks(2)
    talks.pair()
    ten = build.day(10)
    NonBusyTime.objects.filter(user=talks.people[1]).update(
        start_time=ten, end_time=ten + timedelta(minutes=15)
    )

    talks.post(**ASK)

    left = talks.page.split('class="left"')[1].split("</section>")[0]
    assert "if these people had time then:" in left
    assert re.search(r"<li>Guest1: \w+ \d+ \w+, \d+:15–\d+:\d\d</li>", left)


def running(talks: Talks, **fields: Any) -> Plan:
    talks.pair()
    talks.post(**ASK)
    Plan.objects.update(status=PlanStatus.RUNNING, seconds=4.2, **fields)
    return Plan.objects.get()


def test_a_running_search_shows_how_far_it_is_and_can_be_stopped():
    talks = Talks()
    plan = running(talks)
    answer = msgspec.convert(plan.answer, plans.Answer)
    worse = msgspec.structs.replace(
        answer, proved=False, gap=0.25, value=msgspec.structs.replace(answer.value, priority=2)
    )
    Plan.objects.update(answer=msgspec.to_builtins(worse))

    page = talks.page
    assert "data-running" in page
    assert "4 of at most 10 seconds" in page
    assert "at most 25% below the best possible" in page
    assert "at most 3" in page
    assert f'<a class="reload" href="{talks.here}">' in page
    assert "Publish these times" not in page

    refused = talks.post(**ASK)
    assert refused.status_code == 422
    assert "A plan of yours is being worked out in" in refused.text
    assert talks.post(do="stop", plan=str(plan.pk)).status_code == 302
    assert Plan.objects.get().stop_wanted
    assert "Stopping" in talks.page


def test_asking_how_far_it_is_costs_no_engine_and_nothing_if_nothing_changed(monkeypatch):
    talks = Talks()
    running(talks)
    for name in ("plan", "profile", "preferences"):
        monkeypatch.setattr(engine, name, lambda *_, **__: pytest.fail("The engine was asked."))
    first = talks.browser.get(f"{talks.here}live/")
    tag = unescape(re.search(r'data-tag="([^"]+)"', first.text)[1])
    assert (
        first.status_code,
        first["ETag"],
        "data-running" in first.text,
        "<html" in first.text,
    ) == (200, tag, True, False)

    with CaptureQueriesContext(connection) as asked:
        again = talks.browser.get(f"{talks.here}live/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert len(asked) <= 5
    Plan.objects.update(seconds=4.7)
    assert (
        talks.browser.get(f"{talks.here}live/", headers={"If-None-Match": tag}).status_code == 200
    )
    Plan.objects.update(status=PlanStatus.DONE)
    done = talks.browser.get(f"{talks.here}live/", headers={"If-None-Match": tag}).text
    assert "data-running" not in done
    assert "Publish these times" in done


def test_what_changed_meanwhile_is_explained_and_nothing_is_published():
    talks = Talks()
    talks.pair()
    talks.post(**ASK)
    NonBusyTime.objects.filter(user=talks.people[0]).delete()

    answer = talks.post(do="publish", plan=str(Plan.objects.get().pk))

    assert answer.status_code == 409
    assert "have changed since this plan was made. Plan again." in unescape(answer.text)
    assert "Plan again" in answer.text
    assert not Meeting.objects.exclude(final_time=None).exists()


def test_a_plan_that_is_not_the_one_seen_is_not_published():
    talks = Talks()
    talks.pair()
    talks.post(**ASK)
    seen = str(Plan.objects.get().pk)
    talks.post(**ASK)

    answer = talks.post(do="publish", plan=seen)

    assert answer.status_code == 409
    assert "A newer plan has replaced the one you saw." in answer.text
    assert not Meeting.objects.exclude(final_time=None).exists()


@pytest.mark.parametrize("do", ["publish", "stop"])
def test_without_a_plan_there_is_nothing_to_do(do):
    assert Talks().post(do=do).status_code == 404


def test_a_plan_that_failed_and_one_whose_meetings_are_gone_are_shown():
    talks = Talks()
    talks.pair()
    talks.post(**ASK)
    Meeting.objects.first().delete()
    assert len(titles_on(talks.page)) == 2

    Plan.objects.update(status=PlanStatus.FAILED)
    assert "This plan couldn’t be finished" in talks.page


def test_it_costs_as_many_queries_for_many_meetings_as_for_few():
    costs = []
    for others in (2, 12):
        talks = Talks(others)
        talks.pair()
        talks.post(**ASK)
        with CaptureQueriesContext(connection) as asked:
            assert len(titles_on(talks.page)) == others
        costs.append(len(asked))
        User.objects.all().delete()

    assert costs[0] == costs[1]
    assert costs[0] <= 8


def test_sixty_people_each_see_their_own_on_the_calendars_page():
    talks = Talks(60)
    meetings = talks.pair()
    for number, meeting in enumerate(meetings):
        Meeting.objects.filter(pk=meeting.pk).update(final_time=build.day(9 + number))

    for number in (0, 29, 59):
        page = browser_of(talks.people[number]).get(f"/app/calendars/{talks.calendar.pk}/").text
        own = page.split('class="fixed"')[1].split("<details>")[0]
        assert re.findall(r"Mina &amp; (\w+)</a>", own) == [f"Guest{number}"]


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}{% debug %}"]
)
def test_what_people_write_is_shown_as_written(payload):
    talks = Talks(3, silent=1, name=payload)
    for person in talks.people:
        type(person).objects.filter(pk=person.pk).update(first_name=payload[:140])
    talks.pair()
    talks.post(**ASK)

    for path in (talks.here, f"{talks.here}live/"):
        page = talks.browser.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert handlers_in(page) == []
        assert "{{7*7}}" in page or "{{7" not in payload


# The gap in words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ((7, 3, 2, 4, 50), "it places 6 meetings, and no plan can place more than 7"),
        ((6, 5, 2, 4, 50), "3 optional people can come; no plan has more than 5"),
        ((6, 3, 1, 4, 50), "2 can come only if need be; no plan has fewer than 1"),
        ((6, 3, 2, 3, 50), "For 4 the time works but isn’t ideal; no plan has fewer than 3"),
        ((6, 3, 2, 4, 60), "could still improve, by at most 16.7%"),
    ],
)
def test_how_far_a_plan_may_be_from_the_best_is_said_where_it_may_differ(bound, said):
    value = plans.Counts(6, 3, 2, 4, 50)
    gap = next(
        abs(a - b) / max(a, b)
        for a, b in zip(msgspec.structs.astuple(value), bound, strict=True)
        if a != b
    )
    answer = plans.Answer(False, gap, value, plans.Counts(*bound), (), ())

    assert said in quality(answer, plans.Question())
    assert counts(answer, plans.Question())[0][1:] == (6, f"at most {bound[0]}")
