-- The guards of calendars as they are now, which the ORM has no words for.
--
-- A migration that changes one changes it here, and carries this whole file out. A test compares a
-- migrated database with it (tests/calendars/test_guards.py). A migration that changes a table is a
-- MigrationKeepingTriggers (core/triggers.py).
--
-- * One person's non-busy times in a calendar never overlap, and only who has a seat gives any.
-- * Whoever loses their seat loses their times and their places in the calendar's meetings.
-- * `packed` is a person's times in whole minutes, each as `;` and 16 hex digits: 8 of the start
--   since the epoch (rounded up), 6 of the length, 2 of the preference.
-- * Any change of a participant, their name included, raises the calendar's version.

DROP TRIGGER IF EXISTS clear_seat;
CREATE TRIGGER clear_seat AFTER DELETE ON calendars_calendarparticipant BEGIN
    DELETE FROM calendars_nonbusytime WHERE calendar_id = OLD.calendar_id AND user_id = OLD.user_id;
    DELETE FROM calendars_meetingattendee WHERE user_id = OLD.user_id
        AND meeting_id IN (SELECT id FROM calendars_meeting WHERE calendar_id = OLD.calendar_id); END;

DROP TRIGGER IF EXISTS non_busy_times_apart_insert;
CREATE TRIGGER non_busy_times_apart_insert BEFORE insert ON calendars_nonbusytime
        WHEN EXISTS (SELECT 1 FROM calendars_nonbusytime o WHERE o.calendar_id = NEW.calendar_id AND o.user_id = NEW.user_id AND o.id <> NEW.id
                     AND o.start_time < NEW.end_time AND o.end_time > NEW.start_time)
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_apart'); END;

DROP TRIGGER IF EXISTS non_busy_times_apart_update;
CREATE TRIGGER non_busy_times_apart_update BEFORE update ON calendars_nonbusytime
        WHEN EXISTS (SELECT 1 FROM calendars_nonbusytime o WHERE o.calendar_id = NEW.calendar_id AND o.user_id = NEW.user_id AND o.id <> NEW.id
                     AND o.start_time < NEW.end_time AND o.end_time > NEW.start_time)
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_apart'); END;

DROP TRIGGER IF EXISTS non_busy_times_keep_their_seat;
CREATE TRIGGER non_busy_times_keep_their_seat BEFORE UPDATE OF calendar_id, user_id ON calendars_calendarparticipant
    WHEN (OLD.calendar_id <> NEW.calendar_id OR OLD.user_id <> NEW.user_id) AND EXISTS (
        SELECT 1 FROM calendars_nonbusytime w WHERE w.calendar_id = OLD.calendar_id AND w.user_id = OLD.user_id)
    BEGIN SELECT RAISE(ABORT, 'non_busy_times_of_a_seat'); END;

DROP TRIGGER IF EXISTS non_busy_times_of_a_seat_insert;
CREATE TRIGGER non_busy_times_of_a_seat_insert BEFORE insert ON calendars_nonbusytime WHEN NOT EXISTS (SELECT 1 FROM calendars_calendarparticipant p WHERE p.calendar_id = NEW.calendar_id AND p.user_id = NEW.user_id)
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_of_a_seat'); END;

DROP TRIGGER IF EXISTS non_busy_times_of_a_seat_update;
CREATE TRIGGER non_busy_times_of_a_seat_update BEFORE update ON calendars_nonbusytime WHEN NOT EXISTS (SELECT 1 FROM calendars_calendarparticipant p WHERE p.calendar_id = NEW.calendar_id AND p.user_id = NEW.user_id)
        BEGIN SELECT RAISE(ABORT, 'non_busy_times_of_a_seat'); END;

DROP TRIGGER IF EXISTS pack_on_delete;
CREATE TRIGGER pack_on_delete AFTER delete ON calendars_nonbusytime BEGIN
        UPDATE calendars_calendarparticipant SET packed = replace(packed, (CASE WHEN (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) > ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60) THEN printf(';%08x%06x%02x', ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) - ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), OLD.preference_level) ELSE '' END), '') WHERE calendar_id = OLD.calendar_id AND user_id = OLD.user_id; END;

