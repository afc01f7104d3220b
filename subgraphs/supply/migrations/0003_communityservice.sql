-- +goose Up
CREATE TABLE supply.community_service (
    id             uuid PRIMARY KEY,
    participant_id uuid NOT NULL REFERENCES supply.participant (id),
    -- the participant's, kept here as the key of the data scope
    area_code      text COLLATE "C" NOT NULL,
    citizen_id     uuid NOT NULL,
    name           text NOT NULL,
    summary        text NOT NULL,
    description    text NOT NULL,
    category       text NOT NULL,
    price_fen      bigint NOT NULL CHECK (price_fen >= 0),
    price_unit     text NOT NULL,
    hours          text,
    phone          text,
    state          text NOT NULL CHECK (state IN ('DRAFT', 'IN_REVIEW', 'LISTED', 'DELISTED')),
    -- false while the participant is suspended or has left
    offered        boolean NOT NULL DEFAULT true,
    -- kind of who delisted it: what a worker took down, its owner cannot put back
    delisted_by    text CHECK (delisted_by IN ('citizen', 'worker', 'system')),
    review_note    text,
    listed_at      timestamptz,
    search         tsvector NOT NULL,
    version        integer NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL,
    CONSTRAINT community_service_listed CHECK (state <> 'LISTED' OR listed_at IS NOT NULL)
);
CREATE INDEX community_service_shelf ON supply.community_service (listed_at DESC, id DESC) WHERE state = 'LISTED' AND offered;
CREATE INDEX community_service_area ON supply.community_service (area_code, id DESC);
CREATE INDEX community_service_citizen ON supply.community_service (citizen_id, id DESC);
CREATE INDEX community_service_participant ON supply.community_service (participant_id, listed_at DESC, id DESC);
CREATE INDEX community_service_search ON supply.community_service USING gin (search);

-- Where a service is shown: in the area and all below it.
CREATE TABLE supply.distribution (
    service_id uuid NOT NULL REFERENCES supply.community_service (id),
    area_code  text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    worker_id  text NOT NULL,
    PRIMARY KEY (service_id, area_code)
);
CREATE INDEX distribution_area ON supply.distribution (area_code, service_id);

GRANT SELECT, INSERT, UPDATE ON supply.community_service TO citizencloud_app;
REVOKE DELETE ON supply.community_service FROM citizencloud_app;
GRANT SELECT, INSERT, DELETE ON supply.distribution TO citizencloud_app;
REVOKE UPDATE ON supply.distribution FROM citizencloud_app;

ALTER TABLE supply.community_service ENABLE ROW LEVEL SECURITY;
ALTER TABLE supply.community_service FORCE ROW LEVEL SECURITY;
CREATE POLICY shelf ON supply.community_service FOR SELECT
    USING (state = 'LISTED' AND offered);
CREATE POLICY own ON supply.community_service
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON supply.community_service
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON supply.community_service
    USING (current_setting('app.kind', true) = 'system');

-- Where something is shown is no secret; only workers of the area change it.
ALTER TABLE supply.distribution ENABLE ROW LEVEL SECURITY;
ALTER TABLE supply.distribution FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON supply.distribution FOR SELECT USING (true);
CREATE POLICY worker ON supply.distribution
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON supply.distribution
    USING (current_setting('app.kind', true) = 'system');
