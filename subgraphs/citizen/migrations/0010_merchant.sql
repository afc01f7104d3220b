-- +goose Up
-- Who is paid through the platform: departments, utilities, companies. The
-- account that it is settled to and the secret of its webhooks are sealed.
CREATE TABLE citizen.merchant (
    id                 uuid PRIMARY KEY,
    code               text COLLATE "C" NOT NULL CONSTRAINT merchant_code UNIQUE CHECK (code ~ '^M[0-9]{11}$'),
    uscc               text NOT NULL CHECK (length(uscc) = 18),
    name               text NOT NULL,
    area_code          text COLLATE "C" NOT NULL,
    fee_rate           integer NOT NULL CHECK (fee_rate BETWEEN 0 AND 1000), -- of ten thousand
    bank               text NOT NULL,
    settlement_account bytea, -- sealed
    account_tail       text NOT NULL CHECK (account_tail ~ '^[0-9]{4}$'),
    webhook_url        text,
    webhook_secret     bytea, -- sealed
    state              text NOT NULL CHECK (state IN ('APPLIED', 'APPROVED', 'REJECTED', 'SUSPENDED', 'CLOSED')),
    review_note        text,
    version            integer NOT NULL,
    created_at         timestamptz NOT NULL,
    created_by         text NOT NULL,
    updated_at         timestamptz NOT NULL,
    updated_by         text NOT NULL
);
CREATE UNIQUE INDEX merchant_uscc_live ON citizen.merchant (uscc) WHERE state NOT IN ('REJECTED', 'CLOSED');
CREATE INDEX merchant_area ON citizen.merchant (area_code, id DESC);

CREATE TABLE citizen.merchant_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id uuid NOT NULL REFERENCES citizen.merchant (id),
    area_code   text COLLATE "C" NOT NULL,
    action      text NOT NULL,
    from_state  text,
    to_state    text NOT NULL,
    note        text,
    actor_kind  text NOT NULL,
    actor_id    text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX merchant_event_newest ON citizen.merchant_event (merchant_id, id DESC);

GRANT SELECT, INSERT, UPDATE ON citizen.merchant TO citizencloud_app;
GRANT SELECT, INSERT ON citizen.merchant_event TO citizencloud_app;
REVOKE DELETE ON citizen.merchant FROM citizencloud_app;
REVOKE UPDATE, DELETE ON citizen.merchant_event FROM citizencloud_app;

ALTER TABLE citizen.merchant ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.merchant FORCE ROW LEVEL SECURITY;
-- Whoever pays must see whom; what is secret of a merchant is sealed.
CREATE POLICY open ON citizen.merchant FOR SELECT
    USING (state IN ('APPROVED', 'SUSPENDED'));
CREATE POLICY worker ON citizen.merchant
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY system ON citizen.merchant
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.merchant_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.merchant_event FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON citizen.merchant_event
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY system ON citizen.merchant_event
    USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE citizen.merchant_event;
DROP TABLE citizen.merchant;
