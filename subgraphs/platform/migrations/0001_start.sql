-- +goose Up
CREATE SCHEMA IF NOT EXISTS platform;
GRANT USAGE ON SCHEMA platform TO citizencloud_app;

-- Events that were committed and wait for the relay (package outbox).
CREATE TABLE platform.outbox (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid        NOT NULL,
    subject   text        NOT NULL,
    area_code text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    payload   jsonb       NOT NULL
);

-- 行政区划. Public: no row-level security.
CREATE TABLE platform.area (
    code        text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[1-9][0-9]{11}$'),
    name        text    NOT NULL,
    full_name   text    NOT NULL,
    level       text    NOT NULL CHECK (level IN ('CITY', 'DISTRICT', 'STREET', 'COMMUNITY', 'GRID')),
    parent_code text COLLATE "C" REFERENCES platform.area (code),
    zone_code   text COLLATE "C" REFERENCES platform.area (code),
    internal    boolean NOT NULL DEFAULT false,
    valid_from  date    NOT NULL,
    valid_to    date CHECK (valid_to > valid_from)
);
CREATE INDEX area_parent ON platform.area (parent_code, code);
CREATE INDEX area_zone ON platform.area (zone_code, code) WHERE zone_code IS NOT NULL;

-- 组织机构. Public: no row-level security.
CREATE TABLE platform.org_unit (
    id           uuid PRIMARY KEY,
    name         text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('PARTY_GOVERNMENT', 'COMMUNITY', 'ENTERPRISE', 'SOCIAL_ORG')),
    state        text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'SUSPENDED', 'DISSOLVED')),
    area_code    text COLLATE "C" NOT NULL REFERENCES platform.area (code),
    parent_id    uuid REFERENCES platform.org_unit (id),
    successor_id uuid REFERENCES platform.org_unit (id),
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX org_unit_area ON platform.org_unit (area_code, id);
CREATE INDEX org_unit_parent ON platform.org_unit (parent_id, area_code, id);

-- 工作者. area_code is the area of the unit of the primary assignment.
CREATE TABLE platform.worker (
    id            uuid PRIMARY KEY,
    login         text        NOT NULL CHECK (login = lower(login)),
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    state         text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'SUSPENDED', 'LEFT')),
    area_code     text COLLATE "C" NOT NULL REFERENCES platform.area (code),
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX worker_login ON platform.worker (login);
CREATE INDEX worker_area ON platform.worker (area_code, id);

-- 任职: the posts of a worker; one of the present ones is the primary.
CREATE TABLE platform.assignment (
    id         uuid PRIMARY KEY,
    worker_id  uuid    NOT NULL REFERENCES platform.worker (id),
    unit_id    uuid    NOT NULL REFERENCES platform.org_unit (id),
    area_code  text COLLATE "C" NOT NULL,
    post       text    NOT NULL,
    roles      text[]  NOT NULL,
    is_primary boolean NOT NULL DEFAULT false,
    valid_from date    NOT NULL,
    valid_to   date CHECK (valid_to >= valid_from)
);
CREATE INDEX assignment_worker ON platform.assignment (worker_id, valid_from);
CREATE INDEX assignment_unit ON platform.assignment (unit_id, worker_id);
CREATE INDEX assignment_area ON platform.assignment (area_code, worker_id);
CREATE UNIQUE INDEX assignment_primary ON platform.assignment (worker_id) WHERE is_primary AND valid_to IS NULL;

-- 市民. The mobile number is encrypted; mobile_index is its blind index.
CREATE TABLE platform.citizen (
    id              uuid PRIMARY KEY,
    nickname        text        NOT NULL,
    mobile          bytea       NOT NULL,
    mobile_index    bytea       NOT NULL,
    area_code       text COLLATE "C" NOT NULL DEFAULT '',
    assurance_level text        NOT NULL DEFAULT 'L0' CHECK (assurance_level IN ('L0', 'L1', 'L2', 'L3')),
    state           text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'LOCKED', 'CANCELLING', 'CANCELLED', 'MERGED')),
    version         integer     NOT NULL DEFAULT 1,
    registered_at   timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX citizen_mobile ON platform.citizen (mobile_index);
CREATE INDEX citizen_area ON platform.citizen (area_code, id);

-- Signed-in sessions and the refresh tokens that each went through. Only
-- hashes are kept; a rotated token stays, so that its reuse is noticed.
CREATE TABLE platform.session (
    id           uuid PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('citizen', 'worker')),
    principal_id uuid        NOT NULL,
    client       text        NOT NULL DEFAULT '',
    address      text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    end_reason   text CHECK (end_reason IN ('SIGNED_OUT', 'REUSED', 'PRINCIPAL'))
);
CREATE INDEX session_principal ON platform.session (kind, principal_id) WHERE ended_at IS NULL;
CREATE INDEX session_expiry ON platform.session (expires_at);
CREATE TABLE platform.refresh_token (
    hash       bytea PRIMARY KEY,
    session_id uuid        NOT NULL REFERENCES platform.session (id) ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz
);
CREATE INDEX refresh_token_session ON platform.refresh_token (session_id);

