-- What became of accounts of citizens that ended: whose rows go to whom when
-- events come late or in another order. See foundation/account.
-- +goose Up
CREATE TABLE citizen.ended_account (
    citizen_id   uuid PRIMARY KEY,
    successor_id uuid CHECK (successor_id <> citizen_id), -- NULL: cancelled
    at           timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE citizen.ended_account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.ended_account USING ((SELECT current_setting('app.kind', true)) = 'system');
GRANT SELECT, INSERT ON citizen.ended_account TO citizencloud_app;
REVOKE UPDATE, DELETE ON citizen.ended_account FROM citizencloud_app;

-- +goose Down
DROP TABLE citizen.ended_account;
