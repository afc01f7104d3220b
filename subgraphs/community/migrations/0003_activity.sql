-- +goose Up
CREATE TABLE community.activity (
    id               uuid PRIMARY KEY,
    area_code        text COLLATE "C" NOT NULL CHECK (area_code ~ '^[1-9][0-9]{11}$'),
    title            text NOT NULL,
    summary          text NOT NULL,
    place            text NOT NULL,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL CHECK (ends_at > starts_at),
    capacity         integer NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    -- kept under the activity's row lock; attended and absent ones keep their place
    confirmed_count  integer NOT NULL DEFAULT 0,
    waitlisted_count integer NOT NULL DEFAULT 0 CHECK (waitlisted_count >= 0),
    state            text NOT NULL CHECK (state IN ('DRAFT', 'PUBLISHED', 'CLOSED', 'CANCELLED')),
    cancel_reason    text,
    created_by       uuid,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    version          integer NOT NULL DEFAULT 1,
    CONSTRAINT no_overbooking CHECK (confirmed_count BETWEEN 0 AND capacity)
);
CREATE INDEX activity_area      ON community.activity (area_code, starts_at, id);
CREATE INDEX activity_start     ON community.activity (starts_at, id);
CREATE INDEX activity_published ON community.activity (area_code, ends_at) INCLUDE (confirmed_count) WHERE state = 'PUBLISHED';
CREATE INDEX activity_ending    ON community.activity (ends_at) WHERE state = 'PUBLISHED';

CREATE TABLE community.registration (
    id            uuid PRIMARY KEY,
    seq           bigint GENERATED ALWAYS AS IDENTITY, -- the order of the waiting list
    activity_id   uuid NOT NULL REFERENCES community.activity,
    area_code     text COLLATE "C" NOT NULL,
    citizen_id    uuid NOT NULL,
    state         text NOT NULL CHECK (state IN ('WAITLISTED', 'CONFIRMED', 'ATTENDED', 'ABSENT', 'WITHDRAWN')),
    registered_at timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX registration_once ON community.registration (activity_id, citizen_id) WHERE state <> 'WITHDRAWN';
CREATE INDEX registration_waiting ON community.registration (activity_id, seq) WHERE state = 'WAITLISTED';
CREATE INDEX registration_list    ON community.registration (activity_id, seq);
CREATE INDEX registration_citizen ON community.registration (citizen_id, seq DESC);

REVOKE ALL ON community.activity, community.registration FROM citizencloud_app;
GRANT SELECT, INSERT, UPDATE ON community.activity, community.registration TO citizencloud_app;

ALTER TABLE community.activity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Whatever was published once is public.
CREATE POLICY seen ON community.activity FOR SELECT USING (
    state <> 'DRAFT'
    OR (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
CREATE POLICY made ON community.activity FOR INSERT WITH CHECK (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
CREATE POLICY changed ON community.activity FOR UPDATE USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));

ALTER TABLE community.registration ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON community.registration FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
-- A place is given by the platform under the activity's lock, never by the citizen's own hand.
CREATE POLICY made ON community.registration FOR INSERT WITH CHECK ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY changed ON community.registration FOR UPDATE USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
