-- 第三方应用与统一登录: applications and their life (package clientapp), the
-- OpenID Connect provider with its single sign-on (package oidc), and what
-- people agreed to (package consent). Codes, tokens, cookies and secrets are
-- kept as hashes; the keys that sign ID tokens are sealed.
-- +goose Up

-- client_id is the application's public name. scopes and operations are what is
-- asked for; the granted ones are what a review gave. own_client is set for the
-- platform's own clients: they ask for no consent, and run that client's manifest.
CREATE TABLE platform.client_app (
    id                 uuid PRIMARY KEY,
    client_id          text        NOT NULL UNIQUE CHECK (client_id ~ '^[a-z0-9][a-z0-9-]{3,39}$'),
    name               text        NOT NULL CHECK (length(name) BETWEEN 2 AND 40),
    summary            text        NOT NULL CHECK (length(summary) <= 200),
    homepage           text        NOT NULL DEFAULT '' CHECK (length(homepage) <= 200),
    kind               text        NOT NULL CHECK (kind IN ('WEB', 'BROWSER', 'NATIVE', 'DEVICE')),
    audience           text        NOT NULL CHECK (audience IN ('CITIZENS', 'WORKERS', 'EVERYBODY')),
    own_client         text        CHECK (own_client IN ('app', 'miniprogram', 'workbench', 'screen')),
    unit_id            uuid        NOT NULL REFERENCES platform.org_unit (id),
    area_code          text COLLATE "C" NOT NULL REFERENCES platform.area (code),
    redirect_uris      text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(redirect_uris) <= 20),
    logout_uris        text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(logout_uris) <= 20),
    scopes             text[]      NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 20),
    operations         text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(operations) <= 200),
    granted_scopes     text[]      NOT NULL DEFAULT '{}',
    granted_operations text[]      NOT NULL DEFAULT '{}',
    daily_quota        integer     NOT NULL DEFAULT 10000 CHECK (daily_quota BETWEEN 0 AND 100000000),
    rate_per_second    integer     NOT NULL DEFAULT 10 CHECK (rate_per_second BETWEEN 1 AND 10000),
    state              text        NOT NULL DEFAULT 'DRAFT' CHECK (state IN ('DRAFT', 'IN_REVIEW', 'REJECTED', 'SANDBOX', 'LIVE', 'SUSPENDED', 'RETIRED')),
    state_reason       text        NOT NULL DEFAULT '',
    created_by         uuid        NOT NULL,
    submitted_by       uuid,
    reviewed_by        uuid,
    version            integer     NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CHECK (reviewed_by IS NULL OR reviewed_by <> submitted_by)
);
CREATE INDEX client_app_area ON platform.client_app (area_code, id);
CREATE INDEX client_app_unit ON platform.client_app (unit_id, id);
CREATE INDEX client_app_state ON platform.client_app (state, id);

-- 密钥: shown once. Several count side by side while one is replaced.
CREATE TABLE platform.client_app_secret (
    id            uuid PRIMARY KEY,
    client_app_id uuid        NOT NULL REFERENCES platform.client_app (id),
    hash          bytea       NOT NULL,
    hint          text        NOT NULL, -- its last four characters
    created_by    uuid        NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,          -- NULL while no other replaced it
    used_at       timestamptz
);
CREATE INDEX client_app_secret_app ON platform.client_app_secret (client_app_id, created_at DESC);

CREATE TABLE platform.client_app_history (
    id            uuid PRIMARY KEY,
    client_app_id uuid        NOT NULL REFERENCES platform.client_app (id),
    at            timestamptz NOT NULL,
    worker_id     uuid        NOT NULL,
    action        text        NOT NULL,
    from_state    text        NOT NULL,
    to_state      text        NOT NULL,
    reason        text        NOT NULL DEFAULT ''
);
CREATE INDEX client_app_history_app ON platform.client_app_history (client_app_id, id DESC);

-- 调用统计 of a day in Beijing.
CREATE TABLE platform.client_app_day (
    client_app_id uuid    NOT NULL REFERENCES platform.client_app (id),
    day           date    NOT NULL,
    calls         bigint  NOT NULL DEFAULT 0,
    errors        bigint  NOT NULL DEFAULT 0, -- of the calls
    refusals      bigint  NOT NULL DEFAULT 0, -- not run: over the quota or the rate, not granted
    PRIMARY KEY (client_app_id, day)
);

