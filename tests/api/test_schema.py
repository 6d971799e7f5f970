"""The OpenAPI text is true: it describes every path, and every answer that Schemathesis gets."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from django.core.management import CommandError, call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from commontime import __version__
from commontime.api import docs
from commontime.api import schema as schema_text
from commontime.api.schema import TAGS, text
from commontime.calendars import actions
from commontime.calendars.planning import plans
from commontime.config.wsgi import application
from stage.crowd import at_once
from tests import build
from tests.api import cast
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db

TEXT: dict[str, Any] = json.loads(text()[0])
OPERATIONS = [(path, method) for path, methods in TEXT["paths"].items() for method in methods]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# The text -----------------------------------------------------------------------------------------


def test_the_text_is_valid_openapi_and_made_without_a_warning(tmp_path):
    call_command(
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--format",
        "openapi-json",
        "--file",
        str(tmp_path / "schema.json"),
    )

    assert json.loads((tmp_path / "schema.json").read_text()) == TEXT
    assert TEXT["openapi"].startswith("3.1")


def test_every_path_and_method_of_the_api_is_described():
    served = set()
    for pattern in get_resolver("commontime.api.urls").url_patterns:
        view = pattern.callback.cls
        path = "/" + str(pattern.pattern).replace("<uuid:", "{").replace("<str:", "{").replace(
            ">", "}"
        )
        served |= (
            {
                (path, method)
                for method in ("get", "post", "put", "patch", "delete")
                if hasattr(view, method)
            }
            if view.schema
            else set()
        )

    assert served == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_refuses(path, method):
    operation = TEXT["paths"][path][method]
    responses = operation["responses"]

    assert operation["summary"].endswith(".")
    assert operation["tags"][0] in TAGS
    assert {"503"} < set(responses)
    assert ("401" in responses) or "security" not in operation
    assert ("413" in responses) == ("415" in responses) == ("requestBody" in operation)
    for status, response in responses.items():
        if int(status) >= 400:
            response = (
                TEXT["components"]["responses"][response["$ref"].rpartition("/")[2]]
                if "$ref" in response
                else response
            )
            problem, code = response["content"]["application/json"]["schema"]["allOf"]
            assert problem == {"$ref": "#/components/schemas/Problem"}
            assert code["properties"]["code"]["enum"]
            assert response["description"].endswith(".")


def test_the_headers_of_retries_and_conditions_stand_where_they_apply():
    def headers(path: str, method: str) -> set[str]:
        return {
            p["name"]
            for p in TEXT["paths"][path][method].get("parameters", [])
            if p["in"] == "header"
        }

    one = "/calendars/{calendar_id}/"
    assert headers("/calendars/", "post") == {"Idempotency-Key"}
    assert headers(one, "get") == {"If-None-Match"}
    assert headers(one, "put") == headers(one, "patch") == headers(one, "delete") == {"If-Match"}
    assert headers("/profile/edit/", "post") == {"If-Match"}
    assert headers("/signup/", "post") == headers("/calendars/", "get") == set()
    assert set(TEXT["paths"]["/calendars/"]["post"]["responses"]["201"]["headers"]) == {
        "ETag",
        "Location",
        "Idempotency-Replayed",
    }
    assert set(TEXT["paths"]["/calendars/"]["get"]["responses"]["200"]["headers"]) == {"Link"}


def test_the_introduction_names_what_is_not_remembered():
    """It names only paths that take a sign-in; the others store nothing anyway."""
    posts = {path: at["post"] for path, at in TEXT["paths"].items() if "post" in at}
    signed_in = {path for path, post in posts.items() if post.get("security")}
    remembered = {
        path
        for path, post in posts.items()
        if any(p["name"] == "Idempotency-Key" for p in post.get("parameters", []))
    }
    retry = TEXT["info"]["description"].split("* **Retry**")[1].split("* **")[0]

    named = set(re.findall(r"`(/[^`]*)`", retry))
    assert named & signed_in == signed_in - remembered
    assert not named & remembered


def test_what_is_answered_is_named_after_its_struct():
    assert {
        "CalendarOutput",
        "MeetingOutput",
        "WindowOutput",
        "Problem",
        "Availability",
        "LoginAnswer",
    } <= set(TEXT["components"]["schemas"])
    assert TEXT["paths"]["/calendars/{calendar_id}/"]["get"]["responses"]["200"]["content"][
        "application/json"
    ]["schema"] == {"$ref": "#/components/schemas/CalendarOutput"}


def test_the_text_is_made_once_and_everybody_may_read_it(monkeypatch):
    monkeypatch.setattr("commontime.api.schema.SchemaGenerator", None)

    answer = caller().get("/schema/", authorization="Bearer long-gone")

    assert answer.status_code == 200
    assert answer.data == TEXT
    assert caller().get("/schema", if_none_match=answer["ETag"]).status_code == 304


def test_several_who_are_the_first_to_ask_get_a_text_that_is_made_once(monkeypatch):
    """drf-spectacular fails in two threads at once. Some of the first requests got 500."""
    made: list[int] = []

    class Generator:
        def __init__(self, urlconf: str) -> None:
            made.append(len(made))

        def get_schema(self, *, public: bool) -> dict[str, int]:
            time.sleep(0.05)
            return {"made": len(made)}

    monkeypatch.setattr(schema_text, "SchemaGenerator", Generator)
    schema_text._text.cache_clear()
    texts = at_once(*[text] * 4)
    schema_text._text.cache_clear()

    assert made == [0]
    assert {body for body, _ in texts} == {b'{"made":1}'}


def test_two_shapes_of_one_name_are_noticed(capsys):
    """Otherwise the text would describe one of them as the other."""
    with pytest.raises(CommandError):
        _generate_with(type("CalendarOutput", (docs.Problem,), {}))

    assert "identical names" in capsys.readouterr().err


def _generate_with(shape: Any) -> None:
    from commontime.api.calendars import CalendarOne

    responses = CalendarOne.get.kwargs["schema"].get_response_serializers
    CalendarOne.get.kwargs["schema"].get_response_serializers = lambda self: {200: shape}
    try:
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    finally:
        CalendarOne.get.kwargs["schema"].get_response_serializers = responses


# Whatever is sent ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def group(django_db_setup, django_db_blocker) -> Iterator[cast.Group]:
    """One group for all requests; every request undoes what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = cast.group()
        actions.make_plan(made.calendar, by=made.mina.user, question=plans.Question(seconds=1))
        for signal in (
            request_started,
            request_finished,
        ):  # as Django's own client does: the connection must outlive a request
            signal.disconnect(close_old_connections)
        yield made
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def described() -> Any:
    return schemathesis.openapi.from_dict(_closed(deepcopy(TEXT)))


