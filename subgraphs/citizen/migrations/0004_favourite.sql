-- +goose Up
CREATE TABLE citizen.favourite (
    citizen_id uuid NOT NULL,
    service_id uuid NOT NULL REFERENCES citizen.service (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (citizen_id, service_id)
);
CREATE INDEX favourite_newest ON citizen.favourite (citizen_id, created_at DESC, service_id);
GRANT SELECT, INSERT, DELETE ON citizen.favourite TO citizencloud_app;
REVOKE UPDATE ON citizen.favourite FROM citizencloud_app;

ALTER TABLE citizen.favourite ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.favourite FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON citizen.favourite
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY system ON citizen.favourite
    USING (current_setting('app.kind', true) = 'system');
