"""One calendar, and everybody in every relation to it, for tests/test_access.py."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import connection, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from commontime.accounts.actions import profiles, sign_ins
from commontime.accounts.enums import Door
from commontime.accounts.models import Mute, Session
from commontime.accounts.tasks import stop_url
from commontime.api import tokens
from commontime.calendars import actions
from commontime.calendars.models import CalendarParticipant, Invitation
from commontime.calendars.planning import plans
from commontime.contacts.models import Contact
from commontime.core import cache, clock, links
from commontime.core.clients import Client
from commontime.web.assets import asset
from commontime.web.middleware import SESSION_KEY
from tests import build
from tests.client import Caller
from tests.pages import Client as Browser

MATRIX = Path(__file__).parent / "access-matrix.csv"
ROLES = ("anon", "bad", "stranger", "pending", "former", "member", "owner")
# What our routes call a thing, and what the matrix calls it.
NAMES = {
    "calendar_id": "id",
    "participant_id": "pid",
    "window_id": "nid",
    "meeting_id": "mid",
    "suggestion_id": "sid",
    "invitation_id": "iid",
    "session_id": "sid",
    "uidb64": "uid",
}


# The matrix ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    kind: str
    method: str
    path: str
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        return self.kind == "page"

    @cached_property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def expected(self, role: str) -> dict[str, int]:
        """Return the expected status: `{"": 200}`, or by whose thing it is, `{"own": 204, "others":
        403}`.
        """
        cell = self.cells[role]
        if cell.isdigit():
            return {"": int(cell)}
        parts = [part.split() for part in cell.split(", ")]
        return {whose: int(status) for status, whose in parts}


def read_matrix() -> list[Row]:
    with MATRIX.open(newline="") as lines:
        rows = [
            Row(
                line["set"],
                *line["method and path"].split(" ", 1),
                {role: line[role] for role in ROLES},
            )
            for line in csv.DictReader(lines)
        ]
    assert len(rows) > 80
    return rows


ROWS = [row for row in read_matrix() if row.kind != "later"]
LATER = [row for row in read_matrix() if row.kind == "later"]


# People -------------------------------------------------------------------------------------------


@dataclass
class Person:
    """Somebody with tokens for the API, a cookie for the pages, and the sign-ins behind them."""

    name: str
    user: User
    access: str = ""
    refresh: str = ""
    cookie: str = ""
    sessions: tuple[Session, ...] = ()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask the API."""
        SHARED.cookies.clear()
        return Caller(user=self.user, access=self.access, client=SHARED)(
            method, path, body, **headers
        )

    def browse(self, method: str, path: str, form: dict[str, Any] | None = None) -> Any:
        """Ask for a page."""
        SHARED.cookies.clear()
        if self.cookie:
            SHARED.cookies[settings.SESSION_COOKIE_NAME] = self.cookie
        if method == "PUT":
            return SHARED.put(path, form, content_type="application/json")
        return SHARED.post(path, form) if method == "POST" else SHARED.generic(method, path)


# One for all, because each new one loads every middleware anew.
SHARED = Browser(raise_request_exception=True)
ANYBODY = Person("anybody", User())


def signed_in(user: User) -> Person:
    opened = sign_ins.open_session(user, door=Door.API, client=Client())
    page = sign_ins.open_session(user, door=Door.WEB, client=Client())
    pair = tokens.pair_for(opened)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = [str(page.session.pk), page.session.epoch]
    session.save()
    return Person(
        user.username,
        user,
        pair["access"],
        pair["refresh"],
        session.session_key,
        (opened.session, page.session),
    )


# The world ----------------------------------------------------------------------------------------


