-- Identity of citizens: passwords, linked third-party accounts, merging and
-- cancelling accounts, the devices of sessions. Accounts that came by a third
-- party have no mobile number yet; those that ended have none any more.
-- +goose Up
ALTER TABLE platform.citizen
    ALTER COLUMN mobile DROP NOT NULL,
    ALTER COLUMN mobile_index DROP NOT NULL,
    ADD COLUMN password_hash       text,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN cancel_requested_at timestamptz,
    ADD COLUMN cancel_due_at       timestamptz,
    ADD COLUMN ended_at            timestamptz,
    ADD COLUMN successor_id        uuid REFERENCES platform.citizen (id),
    ADD CONSTRAINT citizen_mobile_index CHECK ((mobile IS NULL) = (mobile_index IS NULL)),
    ADD CONSTRAINT citizen_cancelling CHECK ((state = 'CANCELLING') = (cancel_due_at IS NOT NULL)),
    ADD CONSTRAINT citizen_successor CHECK ((state = 'MERGED') = (successor_id IS NOT NULL) AND successor_id <> id),
    ADD CONSTRAINT citizen_ended CHECK (state NOT IN ('CANCELLED', 'MERGED') OR (mobile IS NULL AND password_hash IS NULL AND ended_at IS NOT NULL));
CREATE INDEX citizen_due ON platform.citizen (cancel_due_at) WHERE state = 'CANCELLING';
CREATE INDEX citizen_successor ON platform.citizen (successor_id) WHERE successor_id IS NOT NULL;

-- 第三方账户: the subject is the provider's name for the person, sealed.
CREATE TABLE platform.citizen_identity (
    id            uuid PRIMARY KEY,
    citizen_id    uuid        NOT NULL REFERENCES platform.citizen (id),
    provider      text        NOT NULL CHECK (provider IN ('WECHAT', 'ALIPAY')),
    subject       bytea       NOT NULL,
    subject_index bytea       NOT NULL,
    linked_at     timestamptz NOT NULL,
    used_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX citizen_identity_subject ON platform.citizen_identity (provider, subject_index);
CREATE UNIQUE INDEX citizen_identity_citizen ON platform.citizen_identity (citizen_id, provider);

-- What happened to an account; never changed itself, and without personal data.
CREATE TABLE platform.citizen_history (
    id         uuid PRIMARY KEY,
    citizen_id uuid        NOT NULL REFERENCES platform.citizen (id),
    at         timestamptz NOT NULL,
    action     text        NOT NULL CHECK (action IN ('PASSWORD_SET', 'PASSWORD_RESET', 'MOBILE_BOUND', 'MOBILE_CHANGED', 'LINKED', 'UNLINKED',
        'MERGED_INTO', 'TOOK_OVER', 'CANCEL_REQUESTED', 'CANCEL_WITHDRAWN', 'CANCELLED')),
    client     text        NOT NULL DEFAULT '',
    detail     text        NOT NULL DEFAULT ''
);
CREATE INDEX citizen_history_citizen ON platform.citizen_history (citizen_id, id DESC);

-- What other subgraphs told is still open for a citizen: it keeps the account
-- from being cancelled.
CREATE TABLE platform.citizen_obligation (
    subject    text        NOT NULL, -- "feedback/<id>"
    citizen_id uuid        NOT NULL,
    open       boolean     NOT NULL,
    at         timestamptz NOT NULL, -- of the newest event, so that an older one changes nothing
    PRIMARY KEY (subject)
);
CREATE INDEX citizen_obligation_open ON platform.citizen_obligation (citizen_id) WHERE open;

-- 登录设备: each session is one. The key is a hash of what the client calls its device.
ALTER TABLE platform.session
    ADD COLUMN device_key  bytea NOT NULL DEFAULT '',
    ADD COLUMN device_name text  NOT NULL DEFAULT '',
    ADD COLUMN proven_at   timestamptz,
    ADD COLUMN proven_by   text CHECK (proven_by IN ('PASSWORD', 'CODE')),
    ADD CONSTRAINT session_proven CHECK ((proven_at IS NULL) = (proven_by IS NULL)),
    DROP CONSTRAINT session_end_reason_check,
    ADD CONSTRAINT session_end_reason_check CHECK (end_reason IN ('SIGNED_OUT', 'REUSED', 'PRINCIPAL', 'PASSWORD', 'ACCOUNT'));
CREATE INDEX session_device ON platform.session (kind, principal_id, id DESC);
DROP INDEX platform.session_principal;
CREATE POLICY self ON platform.session FOR SELECT
    USING (kind = current_setting('app.kind', true) AND principal_id::text = current_setting('app.principal', true));

ALTER TABLE platform.citizen_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.citizen_identity FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen_identity USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.citizen_identity FOR SELECT
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
ALTER TABLE platform.citizen_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.citizen_history FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen_history USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.citizen_history FOR SELECT
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
ALTER TABLE platform.citizen_obligation ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.citizen_obligation FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen_obligation USING (current_setting('app.kind', true) = 'system');

GRANT SELECT, INSERT, UPDATE, DELETE ON platform.citizen_identity, platform.citizen_obligation TO citizencloud_app;
GRANT SELECT, INSERT ON platform.citizen_history TO citizencloud_app;

-- +goose Down
DROP TABLE platform.citizen_obligation, platform.citizen_history, platform.citizen_identity;
DROP POLICY self ON platform.session;
CREATE INDEX session_principal ON platform.session (kind, principal_id) WHERE ended_at IS NULL;
DROP INDEX platform.session_device;
ALTER TABLE platform.session DROP COLUMN device_key, DROP COLUMN device_name, DROP COLUMN proven_at, DROP COLUMN proven_by;
ALTER TABLE platform.citizen DROP COLUMN password_hash, DROP COLUMN password_changed_at, DROP COLUMN cancel_requested_at,
    DROP COLUMN cancel_due_at, DROP COLUMN ended_at, DROP COLUMN successor_id;
