-- +goose Up
-- One master per service (client ''), and at most one replica per client. A
-- replica's NULL inherits the master's value.
CREATE TABLE citizen.service_entry (
    id           uuid PRIMARY KEY,
    service_id   uuid NOT NULL REFERENCES citizen.service (id),
    client       text NOT NULL CHECK (client IN ('', 'APP', 'MINIPROGRAM', 'WORKBENCH', 'SCREEN', 'PARTNER')),
    title        text,
    summary      text,
    target       text,
    sort_order   integer,
    min_version  text,
    grey_percent integer CHECK (grey_percent BETWEEN 0 AND 100),
    enabled      boolean,
    version      integer NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    updated_by   text NOT NULL,
    CONSTRAINT service_entry_client UNIQUE (service_id, client),
    CONSTRAINT service_entry_master_is_whole CHECK (client <> '' OR
        (target IS NOT NULL AND sort_order IS NOT NULL AND grey_percent IS NOT NULL AND enabled IS NOT NULL))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON citizen.service_entry TO citizencloud_app;

ALTER TABLE citizen.service_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.service_entry FORCE ROW LEVEL SECURITY;
-- Whoever sees the service sees its entries: service's own policies decide.
CREATE POLICY visible ON citizen.service_entry FOR SELECT
    USING (EXISTS (SELECT FROM citizen.service s WHERE s.id = service_id));
CREATE POLICY worker ON citizen.service_entry
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND starts_with(s.area_code, current_setting('app.area', true))));
CREATE POLICY system ON citizen.service_entry
    USING (current_setting('app.kind', true) = 'system');