def things_of(group: cast.Group) -> dict[str, list[Any]]:
    """Return existing values by the names of parameters and fields.

    Made-up ids and texts alone would only show refusals.
    """
    people = [person.user.pk for person in (group.eve, group.iris, group.sam, group.mina)]
    names = [*(person.user.username for person in (group.sam, group.iris, group.mina)), "newcomer"]
    moments = [build.day(hour).isoformat() for hour in (8, 10, 12, 14, 18)]
    return {
        "calendar_id": [str(group.calendar.pk)],
        "calendar": [str(group.calendar.pk)],
        "meeting_id": [str(group.meeting.pk), str(group.scheduled.pk)],
        "window_id": [str(group.window.pk)],
        "participant_id": [str(seat.pk) for seat in group.calendar.participants.all()],
        "suggestion_id": [str(group.suggestion.pk)],
        "invitation_id": [str(group.invitation.pk), str(group.asked.pk)],
        "session_id": [str(session.pk) for session in group.sam.user.session_set.all()],
        "user": people,
        "receiver": people,
        "contactee": [*people, *names],
        "transfer_to": people,
        "required": [[group.sam.user.pk], True],
        "username": names,
        "muted": [["sam"], []],
        "email": ["new@example.org"],
        "password": [build.PASSWORD],
        "refresh": [group.mina.refresh, group.sam.refresh],
        "refresh_token": [group.mina.refresh, group.sam.refresh],
        "time_zone": ["Europe/Berlin"],
        "locale": ["de"],
        **{
            name: ["Choir"]
            for name in ("name", "title", "location", "first_name", "last_name", "note")
        },
        "windows": [
            [{"start_time": moments[1], "end_time": moments[2], "preference_level": 8}],
            [],
        ],
        "final_time": [*moments[1:], None, cast.GAP],
        **{
            name: [build.day(18).isoformat(), *moments[:3]]
            for name in ("start_time", "from", "earliest", "window_start")
        },
        **{
            name: [build.day(20).isoformat(), *moments[3:]]
            for name in ("end_time", "to", "latest", "window_end", "deadline")
        },
        "suggested_time": moments,
        "If-Match": ["*"],
    }


