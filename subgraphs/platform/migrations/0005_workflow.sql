-- +goose Up

-- The calendar that time limits count by: a copy of the community's, kept in
-- step by its events. Days that depart from "Monday to Friday is work" only.
CREATE TABLE platform.workday (
    day  date PRIMARY KEY,
    work boolean NOT NULL,
    name text    NOT NULL
);
INSERT INTO platform.workday (day, work, name)
SELECT day::date, work, name
FROM (VALUES
    ('2026-01-01'::date, '2026-01-03'::date, false, '元旦'),
    ('2026-01-04', '2026-01-04', true,  '元旦调休上班'),
    ('2026-02-15', '2026-02-23', false, '春节'),
    ('2026-02-14', '2026-02-14', true,  '春节调休上班'),
    ('2026-02-28', '2026-02-28', true,  '春节调休上班'),
    ('2026-04-04', '2026-04-06', false, '清明节'),
    ('2026-05-01', '2026-05-05', false, '劳动节'),
    ('2026-05-09', '2026-05-09', true,  '劳动节调休上班'),
    ('2026-06-19', '2026-06-21', false, '端午节'),
    ('2026-09-25', '2026-09-27', false, '中秋节'),
    ('2026-10-01', '2026-10-07', false, '国庆节'),
    ('2026-09-20', '2026-09-20', true,  '国庆节调休上班'),
    ('2026-10-10', '2026-10-10', true,  '国庆节调休上班')
) AS holiday(first, last, work, name)
CROSS JOIN LATERAL generate_series(first::timestamp, last::timestamp, INTERVAL '1 day') AS day;

-- 流程定义, each version a row. What is published does not change any more.
CREATE TABLE platform.workflow_definition (
    key          text COLLATE "C" NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    state        text        NOT NULL CHECK (state IN ('DRAFT', 'REVIEWED', 'PUBLISHED', 'RETIRED')),
    name         text        NOT NULL,
    module       text        NOT NULL,
    body         text        NOT NULL,
    created_by   text        NOT NULL, -- a worker's ID, or 'platform' of what comes with it
    created_at   timestamptz NOT NULL,
    reviewed_by  text,
    reviewed_at  timestamptz,
    published_at timestamptz,
    retired_at   timestamptz,
    row_version  integer     NOT NULL DEFAULT 1,
    PRIMARY KEY (key, version)
);
CREATE UNIQUE INDEX workflow_definition_published ON platform.workflow_definition (key) WHERE state = 'PUBLISHED';
CREATE UNIQUE INDEX workflow_definition_draft ON platform.workflow_definition (key) WHERE state IN ('DRAFT', 'REVIEWED');
CREATE INDEX workflow_definition_order ON platform.workflow_definition (key, version DESC);

-- 流程实例.
CREATE TABLE platform.workflow_instance (
    id                 uuid PRIMARY KEY,
    definition_key     text COLLATE "C" NOT NULL,
    definition_version integer     NOT NULL,
    module             text        NOT NULL,
    subject_id         text        NOT NULL DEFAULT '', -- what it is about, in its module
    subject_version    integer     NOT NULL DEFAULT 0,  -- the latest that the module told of it
    request_id         uuid,                            -- chosen by who asked for it; asked twice it starts once
    title              text        NOT NULL,
    area_code          text COLLATE "C" NOT NULL,
    state              text        NOT NULL,
    status             text        NOT NULL CHECK (status IN ('RUNNING', 'ENDED', 'WITHDRAWN')),
    outcome            text        NOT NULL DEFAULT '',
    initiator_kind     text        NOT NULL CHECK (initiator_kind IN ('citizen', 'worker', 'system')),
    initiator_id       text        NOT NULL,
    variables          jsonb       NOT NULL,
    trail              text[]      NOT NULL,
    decided            boolean     NOT NULL,
    round              integer     NOT NULL,
    participants       text[]      NOT NULL, -- addressees (see inbox_item) of all tasks so far, and who was told
    due_at             timestamptz,
    urged_at           timestamptz,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    ended_at           timestamptz,
    version            integer     NOT NULL,
    FOREIGN KEY (definition_key, definition_version) REFERENCES platform.workflow_definition
);
CREATE UNIQUE INDEX workflow_instance_request ON platform.workflow_instance (request_id) WHERE request_id IS NOT NULL;
CREATE UNIQUE INDEX workflow_instance_subject ON platform.workflow_instance (definition_key, subject_id) WHERE subject_id <> '';
CREATE INDEX workflow_instance_definition ON platform.workflow_instance (definition_key, definition_version) WHERE status = 'RUNNING';

-- 待办任务: one seat of one round, somebody's sign-off.
CREATE TABLE platform.workflow_task (
    id             uuid PRIMARY KEY,
    instance_id    uuid        NOT NULL REFERENCES platform.workflow_instance,
    round          integer     NOT NULL,
    state          text        NOT NULL,
    seq            integer     NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('SEATED', 'BEFORE', 'AFTER', 'AMEND')),
    parent_id      uuid,
    status         text        NOT NULL CHECK (status IN ('WAITING', 'OPEN', 'DONE', 'CANCELLED')),
    worker_id      uuid,
    role           text        NOT NULL DEFAULT '',
    role_area      text COLLATE "C" NOT NULL DEFAULT '',
    delegate_id    uuid,
    delegate_until timestamptz,
    escalation     integer     NOT NULL DEFAULT 0,
    superior_role  text        NOT NULL DEFAULT '',
    superior_area  text COLLATE "C" NOT NULL DEFAULT '',
    opened_at      timestamptz,
    due_at         timestamptz,
    check_at       timestamptz,
    decided_at     timestamptz,
    decided_by     text        NOT NULL DEFAULT '',
    decision       text        NOT NULL DEFAULT ''
);
CREATE INDEX workflow_task_instance ON platform.workflow_task (instance_id, round, seq);
CREATE INDEX workflow_task_check ON platform.workflow_task (check_at) WHERE check_at IS NOT NULL;

