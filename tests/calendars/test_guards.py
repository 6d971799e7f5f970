"""What the database itself holds true, whoever writes and however (migrations 0002 and 0005)."""

import random
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations import AddField
from django.db.migrations.loader import MigrationLoader
from django.db.models import F, TextField

from commontime import calendars
from commontime.accounts.models import UserSetting
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
)
from commontime.contacts.models import Contact
from commontime.core.text import canonical
from commontime.core.triggers import MigrationKeepingTriggers
from stage.servers import PATIENCE
from tests import build

pytestmark = pytest.mark.django_db
GUARDS = Path(calendars.__file__).parent / "guards"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def drop_overlap_guard() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_functiondef('calendars_packed'::regproc)")
            cursor.execute(cursor.fetchone()[0].replace("IF clash", "IF false"))
        else:
            cursor.execute("DROP TRIGGER non_busy_times_apart_insert")
            cursor.execute("DROP TRIGGER non_busy_times_apart_update")


def drop_seat_guard() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "ALTER TABLE calendars_nonbusytime DROP CONSTRAINT non_busy_times_of_a_seat"
            )
        else:
            cursor.execute("DROP TRIGGER non_busy_times_of_a_seat_insert")
            cursor.execute("DROP TRIGGER non_busy_times_of_a_seat_update")
            cursor.execute("DROP TRIGGER non_busy_times_keep_their_seat")


def drop_trigger(name: str, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TRIGGER {name} ON {table}"
            if connection.vendor == "postgresql"
            else f"DROP TRIGGER {name}"
        )


def refused(write) -> bool:
    try:
        with transaction.atomic():
            write()
    except (DatabaseError, CalendarParticipant.DoesNotExist):
        return True
    return False


# One person's times never overlap -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (9, 10.5),
        (10.5, 12),
        (10.25, 10.75),
        (9, 12),
        (10, 11),
        (10 + 1 / 3600, 11),
        (9, 10 + 1e-6 / 3600),
    ],
    ids=[
        "over the start",
        "over the end",
        "inside",
        "around",
        "the same",
        "a second later",
        "a microsecond over",
    ],
)
def test_times_of_one_person_never_overlap(start, end):
    mina = build.user()
    calendar = build.calendar(owner=mina)
    build.window(calendar, mina, build.day(10), build.day(11))

    def overlap() -> None:
        build.window(
            calendar, mina, build.day() + timedelta(hours=start), build.day() + timedelta(hours=end)
        )

    assert refused(overlap)
    assert NonBusyTime.objects.count() == 1

    drop_overlap_guard()
    assert not refused(overlap)


def test_times_that_touch_do_not_overlap():
    mina = build.user()
    calendar = build.calendar(owner=mina)

    for start, end in [(10, 11), (11, 12), (9, 10)]:
        build.window(calendar, mina, build.day(start), build.day(end))

    assert NonBusyTime.objects.count() == 3


def test_times_of_other_people_and_calendars_may_overlap():
    mina, sam = build.user(), build.user()
    calendar, other = build.calendar(owner=mina, participants=[sam]), build.calendar(owner=mina)

    for where, who in [(calendar, mina), (calendar, sam), (other, mina)]:
        build.window(where, who, build.day(10), build.day(11))

    assert NonBusyTime.objects.count() == 3


def test_a_change_or_a_bulk_insert_can_not_overlap_either():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    build.window(calendar, mina, build.day(10), build.day(11))
    later = build.window(calendar, mina, build.day(12), build.day(13))
    rows = [
        NonBusyTime(
            calendar=calendar, user=mina, start_time=build.day(hour), end_time=build.day(hour + 1.5)
        )
        for hour in (14, 15)
    ]

    assert refused(
        lambda: NonBusyTime.objects.filter(pk=later.pk).update(start_time=build.day(10.5))
    )
    assert refused(lambda: NonBusyTime.objects.bulk_create(rows))

    assert sorted(NonBusyTime.objects.values_list("start_time", flat=True)) == [
        build.day(10),
        build.day(12),
    ]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_writers_past_the_actions_can_neither_overlap_nor_lose_a_time():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    has_written, outcome = threading.Event(), {}

    def write_after_the_first() -> None:
        has_written.wait(PATIENCE)
        outcome["touching"] = refused(
            lambda: build.window(calendar, mina, build.day(11), build.day(12))
        )
        outcome["overlapping"] = refused(
            lambda: build.window(calendar, mina, build.day(10.5), build.day(11))
        )
        connection.close()

    second = threading.Thread(target=write_after_the_first)
    second.start()
    with transaction.atomic():
        build.window(calendar, mina, build.day(10), build.day(11))
        has_written.set()
        second.join(0.5)  # it waits for us at the seat
        assert not outcome
    second.join(PATIENCE)

    assert outcome == {"touching": False, "overlapping": True}
    assert_packed()
    assert NonBusyTime.objects.count() == 2