def _closed(text: dict[str, Any]) -> dict[str, Any]:
    """Forbid answers any field that is not described.

    The real text leaves that open, so that clients accept new fields.
    """
    for schema in text["components"]["schemas"].values():
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    return text


def point_at_things(case: Any, draw: Any, things: dict[str, list[Any]]) -> None:
    """Replace most made-up values by existing ones of the same name."""
    places = [case.path_parameters, case.query, case.headers, case.body]
    for place in (place for place in places if isinstance(place, Mapping)):
        for name in list(place):
            if name in things and draw(st.integers(0, 7)) < 7:
                place[name] = draw(st.sampled_from(things[name]))


ANSWERED: dict[tuple[str, str], Counter[int]] = {}
# What no made-up request can do: use a link from a mail.
NEVER_DONE = {
    ("/password_reset/{uidb64}/{token}/", "post"),
    ("/confirm-email/", "post"),
    ("/profile/confirm-email/", "post"),  # all of the group are confirmed
}
MODES = [(GenerationMode.POSITIVE, 20), (GenerationMode.NEGATIVE, 6)]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_gets_an_answer_that_is_not_described(
    path, method, group, described, django_db_blocker
):
    cast.a_worker_took_a_task()
    operation = described[path][method]
    answered = ANSWERED.setdefault((path, method), Counter())
    for mode, examples in MODES:
        if (
            mode is GenerationMode.POSITIVE
            or "parameters" in operation.definition.raw
            or "requestBody" in operation.definition.raw
        ):
            _ask(operation, mode, examples, group, answered)
    for number in range(1, 6):
        if not was_done(answered) and (path, method) not in NEVER_DONE:
            _ask(operation, GenerationMode.POSITIVE, 20, group, answered, number=number)


def was_done(answered: Counter[int]) -> bool:
    return any(200 <= status < 300 for status in answered)


def test_every_operation_was_done_at_least_once():
    """Otherwise the test above would have seen only refusals."""
    if len(ANSWERED) < len(OPERATIONS):
        pytest.fail("Run the whole file: this sums up what the test above saw.")
    assert {
        operation for operation, answered in ANSWERED.items() if not was_done(answered)
    } == NEVER_DONE


UNTRUE = {
    "Undocumented status code": lambda text, responses: responses.pop("404"),
    "Response violates schema": lambda text, responses: _without(
        text["components"]["schemas"]["CalendarOutput"], "my_role"
    ),
    "not one of": lambda text, responses: text["components"]["responses"].update(
        Problem404=json.loads(
            json.dumps(text["components"]["responses"]["Problem404"]).replace("not_found", "gone")
        )
    ),
    "header": lambda text, responses: responses["200"]["headers"]["ETag"].update(
        schema={"type": "integer"}
    ),
}


@pytest.mark.parametrize("noticed", UNTRUE)
def test_an_answer_that_is_not_described_is_noticed(noticed, group):
    """The same request, with a text that is not true."""
    text = _closed(deepcopy(TEXT))
    UNTRUE[noticed](text, text["paths"]["/calendars/{calendar_id}/"]["get"]["responses"])
    operation = schemathesis.openapi.from_dict(text)["/calendars/{calendar_id}/"]["get"]

    with pytest.raises((Failure, FailureGroup)) as caught:
        _ask(operation, GenerationMode.POSITIVE, 16, group, Counter())

    failures = caught.value.exceptions if isinstance(caught.value, FailureGroup) else [caught.value]
    assert any(noticed in f"{failure.title} {failure.message}" for failure in failures)


def _without(schema: dict[str, Any], name: str) -> None:
    del schema["properties"][name]
    schema["required"].remove(name)


def _ask(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    group: cast.Group,
    answered: Counter[int],
    number: int = 0,
) -> None:
    things = things_of(group)

    @seed(number)
    @given(data=st.data(), who=st.sampled_from([group.mina, group.sam]))
    @settings(
        database=None,
        deadline=None,
        max_examples=examples,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(data: Any, who: Caller) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE:
            point_at_things(case, data.draw, things)
        with cast.undone():
            answer = case.call(app=application, headers={"Authorization": f"Bearer {who.access}"})
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_the_schema_says_which_version_it_describes():
    assert TEXT["info"]["version"] == __version__