-- 授权同意. One that counts for each person and application at most.
CREATE TABLE platform.consent (
    id            uuid PRIMARY KEY,
    client_app_id uuid        NOT NULL REFERENCES platform.client_app (id),
    kind          text        NOT NULL CHECK (kind IN ('citizen', 'worker')),
    principal_id  uuid        NOT NULL,
    scopes        text[]      NOT NULL,
    state         text        NOT NULL CHECK (state IN ('GRANTED', 'REVOKED', 'EXPIRED')),
    granted_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    CHECK ((state = 'GRANTED') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX consent_granted ON platform.consent (kind, principal_id, client_app_id) WHERE state = 'GRANTED';
CREATE INDEX consent_principal ON platform.consent (kind, principal_id, id DESC);
CREATE INDEX consent_app ON platform.consent (client_app_id) WHERE state = 'GRANTED';
CREATE INDEX consent_due ON platform.consent (expires_at) WHERE state = 'GRANTED';

-- Keys of ID tokens: one signs from active_from until the next one does, and is
-- published until what it signed ran out.
CREATE TABLE platform.oidc_key (
    id              uuid PRIMARY KEY,
    secret          bytea       NOT NULL,
    created_at      timestamptz NOT NULL,
    active_from     timestamptz NOT NULL,
    published_until timestamptz -- NULL while no other replaced it
);

-- 统一登录: who is signed in at the provider's page in one browser, whose cookie
-- holds what is hashed here. It lives as long as its session does.
CREATE TABLE platform.sso_session (
    id               uuid PRIMARY KEY,
    hash             bytea       NOT NULL UNIQUE,
    session_id       uuid        NOT NULL REFERENCES platform.session (id) ON DELETE CASCADE,
    kind             text        NOT NULL CHECK (kind IN ('citizen', 'worker')),
    principal_id     uuid        NOT NULL,
    methods          text[]      NOT NULL, -- amr, RFC 8176
    pending          boolean     NOT NULL DEFAULT false, -- the second factor is missing
    authenticated_at timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL
);
CREATE INDEX sso_session_session ON platform.sso_session (session_id);
CREATE INDEX sso_session_expiry ON platform.sso_session (expires_at);

-- An authorization request, from the application's redirect to the use of its code.
CREATE TABLE platform.oidc_request (
    id             uuid PRIMARY KEY,
    client_app_id  uuid        NOT NULL REFERENCES platform.client_app (id),
    browser_hash   bytea       NOT NULL,
    redirect_uri   text        NOT NULL,
    scopes         text[]      NOT NULL,
    state          text        NOT NULL DEFAULT '',
    nonce          text        NOT NULL DEFAULT '',
    code_challenge text        NOT NULL DEFAULT '',
    prompts        text[]      NOT NULL DEFAULT '{}',
    max_age        integer,
    locale         text        NOT NULL DEFAULT '',
    login_hint     text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    -- once somebody agreed
    session_id     uuid REFERENCES platform.session (id) ON DELETE CASCADE,
    kind           text,
    principal_id   uuid,
    subject        text        NOT NULL DEFAULT '',
    methods        text[]      NOT NULL DEFAULT '{}',
    auth_time      timestamptz,
    code_hash      bytea UNIQUE,
    used_at        timestamptz,
    grant_id       uuid
);
CREATE INDEX oidc_request_expiry ON platform.oidc_request (expires_at);
CREATE INDEX oidc_request_session ON platform.oidc_request (session_id);

-- RFC 8628: a device that waits for somebody to let it in.
CREATE TABLE platform.oidc_device (
    id            uuid PRIMARY KEY,
    device_hash   bytea       NOT NULL UNIQUE,
    user_hash     bytea       NOT NULL UNIQUE,
    client_app_id uuid        NOT NULL REFERENCES platform.client_app (id),
    scopes        text[]      NOT NULL,
    state         text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'APPROVED', 'DENIED', 'USED')),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    polled_at     timestamptz,
    poll_seconds  integer     NOT NULL DEFAULT 5,
    session_id    uuid REFERENCES platform.session (id) ON DELETE CASCADE,
    kind          text,
    principal_id  uuid,
    subject       text        NOT NULL DEFAULT '',
    methods       text[]      NOT NULL DEFAULT '{}',
    auth_time     timestamptz
);
CREATE INDEX oidc_device_expiry ON platform.oidc_device (expires_at);
CREATE INDEX oidc_device_session ON platform.oidc_device (session_id);