# Only who has a seat gives times ------------------------------------------------------------------


def test_times_need_a_seat():
    mina, sam = build.user(), build.user()
    calendar, other = build.calendar(owner=mina, participants=[sam]), build.calendar(owner=mina)
    window = build.window(calendar, sam, build.day(10), build.day(11))
    ways = {
        "add": lambda: build.window(other, sam, build.day(10), build.day(11)),
        "to another calendar": lambda: NonBusyTime.objects.filter(pk=window.pk).update(
            calendar=other
        ),
        "to another person": lambda: NonBusyTime.objects.filter(pk=window.pk).update(
            user=build.user()
        ),
        "from under them": lambda: CalendarParticipant.objects.filter(
            calendar=calendar, user=sam
        ).update(user=build.user()),
    }

    assert all(refused(way) for way in ways.values())
    assert NonBusyTime.objects.get().calendar == calendar

    drop_seat_guard()
    assert not refused(ways["add"])


# What is derived is never stale -------------------------------------------------------------------


def entry(window: NonBusyTime) -> str:
    """Whole minutes: the start rounded up, the end rounded down."""
    start, end = -((EPOCH - window.start_time) // MINUTE), (window.end_time - EPOCH) // MINUTE
    return f";{start:08x}{end - start:06x}{window.preference_level:02x}" if end > start else ""


def assert_packed() -> None:
    seats = CalendarParticipant.objects.all()
    packed = {
        (seat.calendar_id, seat.user_id): sorted(seat.packed.split(";")[1:]) for seat in seats
    }
    expected = {key: [] for key in packed}
    for window in NonBusyTime.objects.all():
        if (window.calendar_id, window.user_id) in expected and entry(window):
            expected[window.calendar_id, window.user_id].append(entry(window)[1:])
    assert packed == {key: sorted(entries) for key, entries in expected.items()}


class Scribbler:
    """Writes times in every way the ORM knows, at random, refused or not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.people = [build.user() for _ in range(3)]
        self.calendars = [build.calendar(owner=person) for person in self.people[:2]]
        self.ways = [
            self.add,
            self.add,
            self.add_many,
            self.change,
            self.shift,
            self.rate,
            self.hand_on,
            self.drop,
            self.drop_some,
        ]
        self.ways += [self.add, self.add_many, self.leave, self.come_back, self.come_back]

    def scribble(self) -> None:
        while not NonBusyTime.objects.exists():
            refused(self.add)
        refused(self.random.choice(self.ways))

    def moment(self) -> datetime:
        fraction = self.random.choice(
            [0, 0, 0, 1, 30_000_000, 59_000_000, 59_999_999, self.random.randrange(60_000_000)]
        )
        return build.day() + self.random.randrange(240) * MINUTE + timedelta(microseconds=fraction)

    def period(self) -> dict[str, datetime]:
        start = self.moment()
        seconds = self.random.choice([0.000001, 20, 59.999999, 60, 61.5, 600, 1200])
        return {"start_time": start, "end_time": start + timedelta(seconds=seconds)}

    def place(self) -> dict[str, Any]:
        """Give a seat, or now and then somebody without one."""
        if self.random.random() < 0.2:
            return {
                "calendar": self.random.choice(self.calendars),
                "user": self.random.choice(self.people),
            }
        seat = self.random.choice(CalendarParticipant.objects.order_by("calendar__owner", "user"))
        return {"calendar": seat.calendar, "user": seat.user}

    def new(self) -> NonBusyTime:
        return NonBusyTime(
            **self.place(), **self.period(), preference_level=self.random.randrange(11)
        )

    def some(self):
        every = list(
            NonBusyTime.objects.order_by("start_time", "user").values_list("pk", flat=True)
        )
        return NonBusyTime.objects.filter(pk__in=self.random.sample(every, len(every) // 3))

    def one(self):
        return NonBusyTime.objects.order_by("start_time", "id").first()

    def add(self) -> None:
        self.new().save(force_insert=True)

    def add_many(self) -> None:
        NonBusyTime.objects.bulk_create([self.new() for _ in range(3)], ignore_conflicts=False)

    def change(self) -> None:
        window = self.one()
        for name, value in self.period().items():
            setattr(window, name, value)
        window.save()

    def shift(self) -> None:
        self.some().update(
            start_time=F("start_time") - timedelta(days=1),
            end_time=F("end_time") - timedelta(days=1),
        )

    def rate(self) -> None:
        self.some().update(preference_level=self.random.randrange(11))

    def hand_on(self) -> None:
        self.some().update(**self.place())

    def drop(self) -> None:
        self.one().delete()

    def drop_some(self) -> None:
        self.some().delete()

    def leave(self) -> None:
        CalendarParticipant.objects.exclude(user=self.people[0]).order_by("-joined_at")[
            :1
        ].get().delete()

    def come_back(self) -> None:
        build.participant(self.random.choice(self.calendars), self.random.choice(self.people))


@pytest.mark.parametrize("seed", range(4))
def test_packed_times_are_true_after_any_writes(seed):
    scribbler = Scribbler(seed)

    packed = 0
    for _ in range(60):
        scribbler.scribble()
        assert_packed()
        packed = max(
            packed, sum(len(seat.packed) // 17 for seat in CalendarParticipant.objects.all())
        )

    assert packed >= 3


@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_packed_times_need_their_triggers(event):
    scribbler = Scribbler(1)
    drop_trigger(f"pack_on_{event}", "calendars_nonbusytime")

    with pytest.raises(AssertionError):  # noqa: PT012 (any step can fail)
        for _ in range(80):
            scribbler.scribble()
            assert_packed()


def test_a_time_ends_in_the_minute_before_its_last_microsecond():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    window = build.window(
        calendar,
        mina,
        datetime(2027, 12, 31, 23, 0, tzinfo=UTC),
        datetime(2027, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    )

    assert calendar.participants.get().packed == entry(window)
    assert int(entry(window)[9:15], 16) == 59


def test_who_leaves_takes_their_times_and_places_along():
    mina, sam = build.user(), build.user()
    calendar, other = (build.calendar(owner=mina, participants=[sam]) for _ in range(2))
    for where in (calendar, other):
        for who in (mina, sam):
            build.window(where, who, build.day(10), build.day(11))
        build.meeting(calendar=where, required=[sam])

    calendar.participants.get(user=sam).delete()

    assert NonBusyTime.objects.filter(user=sam).get().calendar == other
    assert MeetingAttendee.objects.get().meeting.calendar == other
    assert NonBusyTime.objects.filter(user=mina).count() == 2


# The version grows with all that availability depends on ------------------------------------------


def changes_of_version(change) -> dict[str, bool]:
    before = dict(Calendar.objects.values_list("name", "version"))
    change()
    return {
        name: version > before[name]
        for name, version in Calendar.objects.values_list("name", "version")
    }


def test_every_change_that_availability_depends_on_raises_the_version_of_that_calendar_alone():
    mina, sam, iris = build.user(), build.user(), build.user()
    calendar = build.calendar(owner=mina, participants=[sam], name="this")
    other = build.calendar(owner=iris, name="that")
    window = build.window(calendar, sam, build.day(10), build.day(11))
    build.window(other, iris, build.day(10), build.day(11))
    rows = NonBusyTime.objects.filter(pk=window.pk)
    changes = {
        "add": lambda: build.window(calendar, mina, build.day(8), build.day(9)),
        "move": lambda: rows.update(end_time=build.day(12)),
        "rate": lambda: rows.update(preference_level=9),
        "delete": rows.delete,
        "require": lambda: calendar.participants.filter(user=sam).update(required=False),
        "rename": lambda: User.objects.filter(pk=sam.pk).update(first_name="Samuel"),
        "another user name": lambda: User.objects.filter(pk=sam.pk).update(username="samuel"),
        "leave": lambda: calendar.participants.filter(user=sam).delete(),
        "join": lambda: build.participant(calendar, sam),
        "erase": sam.delete,
    }

    for what, change in changes.items():
        assert changes_of_version(change) == {"this": True, "that": False}, what


def test_a_rename_raises_the_version_of_every_calendar_of_that_person():
    sam = build.user()
    for name in "abc":
        build.calendar(participants=[sam], name=name)

    assert all(
        changes_of_version(lambda: User.objects.filter(pk=sam.pk).update(last_name="New")).values()
    )


def test_a_change_that_nobody_sees_leaves_the_version():
    sam = build.user()
    build.calendar(participants=[sam], name="this")

    assert changes_of_version(
        lambda: User.objects.filter(pk=sam.pk).update(email="new@example.org")
    ) == {"this": False}


# Rows that make no sense --------------------------------------------------------------------------


def test_rows_that_make_no_sense_are_refused():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    ten, eleven = build.day(10), build.day(11)
    century = datetime(2000, 1, 1, tzinfo=UTC)

    def window(start: datetime, end: datetime, preference: int = 5):
        return lambda: build.window(calendar, mina, start, end, preference)

    bad = {
        "no length": window(ten, ten),
        "backwards": window(eleven, ten),
        "preference 11": window(ten, eleven, 11),
        "preference -1": window(ten, eleven, -1),
        "last century": window(century - timedelta(hours=2), century),
        "next century": window(
            datetime(2099, 12, 31, 23, tzinfo=UTC), datetime(2100, 1, 1, 0, 0, 1, tzinfo=UTC)
        ),
        "window of a calendar": lambda: build.calendar(window_start=eleven, window_end=ten),
        "duration of a calendar": lambda: build.calendar(duration_minutes=0),
        "bounds of a meeting": lambda: build.meeting(
            calendar=calendar, earliest=eleven, latest=ten
        ),
        "duration of a meeting": lambda: build.meeting(calendar=calendar, duration_minutes=0),
        "contact of oneself": lambda: Contact.objects.create(
            owner=mina, contactee=mina, created_at=ten
        ),
    }
    for what, write in bad.items():
        assert refused(write), what

    assert NonBusyTime.objects.count() == Meeting.objects.count() == Contact.objects.count() == 0
    assert not refused(window(century, century + timedelta(hours=1)))
    assert not refused(
        window(datetime(2099, 12, 31, 23, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    )


def test_rows_that_exist_already_are_refused():
    mina, sam, iris = build.user(), build.user(), build.user()
    calendar = build.calendar(owner=mina, participants=[sam])
    meeting = build.meeting(calendar=calendar, required=[sam])
    build.invitation(calendar, iris)
    Invitation.objects.create(calendar=calendar, sender=mina, email="guest@example.org")
    build.suggestion(meeting, sam, build.day(10))
    Contact.objects.create(owner=mina, contactee=sam, created_at=build.day())
    again = {
        "seat": lambda: build.participant(calendar, sam),
        "place": lambda: MeetingAttendee.objects.create(meeting=meeting, user=sam),
        "invitation": lambda: build.invitation(calendar, iris),
        "invitation of an address": lambda: Invitation.objects.create(
            calendar=calendar, sender=mina, email="guest@example.org"
        ),
        "suggestion": lambda: build.suggestion(meeting, mina, build.day(10)),
        "contact": lambda: Contact.objects.create(
            owner=mina, contactee=sam, created_at=build.day()
        ),
    }
    for what, write in again.items():
        assert refused(write), what

    Invitation.objects.filter(receiver=iris).update(status="declined")
    assert not refused(lambda: build.invitation(calendar, iris))


@pytest.mark.parametrize(
    ("taken", "same"),
    [
        ("mina", "MINA"),
        ("Jürgen", "JÜRGEN"),
        ("Ωmega", "ωMEGA"),
        ("ﬁne", "FINE"),
        ("straße", "STRASSE"),
    ],
)
def test_names_and_addresses_are_unique_whatever_their_case(taken, same):
    def store(username: str, email: str) -> None:
        """Past every check of the actions."""
        user = User.objects.create(username=username, email=email)
        UserSetting.objects.create(
            user=user, username_key=canonical(username), email_key=canonical(email)
        )

    store(taken, "first@example.org")
    store("other", f"{taken}@example.org")

    assert refused(lambda: store(same, "free@example.org"))
    assert refused(lambda: store("free", f"{same}@EXAMPLE.org"))
    assert not refused(lambda: store("free", "free@example.org"))


def test_accounts_of_djangos_own_commands_are_unique_whatever_their_case_too():
    User.objects.create(username="root", email="root@example.org")
    User.objects.create(username="nobody", email="")

    assert refused(lambda: User.objects.create(username="ROOT", email="other@example.org"))
    assert refused(lambda: User.objects.create(username="other", email="Root@example.org"))
    assert not refused(lambda: User.objects.create(username="noaddress", email=""))


# Migrations ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_migrations_go_back_and_forth_with_the_data_in_place():
    mina = build.user()
    calendar = build.calendar(owner=mina)
    build.window(calendar, mina, build.day(10), build.day(11))
    try:
        call_command("migrate", "calendars", "0001", verbosity=0)
        build.window(calendar, mina, build.day(10.5), build.day(12))  # nothing guards it now
        NonBusyTime.objects.filter(start_time=build.day(10)).delete()
        build.window(calendar, mina, build.day(12, days=31), build.day(13, days=31), 10)
    finally:
        call_command("migrate", verbosity=0)

    assert_packed()
    assert len(calendar.participants.get().packed) == 2 * 17
    assert refused(lambda: build.window(calendar, mina, build.day(11), build.day(13)))


@pytest.mark.django_db(transaction=True)
def test_every_room_can_be_taken_down_and_set_up_again():
    build.calendar()
    try:
        for room in ("calendars", "contacts", "mail", "accounts", "core"):
            call_command("migrate", room, "zero", verbosity=0)
        tables = set(connection.introspection.table_names())
        assert not [
            table
            for table in tables
            if table.startswith(("calendars_", "contacts_", "mail_", "accounts_", "core_"))
        ]
    finally:
        call_command("migrate", verbosity=0)

    mina = build.user()
    build.window(build.calendar(owner=mina), mina, build.day(10), build.day(11))
    assert_packed()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["calendar", "calendarparticipant", "meeting", "nonbusytime"])
def test_a_new_field_loses_no_guard(table):
    migration = MigrationKeepingTriggers("new_field", "calendars")
    migration.operations = [AddField(table, "dress_code", TextField(default=""))]
    state, before = MigrationLoader(connection).project_state(), guards_in_the_database()

    with connection.schema_editor() as editor:
        migration.apply(state.clone(), editor)
    after = guards_in_the_database()
    with connection.schema_editor() as editor:
        migration.unapply(state, editor)

    assert before == after == guards_in_the_database()


# The files that hold the present state


def guards_in_the_database() -> dict[str, str]:
    """Return the triggers, functions and the key to the seat, as the database writes them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return dict(cursor.fetchall())
        guards = {}
        for statement in (
            """SELECT proname, pg_get_functiondef(oid) FROM pg_proc
               WHERE proname LIKE 'calendars\\_%' AND pronamespace = 'public'::regnamespace""",
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
               WHERE conname = 'non_busy_times_of_a_seat'""",
        ):
            cursor.execute(statement)
            guards |= dict(cursor.fetchall())
        return guards


def test_the_file_holds_what_a_migrated_database_has():
    script = (GUARDS / f"{connection.vendor}.sql").read_text()
    named = set(re.findall(r"(?:TRIGGER|FUNCTION|ADD CONSTRAINT) (\w+)(?=\s|\()", script)) - {"IF"}
    migrated = guards_in_the_database()

    with transaction.atomic(), connection.cursor() as cursor:
        for name in migrated if connection.vendor == "sqlite" else ():
            cursor.execute(f"DROP TRIGGER {name}")
        carry_out(cursor, script)
        assert guards_in_the_database() == migrated
        transaction.set_rollback(True)

    assert named >= migrated.keys()


def carry_out(cursor: Any, script: str) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(script)
        return
    for statement in re.split(r";\n(?=\n|CREATE)", script.rstrip() + "\n"):
        if statement.strip():
            cursor.execute(statement.rstrip().removesuffix(";"))
