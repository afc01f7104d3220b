-- +goose Up
CREATE SCHEMA IF NOT EXISTS supply;
GRANT USAGE ON SCHEMA supply TO citizencloud_app;

CREATE TABLE supply.outbox (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid        NOT NULL,
    subject   text        NOT NULL,
    area_code text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    payload   jsonb       NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON supply.outbox TO citizencloud_app;

-- What was done to participants, community services and demands.
CREATE TABLE supply.history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id uuid NOT NULL,
    area_code  text COLLATE "C" NOT NULL,
    citizen_id uuid, -- the owner, who may read it
    action     text NOT NULL,
    from_state text,
    to_state   text NOT NULL,
    note       text,
    actor_kind text NOT NULL,
    actor_id   text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX history_newest ON supply.history (subject_id, id DESC);
GRANT SELECT, INSERT ON supply.history TO citizencloud_app;
REVOKE UPDATE, DELETE ON supply.history FROM citizencloud_app;

ALTER TABLE supply.history ENABLE ROW LEVEL SECURITY;
ALTER TABLE supply.history FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON supply.history
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON supply.history
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON supply.history
    USING (current_setting('app.kind', true) = 'system');
