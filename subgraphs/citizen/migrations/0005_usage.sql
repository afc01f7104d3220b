-- +goose Up
-- A citizen's last use of each service.
CREATE TABLE citizen.recent_use (
    citizen_id uuid NOT NULL,
    service_id uuid NOT NULL REFERENCES citizen.service (id),
    used_at    timestamptz NOT NULL,
    PRIMARY KEY (citizen_id, service_id)
);
CREATE INDEX recent_use_newest ON citizen.recent_use (citizen_id, used_at DESC, service_id);

-- Uses that are not counted yet: written by each use with no row in common, so
-- that a popular service is no bottleneck; the roll-up takes them away. They
-- name no citizen.
CREATE TABLE citizen.uncounted_use (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL,
    client     text NOT NULL,
    area_code  text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL
);

-- Counted uses a day (of Chengdu), by district.
CREATE TABLE citizen.daily_use (
    area_code  text COLLATE "C" NOT NULL,
    day        date NOT NULL,
    service_id uuid NOT NULL REFERENCES citizen.service (id),
    client     text NOT NULL,
    uses       bigint NOT NULL,
    PRIMARY KEY (area_code, day, service_id, client)
);
CREATE INDEX daily_use_day ON citizen.daily_use (day);

-- What lists are ordered by: uses in all and in the last thirty days, for each
-- district and for the city as a whole.
CREATE TABLE citizen.popularity (
    area_code  text COLLATE "C" NOT NULL,
    service_id uuid NOT NULL REFERENCES citizen.service (id),
    total      bigint NOT NULL,
    recent     bigint NOT NULL,
    PRIMARY KEY (area_code, service_id)
);
CREATE INDEX popularity_order ON citizen.popularity (area_code, recent DESC, total DESC, service_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON citizen.recent_use, citizen.uncounted_use, citizen.daily_use, citizen.popularity TO citizencloud_app;

ALTER TABLE citizen.recent_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.recent_use FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON citizen.recent_use
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY system ON citizen.recent_use
    USING (current_setting('app.kind', true) = 'system');

-- Anybody's use is counted; only the roll-up reads and changes counts.
ALTER TABLE citizen.uncounted_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.uncounted_use FORCE ROW LEVEL SECURITY;
CREATE POLICY anybody ON citizen.uncounted_use FOR INSERT WITH CHECK (true);
CREATE POLICY system ON citizen.uncounted_use
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.daily_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.daily_use FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.daily_use
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.popularity ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.popularity FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON citizen.popularity FOR SELECT USING (true);
CREATE POLICY system ON citizen.popularity
    USING (current_setting('app.kind', true) = 'system');
