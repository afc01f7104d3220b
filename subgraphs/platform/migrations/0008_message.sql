-- Messages to many: templates with versions and review, messages, one delivery
-- for each recipient and channel, what citizens want to get, where to push.
-- +goose Up

-- 消息模板, each version a row. What was approved does not change any more.
CREATE TABLE platform.message_template (
    id             uuid PRIMARY KEY,
    key            text COLLATE "C" NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    state          text        NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'APPROVED', 'RETIRED')),
    name           text        NOT NULL,
    class          text        NOT NULL CHECK (class IN ('EMERGENCY', 'AFFAIRS', 'COMMUNITY', 'ACTIVITY', 'PROMOTION')),
    title          text        NOT NULL,
    body           text        NOT NULL,
    link           text        NOT NULL DEFAULT '',
    variables      jsonb       NOT NULL,
    area_code      text COLLATE "C" NOT NULL, -- who may use it: this area and all below
    prefix         text COLLATE "C" NOT NULL, -- the leading digits that the area and all below share
    created_by     uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    submitted_at   timestamptz,
    reviewed_by    uuid,
    reviewed_at    timestamptz,
    review_comment text        NOT NULL DEFAULT '',
    retired_at     timestamptz,
    row_version    integer     NOT NULL DEFAULT 1,
    UNIQUE (key, version),
    CHECK (reviewed_by IS NULL OR reviewed_by <> created_by)
);
CREATE UNIQUE INDEX message_template_approved ON platform.message_template (key) WHERE state = 'APPROVED';
CREATE UNIQUE INDEX message_template_draft ON platform.message_template (key) WHERE state IN ('DRAFT', 'SUBMITTED');
CREATE INDEX message_template_order ON platform.message_template (id DESC);

