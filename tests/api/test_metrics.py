"""What Prometheus reads: the same from each web process, and without anybody's ids."""

import gzip

import pytest
from prometheus_client.parser import text_string_to_metric_families

from commontime.calendars.models import Plan
from commontime.core import clock
from commontime.mail import outbox
from commontime.mail.models import Message
from stage.servers import Site, open_site, wait_until
from tests import build
from tests.api.cast import refused
from tests.client import caller
from tests.mail.cast import notice
from tests.routes import url_patterns

TOKEN = "a token of the operator"
type Sample = tuple[str, frozenset[tuple[str, str]]]


def samples(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# The door -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_a_token_there_is_no_such_path():
    answer = caller().get("/metrics", authorization="Bearer ")

    assert refused(answer, 404, "not_found")
    assert answer.content == caller().get("/nothing").content


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "ü"])
def test_another_token_opens_nothing(settings, given):
    settings.METRICS_TOKEN = TOKEN

    assert refused(caller().get("/metrics", authorization=given), 401, "not_authenticated")


@pytest.mark.django_db
def test_whoever_asks_by_the_machines_address_is_answered(settings):
    settings.METRICS_TOKEN = TOKEN
    answer = caller().get("/metrics", authorization=f"Bearer {TOKEN}", host="web:8000")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.django_db
def test_it_is_sent_compressed(settings):
    settings.METRICS_TOKEN = TOKEN
    answer = caller().get("/metrics", authorization=f"Bearer {TOKEN}", accept_encoding="gzip")

    assert b"commontime_mails_queued" in gzip.decompress(answer.content)


# What the database knows --------------------------------------------------------------------------


def asked(settings) -> dict[Sample, float]:
    settings.METRICS_TOKEN = TOKEN
    return samples(caller().get("/metrics", authorization=f"Bearer {TOKEN}").content.decode())


def state(name: str) -> frozenset[tuple[str, str]]:
    return frozenset({("state", name)})


@pytest.mark.django_db
def test_mails_are_counted_by_what_became_of_them(settings):
    outbox.post([notice(number) for number in range(5)])
    for number, done in enumerate(["sent", "sent", "failed"]):
        message = Message.objects.filter(event=f"test:{number}")
        message.update(state=done, settled_at=clock.now())

    samples = asked(settings)

    assert samples["commontime_mails_queued", frozenset()] == 2
    assert 0 <= samples["commontime_mails_oldest_queued_seconds", frozenset()] < 60
    assert [
        samples["commontime_mails_last_day", state(s)] for s in ("sent", "failed", "dropped")
    ] == [
        2,
        1,
        0,
    ]
    # Each mail woke the worker, in one task.
    ready = frozenset({("queue", "default")})
    assert samples["django_ox_ready_tasks", ready] == 1


@pytest.mark.django_db
def test_plans_run_or_wait(settings, mina):
    for run in (0, 1, 3):
        Plan.objects.create(
            calendar=build.calendar(owner=mina), question={}, run=run, created_at=clock.now()
        )

    samples = asked(settings)

    assert samples["commontime_plans", state("running")] == 2
    assert samples["commontime_plans", state("waiting")] == 1


# What the processes count -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site():
    with open_site(
        start=False, COMMONTIME_METRICS_TOKEN=TOKEN, COMMONTIME_LIMIT_PASSWORD="3"
    ) as running:
        running.start("web")
        yield running


def scraped(site: Site) -> dict[Sample, float]:
    site.wire.forget()  # a new connection: either process may get it
    answer = site.caller(authorization=f"Bearer {TOKEN}").get("/metrics")
    assert answer.status_code == 200
    return samples(answer.text)


def requests(samples: dict[Sample, float], route: str, method: str, status: str) -> float:
    labels = frozenset({("route", route), ("method", method), ("status", status)})
    return samples.get(("commontime_request_duration_seconds_count", labels), 0)


@pytest.mark.processes
def test_each_process_tells_what_both_have_counted_and_a_dead_ones_counts_stay(site):
    for _ in range(40):
        site.wire.forget()
        assert site.caller().get("/profile/").status_code == 401

    assert {requests(scraped(site), "/profile/", "GET", "4xx") for _ in range(20)} == {40}
    site.kill(site.processes("web")[0])
    wait_until(lambda: len(site.processes("web")) == 2)
    site.wait_ready()
    assert {requests(scraped(site), "/profile/", "GET", "4xx") for _ in range(20)} == {40}


@pytest.mark.processes
def test_durations_are_a_histogram(site):
    site.caller().get("/healthz")
    labels = {("route", "/healthz/"), ("method", "GET"), ("status", "2xx")}

    samples = scraped(site)

    name = "commontime_request_duration_seconds"
    total = samples[f"{name}_count", frozenset(labels)]
    assert samples[f"{name}_bucket", frozenset({*labels, ("le", "+Inf")})] == total >= 1
    assert 0 < samples[f"{name}_sum", frozenset(labels)] < 10 * total


@pytest.mark.processes
def test_labels_hold_patterns_and_no_path(site):
    calendar = site.person().post("/calendars/", {"name": "Choir"}).headers["Location"]
    for path in (calendar, "/secret-path", "/static/web/secret.css", "/app/invitations/secret/"):
        site.caller().get(path)
    site.caller()("SECRET", "/healthz")

    samples = scraped(site)

    routes = {dict(labels)["route"] for name, labels in samples if name.endswith("_seconds_count")}
    known = {f"/{pattern.pattern}" for pattern in url_patterns()}
    assert routes <= known | {"/static/", "(no route)"}
    assert {"/calendars/<uuid:calendar_id>/", "/static/", "(no route)"} <= routes
    assert "secret" not in str(samples).lower()


@pytest.mark.processes
def test_sign_ins_are_counted_by_their_outcome(site):
    def counts() -> list[float]:
        samples = scraped(site)
        return [
            samples.get(("commontime_sign_ins_total", frozenset({("outcome", outcome)})), 0)
            for outcome in ("accepted", "refused", "limited")
        ]

    before = counts()
    mina = site.person()
    for _ in range(4):
        site.caller().post("/login/", {"username": mina.name, "password": "wrong"})

    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 3, 1]
