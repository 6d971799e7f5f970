"""Guards the ORM has no words for, written for each database.

One person's non-busy times in a calendar never overlap. PostgreSQL: an exclusion constraint over a GiST index. SQLite: triggers, which are
enough there because one transaction writes at a time. (Since 0005 PostgreSQL looks for overlaps where it packs.)

Who loses their seat in a calendar loses their times and their places in its meetings with it.

What is derived can't be stale, whoever writes. `CalendarParticipant.packed` is the person's non-busy times in whole minutes (start rounded up,
end rounded down), each as `;` + 8 hex digits of the start since the epoch + 6 of the length + 2 of the preference; every change of rows keeps it
true. Any change of a participant, their name included, raises the calendar's version.
"""

from django.db import migrations

POSTGRESQL = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE calendars_nonbusytime ADD CONSTRAINT non_busy_times_apart
    EXCLUDE USING gist (user_id WITH =, calendar_id WITH =, tstzrange(start_time, end_time) WITH &&);

-- In plpgsql although it is one SELECT: a function in sql is planned anew by each statement that calls it.
CREATE FUNCTION calendars_packed(calendar uuid, person integer) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (
    SELECT coalesce(string_agg(';' || lpad(to_hex(first), 8, '0') || lpad(to_hex(past - first), 6, '0') || lpad(to_hex(preference), 2, '0'),
                               '' ORDER BY first), '')
    FROM (SELECT ceil(extract(epoch FROM start_time) / 60)::bigint AS first, floor(extract(epoch FROM end_time) / 60)::bigint AS past,
                 preference_level::integer AS preference
          FROM calendars_nonbusytime WHERE calendar_id = calendar AND user_id = person) AS minutes
    WHERE past > first); END $$;
CREATE FUNCTION calendars_pack() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE calendars_calendarparticipant p SET packed = calendars_packed(p.calendar_id, p.user_id)
    FROM (SELECT DISTINCT calendar_id, user_id FROM changed) c WHERE p.calendar_id = c.calendar_id AND p.user_id = c.user_id;
    RETURN NULL; END $$;
CREATE FUNCTION calendars_pack_both() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE calendars_calendarparticipant p SET packed = calendars_packed(p.calendar_id, p.user_id)
    FROM (SELECT calendar_id, user_id FROM changed UNION SELECT calendar_id, user_id FROM old_rows) c
    WHERE p.calendar_id = c.calendar_id AND p.user_id = c.user_id;
    RETURN NULL; END $$;
CREATE TRIGGER pack_on_insert AFTER INSERT ON calendars_nonbusytime
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack();
CREATE TRIGGER pack_on_update AFTER UPDATE ON calendars_nonbusytime
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack_both();
CREATE TRIGGER pack_on_delete AFTER DELETE ON calendars_nonbusytime
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack();
CREATE FUNCTION calendars_pack_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.packed = calendars_packed(NEW.calendar_id, NEW.user_id); RETURN NEW; END $$;
CREATE TRIGGER pack_first BEFORE INSERT ON calendars_calendarparticipant FOR EACH ROW EXECUTE FUNCTION calendars_pack_first();

CREATE FUNCTION calendars_clear_seat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM calendars_nonbusytime w USING old_rows o WHERE w.calendar_id = o.calendar_id AND w.user_id = o.user_id;
    DELETE FROM calendars_meetingattendee a USING old_rows o, calendars_meeting m
    WHERE a.meeting_id = m.id AND m.calendar_id = o.calendar_id AND a.user_id = o.user_id;
    RETURN NULL; END $$;
CREATE TRIGGER clear_seat AFTER DELETE ON calendars_calendarparticipant
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION calendars_clear_seat();

CREATE FUNCTION calendars_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE calendars_calendar SET version = version + 1 WHERE id IN (SELECT calendar_id FROM changed); RETURN NULL; END $$;
CREATE FUNCTION calendars_renamed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    -- In one order, so that two renames at once can't wait for each other.
    UPDATE calendars_calendar SET version = version + 1
    WHERE id IN (SELECT c.id FROM calendars_calendar c JOIN calendars_calendarparticipant p ON p.calendar_id = c.id
                 WHERE p.user_id = NEW.id ORDER BY c.id FOR NO KEY UPDATE OF c);
    RETURN NULL; END $$;
CREATE TRIGGER version_on_rename AFTER UPDATE OF username, first_name, last_name ON auth_user
    FOR EACH ROW EXECUTE FUNCTION calendars_renamed();
CREATE TRIGGER version_on_insert AFTER INSERT ON calendars_calendarparticipant
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();
CREATE TRIGGER version_on_update AFTER UPDATE ON calendars_calendarparticipant
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();
CREATE TRIGGER version_on_delete AFTER DELETE ON calendars_calendarparticipant
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();

UPDATE calendars_calendarparticipant SET packed = calendars_packed(calendar_id, user_id);
"""

POSTGRESQL_BACK = """
DROP TRIGGER version_on_rename ON auth_user;
DROP TRIGGER version_on_insert ON calendars_calendarparticipant;
DROP TRIGGER version_on_update ON calendars_calendarparticipant;
DROP TRIGGER version_on_delete ON calendars_calendarparticipant;
DROP TRIGGER clear_seat ON calendars_calendarparticipant;
DROP TRIGGER pack_first ON calendars_calendarparticipant;
DROP TRIGGER pack_on_insert ON calendars_nonbusytime;
DROP TRIGGER pack_on_update ON calendars_nonbusytime;
DROP TRIGGER pack_on_delete ON calendars_nonbusytime;
DROP FUNCTION calendars_clear_seat, calendars_renamed, calendars_raise_version, calendars_pack_first,
    calendars_pack_both, calendars_pack, calendars_packed;