DROP TRIGGER IF EXISTS pack_on_insert;
CREATE TRIGGER pack_on_insert AFTER insert ON calendars_nonbusytime BEGIN
        UPDATE calendars_calendarparticipant SET packed = packed || (CASE WHEN (CAST(strftime('%s', substr(NEW.end_time, 1, 19)) AS INTEGER) / 60) > ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60) THEN printf(';%08x%06x%02x', ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60), (CAST(strftime('%s', substr(NEW.end_time, 1, 19)) AS INTEGER) / 60) - ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60), NEW.preference_level) ELSE '' END) WHERE calendar_id = NEW.calendar_id AND user_id = NEW.user_id; END;

DROP TRIGGER IF EXISTS pack_on_move;
CREATE TRIGGER pack_on_move AFTER UPDATE OF calendar_id, user_id ON calendars_nonbusytime
    WHEN OLD.calendar_id <> NEW.calendar_id OR OLD.user_id <> NEW.user_id BEGIN
    UPDATE calendars_calendarparticipant SET packed = replace(packed, (CASE WHEN (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) > ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60) THEN printf(';%08x%06x%02x', ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) - ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), OLD.preference_level) ELSE '' END), '')
    WHERE calendar_id = OLD.calendar_id AND user_id = OLD.user_id; END;

DROP TRIGGER IF EXISTS pack_on_update;
CREATE TRIGGER pack_on_update AFTER update ON calendars_nonbusytime BEGIN
        UPDATE calendars_calendarparticipant SET packed = replace(packed, (CASE WHEN (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) > ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60) THEN printf(';%08x%06x%02x', ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), (CAST(strftime('%s', substr(OLD.end_time, 1, 19)) AS INTEGER) / 60) - ((CAST(strftime('%s', substr(OLD.start_time, 1, 19)) AS INTEGER) + (OLD.start_time LIKE '%.%') + 59) / 60), OLD.preference_level) ELSE '' END), '') || (CASE WHEN (CAST(strftime('%s', substr(NEW.end_time, 1, 19)) AS INTEGER) / 60) > ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60) THEN printf(';%08x%06x%02x', ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60), (CAST(strftime('%s', substr(NEW.end_time, 1, 19)) AS INTEGER) / 60) - ((CAST(strftime('%s', substr(NEW.start_time, 1, 19)) AS INTEGER) + (NEW.start_time LIKE '%.%') + 59) / 60), NEW.preference_level) ELSE '' END) WHERE calendar_id = NEW.calendar_id AND user_id = NEW.user_id; END;

DROP TRIGGER IF EXISTS version_on_delete;
CREATE TRIGGER version_on_delete AFTER delete ON calendars_calendarparticipant
        BEGIN UPDATE calendars_calendar SET version = version + 1 WHERE id = OLD.calendar_id; END;

DROP TRIGGER IF EXISTS version_on_insert;
CREATE TRIGGER version_on_insert AFTER insert ON calendars_calendarparticipant
        BEGIN UPDATE calendars_calendar SET version = version + 1 WHERE id = NEW.calendar_id; END;

DROP TRIGGER IF EXISTS version_on_rename;
CREATE TRIGGER version_on_rename AFTER UPDATE OF username, first_name, last_name ON auth_user BEGIN
    UPDATE calendars_calendar SET version = version + 1
    WHERE id IN (SELECT calendar_id FROM calendars_calendarparticipant WHERE user_id = NEW.id); END;

DROP TRIGGER IF EXISTS version_on_update;
CREATE TRIGGER version_on_update AFTER update ON calendars_calendarparticipant
        BEGIN UPDATE calendars_calendar SET version = version + 1 WHERE id = NEW.calendar_id; END;
