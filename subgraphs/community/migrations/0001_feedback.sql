-- +goose Up
CREATE SCHEMA IF NOT EXISTS community;
GRANT USAGE ON SCHEMA community TO citizencloud_app;

-- Events on their way to the stream; see foundation/outbox.
CREATE TABLE community.outbox (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid        NOT NULL,
    subject   text        NOT NULL,
    area_code text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    payload   jsonb       NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON community.outbox TO citizencloud_app;

-- Which bulk loads were done, so that a second one does nothing.
CREATE TABLE community.loading (
    name      text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now()
);

-- Days on which the calendar departs from "Monday to Friday is work".
CREATE TABLE community.workday (
    day  date PRIMARY KEY,
    work boolean NOT NULL,
    name text    NOT NULL
);
REVOKE ALL ON community.workday FROM citizencloud_app;
GRANT SELECT ON community.workday TO citizencloud_app;

CREATE SEQUENCE community.feedback_number;
GRANT USAGE ON SEQUENCE community.feedback_number TO citizencloud_app;

CREATE TABLE community.feedback_case (
    id             uuid PRIMARY KEY,
    number         text NOT NULL UNIQUE,
    area_code      text COLLATE "C" NOT NULL CHECK (area_code ~ '^[1-9][0-9]{11}$' AND right(area_code, 3) <> '000'),
    -- the two levels above as columns of their own: equality on them is an index's order, a prefix is not
    street         text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(area_code, 9)) STORED,
    district       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(area_code, 6)) STORED,
    class          text NOT NULL CHECK (class IN ('ENVIRONMENT', 'FACILITY', 'SAFETY', 'PARKING', 'PROPERTY', 'NEIGHBOURHOOD', 'WELFARE', 'CONSULTATION', 'OTHER')),
    state          text NOT NULL CHECK (state IN ('SUBMITTED', 'ASSIGNED', 'RETURNED', 'IN_PROGRESS', 'WAITING_INFO', 'REPLIED', 'REOPENED', 'REJECTED', 'DUPLICATE', 'CLOSED')),
    title          text NOT NULL,
    content        text NOT NULL,
    pictures       uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(pictures) <= 9),
    anonymous      boolean NOT NULL DEFAULT false,
    citizen_id     uuid NOT NULL,
    assignee_id    uuid,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    waiting_since  timestamptz,
    closed_at      timestamptz,
    overdue_told_at timestamptz,
    reply          text,
    question       text,
    duplicate_of   text,
    rating         smallint CHECK (rating BETWEEN 1 AND 5),
    rating_comment text,
    version        integer NOT NULL DEFAULT 1,
    CHECK ((closed_at IS NOT NULL) = (state IN ('REPLIED', 'REJECTED', 'DUPLICATE', 'CLOSED'))),
    CHECK ((waiting_since IS NOT NULL) = (state = 'WAITING_INFO')),
    CHECK (rating IS NULL OR state IN ('REPLIED', 'REJECTED', 'CLOSED'))
);
CREATE INDEX feedback_case_community ON community.feedback_case (area_code, created_at DESC, id DESC);
CREATE INDEX feedback_case_street    ON community.feedback_case (street, created_at DESC, id DESC);
CREATE INDEX feedback_case_district  ON community.feedback_case (district, created_at DESC, id DESC);
CREATE INDEX feedback_case_city      ON community.feedback_case (created_at DESC, id DESC);
CREATE INDEX feedback_case_citizen   ON community.feedback_case (citizen_id, created_at DESC, id DESC);
CREATE INDEX feedback_case_assignee  ON community.feedback_case (assignee_id, created_at DESC, id DESC) WHERE assignee_id IS NOT NULL;
CREATE INDEX feedback_case_open      ON community.feedback_case (created_at DESC, id DESC) WHERE closed_at IS NULL;
CREATE INDEX feedback_case_due       ON community.feedback_case (due_at) WHERE closed_at IS NULL AND waiting_since IS NULL;
CREATE INDEX feedback_case_replied   ON community.feedback_case (closed_at) WHERE state = 'REPLIED';

-- What happened to a case, append only.
CREATE TABLE community.feedback_event (
    id         uuid PRIMARY KEY,
    case_id    uuid NOT NULL REFERENCES community.feedback_case,
    seq        integer NOT NULL,
    area_code  text COLLATE "C" NOT NULL,
    street     text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(area_code, 9)) STORED,
    district   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (left(area_code, 6)) STORED,
    citizen_id uuid NOT NULL, -- of the case, for the policy
    at         timestamptz NOT NULL,
    action     text NOT NULL,
    from_state text,
    to_state   text NOT NULL,
    actor      text NOT NULL CHECK (actor IN ('CITIZEN', 'WORKER', 'SYSTEM')),
    worker_id  uuid,
    note       text,
    UNIQUE (case_id, seq),
    CHECK ((actor = 'WORKER') = (worker_id IS NOT NULL))
);
CREATE INDEX feedback_event_community ON community.feedback_event (area_code, at DESC, id DESC);
CREATE INDEX feedback_event_street    ON community.feedback_event (street, at DESC, id DESC);
CREATE INDEX feedback_event_district  ON community.feedback_event (district, at DESC, id DESC);
CREATE INDEX feedback_event_city      ON community.feedback_event (at DESC, id DESC);

REVOKE ALL ON community.feedback_case, community.feedback_event FROM citizencloud_app;
GRANT SELECT, INSERT, UPDATE ON community.feedback_case TO citizencloud_app;
GRANT SELECT, INSERT ON community.feedback_event TO citizencloud_app;

-- The settings stand in sub-selects so that they are read once a statement, not once a row.
ALTER TABLE community.feedback_case ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON community.feedback_case FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
CREATE POLICY changed ON community.feedback_case FOR UPDATE USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
CREATE POLICY submitted ON community.feedback_case FOR INSERT WITH CHECK (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));

ALTER TABLE community.feedback_event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON community.feedback_event USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