-- 消息: one sending to an audience, which is expanded batch by batch.
CREATE TABLE platform.message (
    id           uuid PRIMARY KEY,
    request_id   uuid        NOT NULL, -- the sender's idempotency key
    digest       bytea       NOT NULL, -- of what was asked for under that key
    template_id  uuid        NOT NULL REFERENCES platform.message_template,
    class        text        NOT NULL,
    title        text        NOT NULL,
    body         text        NOT NULL,
    link         text        NOT NULL DEFAULT '',
    channels     text[]      NOT NULL,
    audience     text        NOT NULL CHECK (audience IN ('PERSON', 'AREA', 'ROLE', 'EVERYONE')),
    people       uuid[]      NOT NULL DEFAULT '{}', -- of PERSON
    role         text        NOT NULL DEFAULT '',   -- of ROLE
    area_code    text COLLATE "C" NOT NULL,
    state        text        NOT NULL CHECK (state IN ('SCHEDULED', 'EXPANDING', 'SENDING', 'COMPLETED', 'RECALLED')),
    send_at      timestamptz NOT NULL,
    step         integer     NOT NULL DEFAULT 0, -- batches expanded, or taken back
    after        uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last person expanded
    after_area   text COLLATE "C" NOT NULL DEFAULT '', -- and where that one lives, of AREA
    stepped_at   timestamptz NOT NULL,
    people_count integer     NOT NULL DEFAULT 0,
    sender_id    uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    recalled_by  uuid,
    recalled_at  timestamptz,
    recall_reason text       NOT NULL DEFAULT '',
    cleared_at   timestamptz, -- when all of a recalled one was taken back
    completed_at timestamptz,
    version      integer     NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX message_request ON platform.message (sender_id, request_id);
CREATE INDEX message_order ON platform.message (id DESC);
CREATE INDEX message_due ON platform.message (send_at) WHERE state = 'SCHEDULED';
CREATE INDEX message_open ON platform.message (stepped_at) WHERE state IN ('EXPANDING', 'SENDING');
CREATE INDEX message_uncleared ON platform.message (stepped_at) WHERE state = 'RECALLED' AND cleared_at IS NULL;

-- 投递: to one recipient through one channel. Numbers and push tokens are read
-- when it is sent, they do not stand here. The ID is the provider's idempotency
-- key and, within the platform, the notification's ID.
CREATE TABLE platform.message_delivery (
    id             uuid PRIMARY KEY,
    message_id     uuid        NOT NULL REFERENCES platform.message,
    channel        text        NOT NULL CHECK (channel IN ('IN_APP', 'PUSH', 'SMS')),
    class          text        NOT NULL,
    recipient_kind text        NOT NULL CHECK (recipient_kind IN ('citizen', 'worker')),
    recipient_id   uuid        NOT NULL,
    area_code      text COLLATE "C" NOT NULL, -- the message's
    state          text        NOT NULL CHECK (state IN ('CREATED', 'SENDING', 'DELIVERED', 'TEMPORARY_FAILURE', 'PERMANENT_FAILURE', 'TECHNICAL_FAILURE', 'CANCELLED')),
    reason         text        NOT NULL DEFAULT '', -- of a failure or cancellation, a code
    urgent         boolean     NOT NULL,
    next_at        timestamptz, -- when to look at it again; NULL when nothing is left to do
    attempts       integer     NOT NULL DEFAULT 0,
    provider       text        NOT NULL DEFAULT '', -- chosen before it is handed over
    provider_ref   text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    accepted_at    timestamptz, -- by the provider
    finished_at    timestamptz,
    clicked_at     timestamptz
);
CREATE UNIQUE INDEX message_delivery_once ON platform.message_delivery (message_id, recipient_id, channel);
CREATE INDEX message_delivery_due ON platform.message_delivery ((channel = 'IN_APP'), urgent DESC, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX message_delivery_open ON platform.message_delivery (message_id) WHERE next_at IS NOT NULL;
CREATE INDEX message_delivery_counts ON platform.message_delivery (message_id, channel, state);
CREATE INDEX message_delivery_recent ON platform.message_delivery (recipient_id, class, created_at);

-- 消息偏好: what a citizen does not want; no row is the class's usual.
CREATE TABLE platform.message_preference (
    citizen_id uuid        NOT NULL,
    class      text        NOT NULL CHECK (class IN ('EMERGENCY', 'AFFAIRS', 'COMMUNITY', 'ACTIVITY', 'PROMOTION')),
    allowed    boolean     NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (citizen_id, class)
);

-- 推送设备: a client's installation; the vendor's token of it is sealed.
CREATE TABLE platform.push_device (
    id              uuid PRIMARY KEY,
    recipient_kind  text        NOT NULL CHECK (recipient_kind IN ('citizen', 'worker')),
    recipient_id    uuid        NOT NULL,
    installation_id uuid        NOT NULL,
    vendor          text        NOT NULL CHECK (vendor IN ('APNS', 'HUAWEI', 'XIAOMI')),
    token           bytea       NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX push_device_installation ON platform.push_device (installation_id);
CREATE INDEX push_device_recipient ON platform.push_device (recipient_id, updated_at DESC);

-- Row-level security: workers see the messages of their scope, and the templates
-- of their scope and of the levels above; citizens what is their own.
ALTER TABLE platform.message_template ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.message_template USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY scope ON platform.message_template USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY above ON platform.message_template FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND EXISTS (SELECT FROM unnest(string_to_array(current_setting('app.area', true), ',')) AS scope (prefix) WHERE scope.prefix ^@ message_template.prefix));

ALTER TABLE platform.message ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.message USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY scope ON platform.message USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

ALTER TABLE platform.message_delivery ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.message_delivery USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY scope ON platform.message_delivery FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY recipient ON platform.message_delivery USING (
    recipient_kind = (SELECT current_setting('app.kind', true)) AND recipient_id::text = (SELECT current_setting('app.principal', true)));

ALTER TABLE platform.message_preference ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.message_preference USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY own ON platform.message_preference USING (
    (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));

ALTER TABLE platform.push_device ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.push_device USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY own ON platform.push_device USING (
    recipient_kind = (SELECT current_setting('app.kind', true)) AND recipient_id::text = (SELECT current_setting('app.principal', true)));

GRANT SELECT, INSERT, UPDATE ON platform.message_template, platform.message, platform.message_delivery, platform.message_preference TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.push_device TO citizencloud_app;
REVOKE DELETE ON platform.message_template, platform.message, platform.message_delivery, platform.message_preference FROM citizencloud_app;
-- A message that is called back disappears within the platform.
GRANT DELETE ON platform.notification TO citizencloud_app;
CREATE POLICY recall ON platform.notification AS RESTRICTIVE FOR DELETE USING ((SELECT current_setting('app.kind', true)) = 'system');

-- +goose Down
DROP POLICY recall ON platform.notification;
REVOKE DELETE ON platform.notification FROM citizencloud_app;
DROP TABLE platform.push_device, platform.message_preference, platform.message_delivery, platform.message, platform.message_template;
