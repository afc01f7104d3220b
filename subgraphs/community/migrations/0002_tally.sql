-- +goose Up
-- Roll-ups of feedback_case for districts, streets and communities, kept by
-- triggers in the transaction of every change, so that they cannot depart from
-- the cases whoever writes them. The city is the sum of its districts: no row
-- is shared by the whole city, and a sharded database keeps each area's rows together.
CREATE TABLE community.feedback_tally (
    area_code text COLLATE "C" NOT NULL,
    class     text NOT NULL,
    state     text NOT NULL,
    cases     bigint NOT NULL,
    rated     bigint NOT NULL, -- cases with a rating
    satisfied bigint NOT NULL, -- of these, with four or five stars
    PRIMARY KEY (area_code, class, state)
);
CREATE TABLE community.feedback_day (
    area_code text COLLATE "C" NOT NULL,
    day       date NOT NULL,   -- Beijing time
    submitted bigint NOT NULL, -- cases submitted on the day
    closed    bigint NOT NULL, -- cases whose present result is of the day
    due       bigint NOT NULL, -- cases still to be dealt with, due on the day
    PRIMARY KEY (area_code, day)
);
CREATE INDEX feedback_day_due ON community.feedback_day (area_code, day) WHERE due <> 0;

-- +goose StatementBegin
CREATE FUNCTION community.feedback_roll_up() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = community, pg_temp AS
$$
DECLARE
    sign int := TG_ARGV[0]; -- 1 counts the rows in, -1 out
BEGIN
    -- One writer a district at a time from here to its commit: an update counts
    -- out and then in, and two of them in opposite order would lock each other out.
    PERFORM pg_advisory_xact_lock(5101, district::int)
    FROM (SELECT DISTINCT district FROM changed ORDER BY district) AS locked;

    INSERT INTO feedback_tally AS t (area_code, class, state, cases, rated, satisfied)
    SELECT level.code, c.class, c.state, sign * count(*), sign * count(c.rating), sign * count(*) FILTER (WHERE c.rating >= 4)
    FROM changed c CROSS JOIN LATERAL (VALUES (c.area_code), (c.street || '000'), (c.district || '000000')) AS level(code)
    GROUP BY level.code, c.class, c.state
    ON CONFLICT (area_code, class, state) DO UPDATE
        SET cases = t.cases + excluded.cases, rated = t.rated + excluded.rated, satisfied = t.satisfied + excluded.satisfied;

    INSERT INTO feedback_day AS t (area_code, day, submitted, closed, due)
    SELECT level.code, dated.day, sign * sum(dated.submitted), sign * sum(dated.closed), sign * sum(dated.due)
    FROM changed c
    CROSS JOIN LATERAL (VALUES (c.area_code), (c.street || '000'), (c.district || '000000')) AS level(code)
    CROSS JOIN LATERAL (VALUES
        ((c.created_at AT TIME ZONE INTERVAL '8 hours')::date, 1, 0, 0),
        ((c.closed_at AT TIME ZONE INTERVAL '8 hours')::date, 0, 1, 0),
        (CASE WHEN c.closed_at IS NULL AND c.waiting_since IS NULL THEN (c.due_at AT TIME ZONE INTERVAL '8 hours')::date END, 0, 0, 1)
    ) AS dated(day, submitted, closed, due)
    WHERE dated.day IS NOT NULL
    GROUP BY level.code, dated.day
    ON CONFLICT (area_code, day) DO UPDATE
        SET submitted = t.submitted + excluded.submitted, closed = t.closed + excluded.closed, due = t.due + excluded.due;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION community.feedback_roll_up() FROM PUBLIC;

CREATE TRIGGER count_1_out AFTER UPDATE ON community.feedback_case
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION community.feedback_roll_up('-1');
CREATE TRIGGER count_2_in AFTER UPDATE ON community.feedback_case
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION community.feedback_roll_up('1');
CREATE TRIGGER count_new AFTER INSERT ON community.feedback_case
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION community.feedback_roll_up('1');
CREATE TRIGGER count_gone AFTER DELETE ON community.feedback_case
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION community.feedback_roll_up('-1');

REVOKE ALL ON community.feedback_tally, community.feedback_day FROM citizencloud_app;
GRANT SELECT ON community.feedback_tally, community.feedback_day TO citizencloud_app;

-- Not FORCE: the trigger writes as the owner on behalf of citizens, who may not read here.
ALTER TABLE community.feedback_tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON community.feedback_tally FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER TABLE community.feedback_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON community.feedback_day FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