@dataclass
class World:
    """Mina owns the calendar, Sam takes part, Iris is invited, Eve is a stranger.

    Dave was removed, Lea left, Nils declined. Mina and Sam have a band too, Eve has a calendar of
    her own. Rita's password is reset, Cara is everybody's contact.
    """

    people: dict[str, Person] = field(default_factory=dict)
    bad: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("mina", "sam", "iris", "eve", "dave", "lea", "nils", "cara", "rita", "nina"):
            self.people[name] = signed_in(build.user(name))
        self.inactive = build.user("ina", is_active=False)
        mina, sam, iris, eve = (self.user(name) for name in ("mina", "sam", "iris", "eve"))
        for person in self.people.values():
            if person.user != self.user("cara"):
                Contact.objects.create(
                    owner=person.user, contactee=self.user("cara"), created_at=clock.now()
                )
        self.calendar = build.calendar(owner=mina, participants=[sam], name="Choir of Mina")
        self.open = build.meeting(calendar=self.calendar, title="Rehearsal of Mina")
        self.scheduled = build.meeting(
            calendar=self.calendar, title="Concert of Mina", final_time=build.day(19)
        )
        self.windows = {
            name: build.window(self.calendar, self.user(name), build.day(9), build.day(12))
            for name in ("mina", "sam")
        }
        self.suggestions = {
            name: build.suggestion(self.open, self.user(name), build.day(hour))
            for name, hour in (("mina", 9), ("sam", 10))
        }
        self.invitation = build.invitation(self.calendar, iris)
        self.unconfirmed = build.user("una", email_confirmed=False, confirm_asked_at=clock.now())
        self.link = Invitation.objects.create(
            calendar=self.calendar, sender=mina, email="somebody@example.org"
        )
        self.seats = {
            seat.user.username: seat
            for seat in CalendarParticipant.objects.filter(calendar=self.calendar).select_related(
                "user"
            )
        }
        self._see_people_off()
        self.band = build.calendar(owner=mina, participants=[sam], name="Band of Mina")
        self.gig = build.meeting(calendar=self.band, title="Gig of Mina")
        self.gig_suggestion = build.suggestion(self.gig, sam, build.day(11))
        self.band_window = build.window(self.band, sam, build.day(9), build.day(12))
        self.band_seat = CalendarParticipant.objects.get(calendar=self.band, user=sam)
        self.evening = build.calendar(owner=eve, name="Evening of Eve")
        Mute.objects.create(user=eve, sender=sam)
        self._collect_bad_tokens()
        self.untouched = everything_stored()

    def _see_people_off(self) -> None:
        mina = self.user("mina")
        for name, by in (("dave", mina), ("lea", self.user("lea"))):
            seat = build.participant(self.calendar, self.user(name))
            build.window(self.calendar, self.user(name), build.day(9), build.day(12))
            actions.remove_participant(seat, by=by)
        build.invitation(
            self.calendar,
            self.user("nils"),
            status="declined",
            answered_at=clock.now() - timedelta(days=8),
        )

    def _collect_bad_tokens(self) -> None:
        """Collect tokens and cookies that no longer work, of people who could do everything."""
        mina = self.people["mina"]
        ended = signed_in(mina.user)
        for session in ended.sessions:
            sign_ins.end_session(session)
        stale = signed_in(build.participant(self.calendar, build.user("otto")).user)
        profiles.deactivate(stale.user)
        asleep = signed_in(build.participant(self.calendar, build.user("udo")).user)
        User.objects.filter(pk=asleep.user.pk).update(is_active=False)
        gone = signed_in(build.user("gina"))
        gone.user.delete()
        changed = signed_in(build.participant(self.calendar, build.user("petra")).user)
        User.objects.filter(pk=changed.user.pk).update(password=make_password("another phrase"))
        with time_machine.travel(clock.now() - settings.REFRESH_TOTAL, tick=False):
            expired = signed_in(mina.user)
        self.bad = {
            "signed out": ended,
            "deactivated": stale,
            "not active": asleep,
            "deleted": gone,
            "password changed": changed,
            "expired": expired,
            "garbage": replace(mina, access="garbage", refresh="garbage", cookie="garbage"),
            "the other kind of token": replace(
                mina, access=mina.refresh, refresh=mina.access, cookie=""
            ),
            "cut short": replace(
                mina, access=mina.access[:-3], refresh=mina.refresh[:-3], cookie=mina.cookie[:-3]
            ),
        }
        actions.make_plan(
            self.calendar, by=mina.user, question=plans.Question(meetings=(self.open.pk,))
        )

    @property
    def confirm_token(self) -> str:
        return links.token(links.Kind.CONFIRMATION, self.unconfirmed.usersetting.pk)

    def user(self, name: str) -> User:
        return self.people[name].user

    def who(self, role: str) -> dict[str, Person]:
        """Return everybody in the role, by what they are there."""
        named = {
            "stranger": ["eve"],
            "pending": ["iris"],
            "former": ["dave", "lea", "nils"],
            "member": ["sam"],
            "owner": ["mina"],
        }
        match role:
            case "anon":
                return {"nobody": ANYBODY}
            case "bad":
                return self.bad
        return {name: self.people[name] for name in named[role]}

    # How each row is asked ------------------------------------------------------------------------

    def things(self, row: Row, person: Person, whose: str = "") -> dict[str, Any]:
        """Return values for the names in the row's path: the person's own things, or another's."""
        mine = person.name if person.name in self.windows else "sam"
        named = {"mina": "sam", "sam": "mina"}[mine] if whose == "others" else mine
        session = (
            self.people["cara"].sessions[0]
            if whose == "others" or not person.sessions
            else person.sessions[0]
        )
        return {
            "id": self.calendar.pk,
            "pid": self.seats[named].pk,
            "nid": self.windows[named].pk,
            "mid": self.scheduled.pk if row.path.endswith("invite.ics") else self.open.pk,
            "sid": self.suggestions[named].pk if "{mid}" in row.path else session.pk,
            "iid": self.invitation.pk,
            "username": "cara",
            "uid": urlsafe_base64_encode(force_bytes(self.user("rita").pk)),
            "token": default_token_generator.make_token(self.user("rita")),
            "stop": stop_url(self.user("rita"), "mail_meetings").rstrip("/").rpartition("/")[2],
            "files": asset("css", "tokens", "base").address.rpartition("/")[2],
            "link": links.token(links.Kind.INVITATION, self.link.pk),
            "confirm": self.confirm_token,
            "secret": "x" * 43,
            "xid": uuid4(),
        }

    def body(self, row: Row, person: Person) -> Any:
        """Return a body that succeeds for whoever may do it."""
        if row.method not in ("POST", "PUT", "PATCH"):
            return None
        return self.bodies(person).get(str(row).replace("PATCH", "PUT", 1), {})

    def bodies(self, person: Person) -> dict[str, dict[str, Any]]:
        at = int(build.day(13).timestamp())
        nina, later = self.user("nina"), (clock.now() + timedelta(days=3)).isoformat()
        account = {
            "username": "newcomer",
            "email": "newcomer@example.org",
            "first_name": "New",
            "last_name": "Comer",
            "password": build.PASSWORD,
        }
        window = {
            "start_time": build.day(13).isoformat(),
            "end_time": build.day(14).isoformat(),
            "preference_level": 7,
        }
        return {
            "POST /signup/": account,
            "POST /login/": {"username": "rita", "password": build.PASSWORD},
            "POST /token/": {"username": "rita", "password": build.PASSWORD},
            "POST /token/refresh/": {"refresh": person.refresh or self.people["rita"].refresh},
            "POST /password_reset/": {"email": "rita@example.org"},
            "POST /password_reset/{uid}/{token}/": {"password": "another correct horse"},
            "POST /confirm-email/": {"token": self.confirm_token},
            "POST /profile/edit/": {"first_name": "Somebody"},
            "POST /profile/delete/": {"refresh_token": person.refresh},
            "PUT /profile/settings/": {"week_start": "sunday"},
            "POST /logout/": {"refresh_token": person.refresh},
            "POST /calendars/": {"name": "Band", "is_finalized": False},
            "PUT /calendars/{id}/": {"name": "Another name"},
            "POST /calendars/{id}/duplicate/": {"shift_days": 7},
            "POST /calendars/{id}/transfer/": {"user": self.user("sam").pk},
            "POST /calendars/{id}/participants/": {"user": nina.pk},
            "PUT /calendars/{id}/participants/{pid}/": {"required": False},
            "POST /calendars/{id}/nonbusytimes/": window,
            "PUT /calendars/{id}/nonbusytimes/": {
                "from": build.day(0).isoformat(),
                "to": build.day(24).isoformat(),
                "windows": [window],
            },
            "PUT /calendars/{id}/nonbusytimes/{nid}/": {"preference_level": 9},
            "POST /calendars/{id}/meetings/": {"deadline": later},
            "POST /calendars/{id}/one-on-ones/": {"deadline": later},
            "PUT /calendars/{id}/meetings/{mid}/": {"deadline": later},
            "POST /calendars/meetings/{mid}/suggestions/": {
                "suggested_time": build.day(11).isoformat()
            },
            "POST /calendars/invitations/": {
                "calendar": str(self.calendar.pk),
                "receiver": nina.pk,
            },
            "PUT /calendars/invitations/{iid}/": {"status": "accepted"},
            "POST /calendars/send-email/": {"username": "cara"},
            "POST /contacts/add/": {
                "contactee": nina.pk if person.user.pk != nina.pk else self.user("eve").pk
            },
            "POST /app/invitations/{iid}/answer/": {"status": "accepted"},
            "PUT /app/calendars/{id}/availability/": [[at, at + 3600, 5]],
            "POST /app/calendars/{id}/availability/": {
                "do": "2",
                "at": build.day(9, days=0).timestamp(),
            },
            "POST /app/calendars/{id}/times/": {"text": "Mon 9-12 works", "do": "preview"},
            "POST /app/calendars/{id}/people/": {"do": "invite", "who": "nina"},
            "POST /app/calendars/{id}/meetings/new/": {"deadline": later[:16]},
            "POST /app/calendars/{id}/meetings/{mid}/": {
                "do": "suggest",
                "suggested_time": build.day(11).strftime("%Y-%m-%dT%H:%M"),
            },
            "POST /app/calendars/{id}/meetings/{mid}/edit/": {
                "title": "Another title",
                "deadline": later[:16],
            },
            "POST /app/calendars/{id}/plan/": {"do": "plan", "align": "15", "seconds": "10"},
            "POST /app/calendars/{id}/settings/": {
                "name": "Another name",
                "duration_minutes": 60,
                "time_zone": "UTC",
                "visibility": "open",
            },
            "POST /app/people/": {"do": "add", "contactee": "nina"},
            "POST /app/settings/": {
                "do": "names",
                "username": person.name,
                "first_name": "Somebody",
            },
            "POST /app/settings/delete/": {"current_password": build.PASSWORD},
            "POST /app/calendars/new/": {
                "name": "Band",
                "first_day": later[:10],
                "last_day": later[:10],
                "earliest_hour": "18:00",
                "latest_hour": "22:00",
                "duration_minutes": "60",
                "visibility": "open",
                "time_zone": "UTC",
                "others": "nina",
            },
            "POST /app/sign-in/": {"identifier": "rita", "password": build.PASSWORD},
            "POST /app/sign-up/": account,
            "POST /app/password_reset/": {"email": "rita@example.org"},
            "POST /app/password_reset/{uid}/{token}/": {"password": "another correct horse"},
        }

    def ask(self, row: Row, person: Person, whose: str = "") -> tuple[Any, bool]:
        """Ask as this person; return the answer and whether it changed anything, then undo it."""
        path = row.path.format(**self.things(row, person, whose))
        body = self.body(row, person)
        with rolled_back():
            answer = (
                person.browse(row.method, path, body)
                if row.is_page
                else person(row.method, path, body)
            )
            return answer, everything_stored() != self.untouched


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo whatever happens inside."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)
            cache.clear()  # what was kept in memory belongs to rows that are gone


def everything_stored() -> str:
    """Return a fingerprint of all our rows but the limits, which count refusals too."""
    models = [
        User,
        *(
            model
            for room in ("accounts", "contacts", "calendars", "mail")
            for model in apps.get_app_config(room).get_models()
        ),
    ]
    fingerprint = sha256()
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            fingerprint.update(repr(sorted(map(repr, cursor.fetchall()))).encode())
    return fingerprint.hexdigest()