ALTER TABLE calendars_nonbusytime DROP CONSTRAINT non_busy_times_apart;
"""

# Django stores a time on SQLite as text that sorts like the time. A fraction of a second is there only when it is not zero; it is cut off
# here because strftime rounds it, up into the next minute.
_START = "((CAST(strftime('%s', substr({row}.start_time, 1, 19)) AS INTEGER) + ({row}.start_time LIKE '%.%') + 59) / 60)"
_END = "(CAST(strftime('%s', substr({row}.end_time, 1, 19)) AS INTEGER) / 60)"
_ENTRY = f"(CASE WHEN {_END} > {_START} THEN printf(';%08x%06x%02x', {_START}, {_END} - {_START}, {{row}}.preference_level) ELSE '' END)"


def _on_windows(event: str, change: str, row: str) -> str:
    return f"""
        CREATE TRIGGER pack_on_{event} AFTER {event} ON calendars_nonbusytime BEGIN
        UPDATE calendars_calendarparticipant SET packed = {change} WHERE calendar_id = {row}.calendar_id AND user_id = {row}.user_id; END"""


def _entry(row: str) -> str:
    return _ENTRY.format(row=row)


def _packed_for(seat: str) -> str:
    return f"""(
        SELECT coalesce(group_concat(entry, ''), '') FROM (
            SELECT {_entry("w")} AS entry FROM calendars_nonbusytime w
            WHERE w.calendar_id = {seat}.calendar_id AND w.user_id = {seat}.user_id ORDER BY w.start_time))"""


SQLITE = [
    *(
        f"""
        CREATE TRIGGER non_busy_times_apart_{event} BEFORE {event} ON calendars_nonbusytime
        WHEN EXISTS (SELECT 1 FROM calendars_nonbusytime o WHERE o.calendar_id = NEW.calendar_id AND o.user_id = NEW.user_id AND o.id <> NEW.id
                     AND o.start_time < NEW.end_time AND o.end_time > NEW.start_time)
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_apart'); END"""
        for event in ("insert", "update")
    ),
    # An empty entry replaces nothing, so rows of less than a minute leave no trace.
    _on_windows("insert", f"packed || {_entry('NEW')}", "NEW"),
    _on_windows("update", f"replace(packed, {_entry('OLD')}, '') || {_entry('NEW')}", "NEW"),
    f"""
    CREATE TRIGGER pack_on_move AFTER UPDATE OF calendar_id, user_id ON calendars_nonbusytime
    WHEN OLD.calendar_id <> NEW.calendar_id OR OLD.user_id <> NEW.user_id BEGIN
    UPDATE calendars_calendarparticipant SET packed = replace(packed, {_entry("OLD")}, '')
    WHERE calendar_id = OLD.calendar_id AND user_id = OLD.user_id; END""",
    _on_windows("delete", f"replace(packed, {_entry('OLD')}, '')", "OLD"),
    f"""
    CREATE TRIGGER pack_first AFTER INSERT ON calendars_calendarparticipant
    WHEN EXISTS (SELECT 1 FROM calendars_nonbusytime w WHERE w.calendar_id = NEW.calendar_id AND w.user_id = NEW.user_id) BEGIN
    UPDATE calendars_calendarparticipant SET packed = {_packed_for("NEW")} WHERE id = NEW.id; END""",
    """
    CREATE TRIGGER clear_seat AFTER DELETE ON calendars_calendarparticipant BEGIN
    DELETE FROM calendars_nonbusytime WHERE calendar_id = OLD.calendar_id AND user_id = OLD.user_id;
    DELETE FROM calendars_meetingattendee WHERE user_id = OLD.user_id
        AND meeting_id IN (SELECT id FROM calendars_meeting WHERE calendar_id = OLD.calendar_id); END""",
    """
    CREATE TRIGGER version_on_rename AFTER UPDATE OF username, first_name, last_name ON auth_user BEGIN
    UPDATE calendars_calendar SET version = version + 1
    WHERE id IN (SELECT calendar_id FROM calendars_calendarparticipant WHERE user_id = NEW.id); END""",
    *(
        f"""
        CREATE TRIGGER version_on_{event} AFTER {event} ON calendars_calendarparticipant
        BEGIN UPDATE calendars_calendar SET version = version + 1 WHERE id = {row}.calendar_id; END"""
        for event, row in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))
    ),
]
SQLITE_TRIGGERS = [statement.split("CREATE TRIGGER ")[1].split()[0] for statement in SQLITE]
SQLITE.append(f"UPDATE calendars_calendarparticipant SET packed = {_packed_for('calendars_calendarparticipant')}")


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement, params=None)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)
    else:
        for trigger in SQLITE_TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER {trigger}", params=None)


class Migration(migrations.Migration):
    dependencies = [("calendars", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(forwards, backwards)]
