-- The guards of calendars as they are now, which the ORM has no words for.
--
-- A migration that changes one changes it here, and carries this whole file out. A test compares a
-- migrated database with it (tests/calendars/test_guards.py).
--
-- * One person's non-busy times in a calendar never overlap, and only who has a seat gives any.
-- * Whoever loses their seat loses their times and their places in the calendar's meetings.
-- * `packed` is a person's times in whole minutes, each as `;` and 16 hex digits: 8 of the start
--   since the epoch (rounded up), 6 of the length, 2 of the preference.
-- * Any change of a participant, their name included, raises the calendar's version.

CREATE OR REPLACE FUNCTION calendars_clear_seat()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    DELETE FROM calendars_meetingattendee a USING old_rows o, calendars_meeting m
    WHERE a.meeting_id = m.id AND m.calendar_id = o.calendar_id AND a.user_id = o.user_id;
    RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION calendars_pack()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ DECLARE seat record; BEGIN
    -- One by one: joined with what changed, the update takes a quarter more.
    FOR seat IN SELECT DISTINCT calendar_id, user_id FROM changed LOOP
        UPDATE calendars_calendarparticipant SET packed = calendars_packed(seat.calendar_id, seat.user_id)
        WHERE calendar_id = seat.calendar_id AND user_id = seat.user_id;
    END LOOP;
    RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION calendars_pack_both()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    UPDATE calendars_calendarparticipant p SET packed = calendars_packed(p.calendar_id, p.user_id)
    FROM (SELECT calendar_id, user_id FROM changed UNION SELECT calendar_id, user_id FROM old_rows) c
    WHERE p.calendar_id = c.calendar_id AND p.user_id = c.user_id;
    RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION calendars_packed(calendar uuid, person integer)
 RETURNS text
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
    RETURN made; END $function$;

CREATE OR REPLACE FUNCTION calendars_raise_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    UPDATE calendars_calendar SET version = version + 1 WHERE id IN (SELECT calendar_id FROM changed); RETURN NULL; END $function$;

CREATE OR REPLACE FUNCTION calendars_renamed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN
    -- In one order, so that two renames at once can't wait for each other.
    UPDATE calendars_calendar SET version = version + 1
    WHERE id IN (SELECT c.id FROM calendars_calendar c JOIN calendars_calendarparticipant p ON p.calendar_id = c.id
                 WHERE p.user_id = NEW.id ORDER BY c.id FOR NO KEY UPDATE OF c);
    RETURN NULL; END $function$;

DROP TRIGGER IF EXISTS clear_seat ON calendars_calendarparticipant;
CREATE TRIGGER clear_seat AFTER DELETE ON calendars_calendarparticipant REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION calendars_clear_seat();

DROP TRIGGER IF EXISTS pack_on_delete ON calendars_nonbusytime;
CREATE TRIGGER pack_on_delete AFTER DELETE ON calendars_nonbusytime REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack();

DROP TRIGGER IF EXISTS pack_on_insert ON calendars_nonbusytime;
CREATE TRIGGER pack_on_insert AFTER INSERT ON calendars_nonbusytime REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack();

DROP TRIGGER IF EXISTS pack_on_update ON calendars_nonbusytime;
CREATE TRIGGER pack_on_update AFTER UPDATE ON calendars_nonbusytime REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_pack_both();

DROP TRIGGER IF EXISTS version_on_delete ON calendars_calendarparticipant;
CREATE TRIGGER version_on_delete AFTER DELETE ON calendars_calendarparticipant REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();

DROP TRIGGER IF EXISTS version_on_insert ON calendars_calendarparticipant;
CREATE TRIGGER version_on_insert AFTER INSERT ON calendars_calendarparticipant REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();

DROP TRIGGER IF EXISTS version_on_rename ON auth_user;
CREATE TRIGGER version_on_rename AFTER UPDATE OF username, first_name, last_name ON auth_user FOR EACH ROW EXECUTE FUNCTION calendars_renamed();

DROP TRIGGER IF EXISTS version_on_update ON calendars_calendarparticipant;
CREATE TRIGGER version_on_update AFTER UPDATE ON calendars_calendarparticipant REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION calendars_raise_version();

ALTER TABLE calendars_nonbusytime DROP CONSTRAINT IF EXISTS non_busy_times_of_a_seat;
ALTER TABLE calendars_nonbusytime ADD CONSTRAINT non_busy_times_of_a_seat
    FOREIGN KEY (calendar_id, user_id) REFERENCES calendars_calendarparticipant(calendar_id, user_id) ON DELETE CASCADE;
