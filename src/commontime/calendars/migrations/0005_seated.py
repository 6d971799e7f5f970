"""Only who has a seat in a calendar gives times there: the database refuses others, and the times go with the seat.

On PostgreSQL that is one foreign key to the seat, which stands for those to the calendar and the user, since the seat has both: with twenty
times in one statement, two keys a row were a quarter of the server's work. The same statement that packs a person's times now looks whether
any two overlap. It runs for each statement, not for each row, and the index of the exclusion constraint, dear to keep, lured the planner
into reading by it. As the statement raises the seat's row, two at once wait for each other there, and the second looks at what the first left.
"""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# VOLATILE, so that whoever waited for the seat's row sees the times that were committed meanwhile. With the plan it has: by itself the
# server plans this anew each time, because it takes a calendar that is newer than its statistics for an empty one.
POSTGRESQL = """
DELETE FROM calendars_nonbusytime w WHERE NOT EXISTS (
    SELECT 1 FROM calendars_calendarparticipant p WHERE p.calendar_id = w.calendar_id AND p.user_id = w.user_id);
ALTER TABLE calendars_nonbusytime
    DROP CONSTRAINT calendars_nonbusytim_calendar_id_4dac8461_fk_calendars,
    DROP CONSTRAINT calendars_nonbusytime_user_id_e8b7005b_fk_auth_user_id,
    DROP CONSTRAINT non_busy_times_apart,
    ADD CONSTRAINT non_busy_times_of_a_seat FOREIGN KEY (calendar_id, user_id)
        REFERENCES calendars_calendarparticipant (calendar_id, user_id) ON DELETE CASCADE;
DROP TRIGGER pack_first ON calendars_calendarparticipant;
DROP FUNCTION calendars_pack_first;

CREATE OR REPLACE FUNCTION calendars_packed(calendar uuid, person integer) RETURNS text LANGUAGE plpgsql VOLATILE
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE made text; clash boolean; BEGIN
    SELECT coalesce(string_agg(';' || lpad(to_hex((first << 32) | ((past - first) << 8) | preference_level), 16, '0'), '' ORDER BY start_time)
                    FILTER (WHERE past > first), ''),
           bool_or(start_time < end_before)
    INTO made, clash
    FROM (SELECT start_time, preference_level, lag(end_time) OVER (ORDER BY start_time) AS end_before,
                 ceil(date_part('epoch', start_time) / 60)::bigint AS first, floor(date_part('epoch', end_time) / 60)::bigint AS past
          FROM calendars_nonbusytime WHERE calendar_id = calendar AND user_id = person) AS minutes;
    IF clash THEN
        RAISE EXCLUSION_VIOLATION USING MESSAGE = 'Two times of one person overlap.', CONSTRAINT = 'non_busy_times_apart';
    END IF;
    RETURN made; END $$;
CREATE OR REPLACE FUNCTION calendars_pack() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE seat record; BEGIN
    -- One by one: joined with what changed, the update takes a quarter more.
    FOR seat IN SELECT DISTINCT calendar_id, user_id FROM changed LOOP
        UPDATE calendars_calendarparticipant SET packed = calendars_packed(seat.calendar_id, seat.user_id)
        WHERE calendar_id = seat.calendar_id AND user_id = seat.user_id;
    END LOOP;
    RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION calendars_clear_seat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM calendars_meetingattendee a USING old_rows o, calendars_meeting m
    WHERE a.meeting_id = m.id AND m.calendar_id = o.calendar_id AND a.user_id = o.user_id;
    RETURN NULL; END $$;
"""

GUARDS = import_module("commontime.calendars.migrations.0002_guards")


def _as_before(function: str) -> str:
    """Return the statement that makes a function again what 0002 made it."""
    start = GUARDS.POSTGRESQL.index(f"FUNCTION {function}(")
    return f"CREATE OR REPLACE {GUARDS.POSTGRESQL[start : GUARDS.POSTGRESQL.index('END $$;', start)]}END $$;"


