-- 周边 places: where something public is, and when it is open; see package place.
-- +goose Up

-- position is CGCS2000 degrees, (longitude, latitude). hours is what people
-- wrote, NULL where nobody knows; the ranges beside it are the same for
-- conditions: minutes, in a lane of two days for each day, so that a night's
-- hours stay with the day on which they began. weekly has the lanes 0 (Monday)
-- to 6; exception_days are days since 1970-01-01, and exception_open has a
-- lane for each of those.
CREATE TABLE platform.place (
    id             uuid PRIMARY KEY,
    name           text           NOT NULL CHECK (length(name) BETWEEN 2 AND 60),
    kind           text           NOT NULL CHECK (kind IN ('SERVICE_HALL', 'COMMUNITY_CENTRE', 'HOSPITAL', 'PHARMACY', 'SCHOOL', 'KINDERGARTEN',
        'ELDERLY_CARE', 'PARK', 'CULTURE', 'SPORTS', 'POLICE', 'BUS_STOP', 'METRO_STATION', 'TOILET', 'CHARGING', 'PARKING', 'MARKET', 'BANK')),
    area_code      text COLLATE "C" NOT NULL REFERENCES platform.area (code),
    address        text           NOT NULL CHECK (length(address) BETWEEN 2 AND 120),
    telephone      text           CHECK (length(telephone) <= 20), -- a public one
    position       point          NOT NULL CHECK (position[0] BETWEEN -180 AND 180 AND position[1] BETWEEN -90 AND 90),
    state          text           NOT NULL DEFAULT 'OPERATING' CHECK (state IN ('OPERATING', 'CLOSED')),
    closed_reason  text           CHECK ((closed_reason IS NOT NULL) = (state = 'CLOSED')),
    hours          jsonb,
    weekly         int4multirange CHECK ((weekly IS NULL) = (hours IS NULL)),
    exception_days int4multirange NOT NULL DEFAULT '{}',
    exception_open int4multirange NOT NULL DEFAULT '{}',
    search         tsvector       NOT NULL,
    version        integer        NOT NULL DEFAULT 1,
    created_at     timestamptz    NOT NULL,
    updated_at     timestamptz    NOT NULL
);
CREATE INDEX place_position ON platform.place USING gist (position) WHERE state = 'OPERATING';
CREATE INDEX place_kind ON platform.place (kind) WHERE state = 'OPERATING';
CREATE INDEX place_area ON platform.place (area_code, id) WHERE state = 'OPERATING';
CREATE INDEX place_search ON platform.place USING gin (search) WHERE state = 'OPERATING';

-- Metres along the great circle (haversine), as position.Distance has it.
CREATE FUNCTION platform.distance_metres(place point, longitude float8, latitude float8) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    2 * 6371008.8 * asin(least(1, sqrt(
        sin(radians(place[1] - latitude) / 2) * sin(radians(place[1] - latitude) / 2)
        + cos(radians(latitude)) * cos(radians(place[1])) * sin(radians(place[0] - longitude) / 2) * sin(radians(place[0] - longitude) / 2))));

-- Whether hours hold a minute of a day: those of its own lane, and what the
-- day before reached over midnight. day counts from 1970-01-01, a Thursday. NULL where nobody knows.
CREATE FUNCTION platform.place_open(weekly int4multirange, exception_days int4multirange, exception_open int4multirange, day integer, minute integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN weekly IS NULL THEN NULL ELSE
        CASE WHEN exception_days @> day THEN exception_open @> day * 2880 + minute
             ELSE weekly @> (day + 3) % 7 * 2880 + minute END
        OR CASE WHEN exception_days @> day - 1 THEN exception_open @> (day - 1) * 2880 + minute + 1440
             ELSE weekly @> (day + 2) % 7 * 2880 + minute + 1440 END
    END;

-- Everybody may see places; who may manage them changes those of the own scope.
ALTER TABLE platform.place ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.place FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON platform.place FOR SELECT USING (true);
CREATE POLICY system_insert ON platform.place FOR INSERT WITH CHECK (current_setting('app.kind', true) = 'system');
CREATE POLICY manage_insert ON platform.place FOR INSERT
    WITH CHECK (current_setting('app.kind', true) = 'worker'
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
        AND 'place.manage' = ANY ((SELECT string_to_array(current_setting('app.actions', true), ','))::text[]));
CREATE POLICY manage_update ON platform.place FOR UPDATE
    USING (current_setting('app.kind', true) = 'worker'
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
        AND 'place.manage' = ANY ((SELECT string_to_array(current_setting('app.actions', true), ','))::text[]));
GRANT SELECT, INSERT, UPDATE ON platform.place TO citizencloud_app;

-- +goose Down
DROP TABLE platform.place;
DROP FUNCTION platform.distance_metres, platform.place_open;