-- What an application got: one family of tokens. Without a session it is the
-- application's own (client credentials).
CREATE TABLE platform.oidc_grant (
    id            uuid PRIMARY KEY,
    client_app_id uuid        NOT NULL REFERENCES platform.client_app (id),
    session_id    uuid REFERENCES platform.session (id) ON DELETE CASCADE,
    kind          text        NOT NULL CHECK (kind IN ('citizen', 'worker', 'app')),
    principal_id  uuid,
    subject       text        NOT NULL,
    scopes        text[]      NOT NULL,
    methods       text[]      NOT NULL DEFAULT '{}',
    auth_time     timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    end_reason    text CHECK (end_reason IN ('REUSED', 'REVOKED', 'SIGNED_OUT', 'CONSENT', 'APPLICATION')),
    CHECK ((kind = 'app') = (session_id IS NULL AND principal_id IS NULL)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX oidc_grant_principal ON platform.oidc_grant (client_app_id, principal_id) WHERE ended_at IS NULL;
CREATE INDEX oidc_grant_session ON platform.oidc_grant (session_id);
CREATE INDEX oidc_grant_expiry ON platform.oidc_grant (expires_at);

CREATE TABLE platform.oidc_token (
    hash       bytea PRIMARY KEY,
    grant_id   uuid        NOT NULL REFERENCES platform.oidc_grant (id) ON DELETE CASCADE,
    refresh    boolean     NOT NULL,
    scopes     text[]      NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz, -- of a refresh token that was changed for the next
    revoked_at timestamptz
);
CREATE INDEX oidc_token_grant ON platform.oidc_token (grant_id);
CREATE INDEX oidc_token_expiry ON platform.oidc_token (expires_at);

GRANT SELECT, INSERT, UPDATE ON platform.client_app TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.client_app_secret, platform.client_app_day, platform.consent,
    platform.oidc_key, platform.sso_session, platform.oidc_request, platform.oidc_device, platform.oidc_grant, platform.oidc_token TO citizencloud_app;
GRANT SELECT, INSERT ON platform.client_app_history TO citizencloud_app;

-- The second wall. The provider works as the system. Workers see applications
-- of their scope when they may manage or review them; what belongs to an
-- application follows it. Consents are the person's own.
ALTER TABLE platform.client_app ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.client_app FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.client_app USING (current_setting('app.kind', true) = 'system');
CREATE POLICY workers ON platform.client_app
    USING (current_setting('app.kind', true) = 'worker'
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
        AND (SELECT string_to_array(current_setting('app.actions', true), ',') && ARRAY['client.manage', 'client.review']));
ALTER TABLE platform.client_app_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.client_app_secret FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.client_app_secret USING (current_setting('app.kind', true) = 'system');
CREATE POLICY workers ON platform.client_app_secret
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (SELECT FROM platform.client_app a WHERE a.id = client_app_id));
ALTER TABLE platform.client_app_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.client_app_history FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.client_app_history USING (current_setting('app.kind', true) = 'system');
CREATE POLICY workers ON platform.client_app_history
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (SELECT FROM platform.client_app a WHERE a.id = client_app_id));
ALTER TABLE platform.client_app_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.client_app_day FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.client_app_day USING (current_setting('app.kind', true) = 'system');
CREATE POLICY workers ON platform.client_app_day FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (SELECT FROM platform.client_app a WHERE a.id = client_app_id));
ALTER TABLE platform.consent ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.consent FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.consent USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.consent FOR SELECT
    USING (kind = current_setting('app.kind', true) AND principal_id::text = current_setting('app.principal', true));

ALTER TABLE platform.oidc_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.oidc_key FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.oidc_key USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.sso_session ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.sso_session FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.sso_session USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.oidc_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.oidc_request FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.oidc_request USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.oidc_device ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.oidc_device FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.oidc_device USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.oidc_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.oidc_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.oidc_grant USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.oidc_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.oidc_token FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.oidc_token USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE platform.oidc_token, platform.oidc_grant, platform.oidc_device, platform.oidc_request, platform.sso_session, platform.oidc_key,
    platform.consent, platform.client_app_day, platform.client_app_history, platform.client_app_secret, platform.client_app;
