-- +goose Up
CREATE TABLE supply.participant (
    id             uuid PRIMARY KEY,
    uscc           text NOT NULL CHECK (length(uscc) = 18),
    name           text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('ENTERPRISE', 'SOCIAL_ORGANISATION', 'PUBLIC_INSTITUTION', 'SOLE_TRADER')),
    introduction   text NOT NULL,
    phone          text, -- of the business, which it publishes
    area_code      text COLLATE "C" NOT NULL,
    qualifications jsonb NOT NULL DEFAULT '[]',
    state          text NOT NULL CHECK (state IN ('APPLIED', 'IN_REVIEW', 'APPROVED', 'REJECTED', 'CHANGE_REVIEW', 'SUSPENDED', 'EXITED')),
    review_note    text,
    pending        jsonb, -- the change that waits for review
    citizen_id     uuid NOT NULL, -- who applied
    search         tsvector NOT NULL,
    version        integer NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL,
    CONSTRAINT participant_pending CHECK ((pending IS NOT NULL) = (state = 'CHANGE_REVIEW'))
);
-- One live participant a code; who was refused or left may apply again.
CREATE UNIQUE INDEX participant_uscc_live ON supply.participant (uscc) WHERE state NOT IN ('REJECTED', 'EXITED');
CREATE INDEX participant_area ON supply.participant (area_code, id DESC);
CREATE INDEX participant_citizen ON supply.participant (citizen_id, id DESC);
CREATE INDEX participant_search ON supply.participant USING gin (search);
GRANT SELECT, INSERT, UPDATE ON supply.participant TO citizencloud_app;
REVOKE DELETE ON supply.participant FROM citizencloud_app;

ALTER TABLE supply.participant ENABLE ROW LEVEL SECURITY;
ALTER TABLE supply.participant FORCE ROW LEVEL SECURITY;
CREATE POLICY public ON supply.participant FOR SELECT
    USING (state IN ('APPROVED', 'CHANGE_REVIEW'));
CREATE POLICY own ON supply.participant
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON supply.participant
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON supply.participant
    USING (current_setting('app.kind', true) = 'system');
