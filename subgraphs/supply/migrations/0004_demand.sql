-- +goose Up
CREATE TABLE supply.demand (
    id                   uuid PRIMARY KEY,
    title                text NOT NULL,
    content              text NOT NULL,
    category             text NOT NULL,
    area_code            text COLLATE "C" NOT NULL,
    budget_fen           bigint CHECK (budget_fen >= 0), -- NULL is to be agreed
    window_from          timestamptz NOT NULL,
    window_to            timestamptz NOT NULL,
    state                text NOT NULL CHECK (state IN ('DRAFT', 'IN_REVIEW', 'OPEN', 'MATCHED', 'FULFILLED', 'CLOSED', 'EXPIRED', 'WITHDRAWN')),
    review_note          text,
    citizen_id           uuid, -- who published it; NULL when a community did
    worker_id            uuid, -- who published it for a community
    community_service_id uuid REFERENCES supply.community_service (id),
    opened_at            timestamptz,
    search               tsvector NOT NULL,
    version              integer NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    updated_by           text NOT NULL,
    CONSTRAINT demand_publisher CHECK ((citizen_id IS NULL) <> (worker_id IS NULL)),
    CONSTRAINT demand_window CHECK (window_from < window_to),
    CONSTRAINT demand_matched CHECK (state NOT IN ('MATCHED', 'FULFILLED') OR community_service_id IS NOT NULL)
);
CREATE INDEX demand_open ON supply.demand (opened_at DESC, id DESC) WHERE state = 'OPEN';
CREATE INDEX demand_open_area ON supply.demand (area_code, opened_at DESC, id DESC) WHERE state = 'OPEN';
CREATE INDEX demand_expiry ON supply.demand (window_to) WHERE state = 'OPEN';
CREATE INDEX demand_area ON supply.demand (area_code, id DESC);
CREATE INDEX demand_citizen ON supply.demand (citizen_id, id DESC);
CREATE INDEX demand_search ON supply.demand USING gin (search);
GRANT SELECT, INSERT, UPDATE ON supply.demand TO citizencloud_app;
REVOKE DELETE ON supply.demand FROM citizencloud_app;

ALTER TABLE supply.demand ENABLE ROW LEVEL SECURITY;
ALTER TABLE supply.demand FORCE ROW LEVEL SECURITY;
CREATE POLICY public ON supply.demand FOR SELECT
    USING (state IN ('OPEN', 'MATCHED', 'FULFILLED', 'CLOSED'));
CREATE POLICY own ON supply.demand
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON supply.demand
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON supply.demand
    USING (current_setting('app.kind', true) = 'system');