POSTGRESQL_BACK = f"""
{_as_before("calendars_pack")}
{_as_before("calendars_clear_seat")}
{_as_before("calendars_packed")}
{_as_before("calendars_pack_first")}
CREATE TRIGGER pack_first BEFORE INSERT ON calendars_calendarparticipant FOR EACH ROW EXECUTE FUNCTION calendars_pack_first();
ALTER TABLE calendars_nonbusytime
    DROP CONSTRAINT non_busy_times_of_a_seat,
    ADD CONSTRAINT calendars_nonbusytim_calendar_id_4dac8461_fk_calendars FOREIGN KEY (calendar_id)
        REFERENCES calendars_calendar (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT calendars_nonbusytime_user_id_e8b7005b_fk_auth_user_id FOREIGN KEY (user_id)
        REFERENCES auth_user (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT non_busy_times_apart EXCLUDE USING gist (user_id WITH =, calendar_id WITH =, tstzrange(start_time, end_time) WITH &&);
"""

_NO_SEAT = "NOT EXISTS (SELECT 1 FROM calendars_calendarparticipant p WHERE p.calendar_id = {row}.calendar_id AND p.user_id = {row}.user_id)"
SQLITE = [
    f"DELETE FROM calendars_nonbusytime AS w WHERE {_NO_SEAT.format(row='w')}",  # noqa: S608 (no input in it)
    "DROP TRIGGER pack_first",
    *(
        f"""
        CREATE TRIGGER non_busy_times_of_a_seat_{event} BEFORE {event} ON calendars_nonbusytime WHEN {_NO_SEAT.format(row="NEW")}
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_of_a_seat'); END"""
        for event in ("insert", "update")
    ),
    """
    CREATE TRIGGER non_busy_times_keep_their_seat BEFORE UPDATE OF calendar_id, user_id ON calendars_calendarparticipant
    WHEN (OLD.calendar_id <> NEW.calendar_id OR OLD.user_id <> NEW.user_id) AND EXISTS (
        SELECT 1 FROM calendars_nonbusytime w WHERE w.calendar_id = OLD.calendar_id AND w.user_id = OLD.user_id)
    BEGIN SELECT RAISE(ABORT, 'non_busy_times_of_a_seat'); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER non_busy_times_keep_their_seat",
    "DROP TRIGGER non_busy_times_of_a_seat_insert",
    "DROP TRIGGER non_busy_times_of_a_seat_update",
    next(statement for statement in GUARDS.SQLITE if "TRIGGER pack_first" in statement),
]
INDEXES = [("calendars_nonbusytime_calendar_id_4dac8461", "calendar_id"), ("calendars_nonbusytime_user_id_e8b7005b", "user_id")]


def forwards(apps, schema_editor):
    for statement in [POSTGRESQL] if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def backwards(apps, schema_editor):
    for statement in [POSTGRESQL_BACK] if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("calendars", "0004_plan_worked_at")]
    operations = [
        migrations.RunPython(forwards, backwards),
        # One index for both keys of SQLite and for a seat's times; those that Django made for each key are two more to keep.
        migrations.RemoveIndex("nonbusytime", "non_busy_times_of_a_person"),
        migrations.AddIndex(
            "nonbusytime", models.Index(fields=["user", "calendar", "start_time"], name="non_busy_times_of_a_person")
        ),
        migrations.SeparateDatabaseAndState(
            # By hand, because on SQLite Django would make the table anew, without its triggers.
            [migrations.RunSQL(f"DROP INDEX {name}", f"CREATE INDEX {name} ON calendars_nonbusytime ({column})") for name, column in INDEXES],
            [
                migrations.AlterField(
                    "nonbusytime",
                    name,
                    models.ForeignKey(
                        to, db_index=False, on_delete=django.db.models.deletion.DB_CASCADE, related_name="non_busy_times"
                    ),
                )
                for name, to in (("user", settings.AUTH_USER_MODEL), ("calendar", "calendars.calendar"))
            ],
        ),
    ]