-- Wrong passwords by login name (blind), whether such a worker exists or not.
CREATE TABLE platform.lockout (
    login_index  bytea PRIMARY KEY,
    failures     integer     NOT NULL,
    locked_until timestamptz,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX lockout_age ON platform.lockout (updated_at);

-- 通知. One row a recipient; request_id makes a repeated request harmless.
CREATE TABLE platform.notification (
    id             uuid PRIMARY KEY,
    request_id     uuid        NOT NULL,
    recipient_kind text        NOT NULL CHECK (recipient_kind IN ('citizen', 'worker')),
    recipient_id   uuid        NOT NULL,
    topic          text        NOT NULL CHECK (topic IN ('FEEDBACK', 'ACTIVITY', 'SERVICE', 'SUPPLY', 'ACCOUNT', 'SYSTEM')),
    title          text        NOT NULL,
    body           text        NOT NULL,
    link           text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    read_at        timestamptz
);
CREATE UNIQUE INDEX notification_request ON platform.notification (request_id, recipient_id);
CREATE INDEX notification_recipient ON platform.notification (recipient_kind, recipient_id, id DESC);
CREATE INDEX notification_unread ON platform.notification (recipient_kind, recipient_id, id DESC) WHERE read_at IS NULL;

-- 文件. Content is stored once by its hash (blob); each upload is a row (file).
CREATE TABLE platform.blob (
    hash       bytea PRIMARY KEY,
    media_type text        NOT NULL,
    bytes      bigint      NOT NULL CHECK (bytes > 0),
    width      integer,
    height     integer,
    created_at timestamptz NOT NULL
);
CREATE TABLE platform.file (
    id         uuid PRIMARY KEY,
    hash       bytea       NOT NULL REFERENCES platform.blob (hash),
    name       text        NOT NULL,
    owner_kind text        NOT NULL CHECK (owner_kind IN ('citizen', 'worker')),
    owner_id   uuid        NOT NULL,
    area_code  text COLLATE "C" NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);
CREATE INDEX file_owner ON platform.file (owner_kind, owner_id, id DESC);
CREATE INDEX file_hash ON platform.file (hash);

-- Which demonstration data was loaded; only the owner writes here.
CREATE TABLE platform.demonstration (
    scale     text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now()
);

-- Row-level security: the second wall behind the services' checks. app.kind,
-- app.principal and app.area are set by package database in each transaction.
ALTER TABLE platform.worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.worker FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.worker USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.worker FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND id::text = current_setting('app.principal', true));
CREATE POLICY scope ON platform.worker
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));

ALTER TABLE platform.assignment ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.assignment FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.assignment USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.assignment FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND worker_id::text = current_setting('app.principal', true));
CREATE POLICY scope ON platform.assignment
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));

ALTER TABLE platform.citizen ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.citizen FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen USING (current_setting('app.kind', true) = 'system');
CREATE POLICY self ON platform.citizen
    USING (current_setting('app.kind', true) = 'citizen' AND id::text = current_setting('app.principal', true));
CREATE POLICY scope ON platform.citizen FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND area_code <> '' AND starts_with(area_code, current_setting('app.area', true)));

ALTER TABLE platform.session ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.session FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.session USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.refresh_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.refresh_token FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.refresh_token USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.lockout ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.lockout FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.lockout USING (current_setting('app.kind', true) = 'system');

ALTER TABLE platform.notification ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.notification FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.notification USING (current_setting('app.kind', true) = 'system');
CREATE POLICY recipient ON platform.notification
    USING (recipient_kind = current_setting('app.kind', true) AND recipient_id::text = current_setting('app.principal', true));

ALTER TABLE platform.file ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.file FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.file USING (current_setting('app.kind', true) = 'system');
CREATE POLICY owner ON platform.file
    USING (owner_kind = current_setting('app.kind', true) AND owner_id::text = current_setting('app.principal', true));

-- Only migrations change the divisions; sent notifications, files and rotated
-- tokens are not unsent.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform TO citizencloud_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA platform TO citizencloud_app;
REVOKE INSERT, UPDATE, DELETE ON platform.area, platform.demonstration FROM citizencloud_app;
REVOKE DELETE ON platform.org_unit, platform.worker, platform.assignment, platform.citizen, platform.notification FROM citizencloud_app;
REVOKE UPDATE, DELETE ON platform.blob, platform.file FROM citizencloud_app;

-- +goose Down
DROP SCHEMA platform CASCADE;