-- 流转记录, never changed.
CREATE TABLE platform.workflow_history (
    id          uuid PRIMARY KEY,
    instance_id uuid        NOT NULL REFERENCES platform.workflow_instance,
    seq         integer     NOT NULL,
    at          timestamptz NOT NULL,
    action      text        NOT NULL,
    from_state  text        NOT NULL,
    to_state    text        NOT NULL,
    actor_kind  text        NOT NULL,
    actor_id    text        NOT NULL,
    for_id      text        NOT NULL DEFAULT '', -- the holder, where a delegate or superior acted
    task_id     uuid,
    target_id   text        NOT NULL DEFAULT '',
    comment     text        NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX workflow_history_order ON platform.workflow_history (instance_id, seq);

-- 收件箱: what is in whose inbox. addressee is 'w:' and a worker's ID, or 'r:', a
-- role, ':' and an area, for whoever holds the role there.
CREATE TABLE platform.inbox_item (
    id          uuid PRIMARY KEY,
    addressee   text COLLATE "C" NOT NULL,
    list        text        NOT NULL CHECK (list IN ('TODO', 'DONE', 'MINE', 'CC')),
    instance_id uuid        NOT NULL REFERENCES platform.workflow_instance,
    task_id     uuid,        -- of a TODO
    module      text        NOT NULL,
    title       text        NOT NULL,
    label       text        NOT NULL, -- of the state
    link        text        NOT NULL,
    area_code   text COLLATE "C" NOT NULL,
    at          timestamptz NOT NULL,
    due_at      timestamptz NOT NULL DEFAULT 'infinity',
    expires_at  timestamptz NOT NULL DEFAULT 'infinity', -- of a delegation
    scope_area  text COLLATE "C" NOT NULL DEFAULT ''     -- the area of a role's addressee
);
CREATE INDEX inbox_item_order ON platform.inbox_item (addressee, list, at DESC, id DESC);
CREATE INDEX inbox_item_module ON platform.inbox_item (addressee, list, module, at DESC, id DESC);
CREATE INDEX inbox_item_due ON platform.inbox_item (addressee, list, due_at, id);
CREATE INDEX inbox_item_instance ON platform.inbox_item (instance_id);

-- Who has opened which item; a role's item is unread for each holder alone.
CREATE TABLE platform.inbox_read (
    worker_id uuid NOT NULL,
    item_id   uuid NOT NULL REFERENCES platform.inbox_item ON DELETE CASCADE,
    at        timestamptz NOT NULL,
    PRIMARY KEY (worker_id, item_id)
);
CREATE INDEX inbox_read_item ON platform.inbox_read (item_id);

-- Row-level security. Instances move as the system, after the engine has found
-- that the caller may; a worker reads what lies in the data scope, and what the
-- worker began or took part in.
ALTER TABLE platform.workflow_definition ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON platform.workflow_definition USING ((SELECT current_setting('app.kind', true)) IN ('worker', 'system'));

ALTER TABLE platform.workflow_instance ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.workflow_instance USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY initiator ON platform.workflow_instance FOR SELECT USING (
    initiator_kind = (SELECT current_setting('app.kind', true)) AND initiator_id = (SELECT current_setting('app.principal', true)));
CREATE POLICY worker ON platform.workflow_instance FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND (area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
         OR participants && ARRAY['w:' || (SELECT current_setting('app.principal', true))]
         OR EXISTS (SELECT FROM platform.inbox_item x WHERE x.instance_id = workflow_instance.id
                    AND x.addressee = 'w:' || (SELECT current_setting('app.principal', true)))));

ALTER TABLE platform.workflow_task ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.workflow_task USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY seen ON platform.workflow_task FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) IN ('worker', 'citizen')
    AND EXISTS (SELECT FROM platform.workflow_instance i WHERE i.id = instance_id));
ALTER TABLE platform.workflow_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.workflow_history USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY seen ON platform.workflow_history FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) IN ('worker', 'citizen')
    AND EXISTS (SELECT FROM platform.workflow_instance i WHERE i.id = instance_id));

ALTER TABLE platform.inbox_item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.inbox_item USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY own ON platform.inbox_item FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND (addressee = 'w:' || (SELECT current_setting('app.principal', true))
         OR scope_area <> '' AND scope_area ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])));

ALTER TABLE platform.inbox_read ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.inbox_read USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY own ON platform.inbox_read USING (
    (SELECT current_setting('app.kind', true)) = 'worker' AND worker_id::text = (SELECT current_setting('app.principal', true)));

ALTER TABLE platform.workday ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY read ON platform.workday FOR SELECT USING (true);
CREATE POLICY kept ON platform.workday USING ((SELECT current_setting('app.kind', true)) = 'system');

GRANT SELECT, INSERT, UPDATE ON platform.workflow_definition, platform.workflow_instance, platform.workflow_task TO citizencloud_app;
GRANT SELECT, INSERT ON platform.workflow_history TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.inbox_item, platform.inbox_read, platform.workday TO citizencloud_app;
REVOKE UPDATE, DELETE ON platform.workflow_history FROM citizencloud_app;
REVOKE DELETE ON platform.workflow_definition, platform.workflow_instance, platform.workflow_task FROM citizencloud_app;
