"""What Prometheus asks for: what was counted, and what the database knows."""

import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse

from commontime import __version__
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars.queries.plans import unfinished_plans
from commontime.core import clock, metrics
from commontime.core.errors import Unidentified
from commontime.mail import outbox

BEARER = "Bearer "


class Metrics(View):
    public = True
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Answer in Prometheus' text format, to whoever has the token."""
        if not settings.METRICS_TOKEN:
            raise Http404
        given = request.META.get("HTTP_AUTHORIZATION", "")
        if not secrets.compare_digest(given.encode(), (BEARER + settings.METRICS_TOKEN).encode()):
            raise Unidentified(
                "Send COMMONTIME_METRICS_TOKEN as Authorization: Bearer.", code="not_authenticated"
            )
        return _exposition()


def _exposition() -> HttpResponse:
    # Most installations have no token; they need not load this.
    import django_ox.metrics
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    registry = metrics.registry()
    registry.register(django_ox.metrics.collector())
    registry.register(Gauges())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Gauges:
    """A collector of what the database knows: the same whichever process is asked."""

    def collect(self) -> Iterator[Any]:
        mails, plans = outbox.totals(), unfinished_plans()
        yield _gauge("commontime_version", "This version of Commontime.", version={__version__: 1})
        yield _gauge("commontime_mails_queued", "Emails that wait.", mails.queued)
        yield _gauge(
            "commontime_mails_oldest_queued_seconds",
            "Seconds that the oldest email has waited.",
            (clock.now() - mails.oldest).total_seconds() if mails.oldest else 0,
        )
        yield _gauge(
            "commontime_mails_last_day",
            "Emails of the last 24 hours: sent, failed (given up) and dropped (out of date).",
            state=mails.last_day,
        )
        yield _gauge(
            "commontime_plans", "Long plans that run, and that wait for a planner.", state=plans
        )


def _gauge(name: str, help_text: str, value: float = 0, **by_label: dict[str, int]) -> Any:
    """Return a gauge with one value, or with one for each value of its label."""
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily(name, help_text, labels=list(by_label))
    for values in by_label.values():
        for label, count in values.items():
            gauge.add_metric([label], count)
    if not by_label:
        gauge.add_metric([], value)
    return gauge
