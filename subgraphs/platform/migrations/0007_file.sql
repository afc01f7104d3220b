-- 文件: what a content is and whether it may be served, versions of a file, its
-- life to the end, holds, and uploads on their way. See package file.
-- +goose Up
SELECT set_config('app.kind', 'system', true); -- files that are there change below, under row-level security

ALTER TABLE platform.blob
    ADD COLUMN key        text, -- where the content lies in the file store
    ADD COLUMN sm3        bytea, -- NULL for content from before
    ADD COLUMN kind       text NOT NULL DEFAULT 'PICTURE' CHECK (kind IN ('PICTURE', 'DOCUMENT', 'ARCHIVE', 'AUDIO', 'VIDEO')),
    ADD COLUMN verdict    text NOT NULL DEFAULT 'CLEAN' CHECK (verdict IN ('SCANNING', 'CLEAN', 'QUARANTINED')),
    ADD COLUMN finding    text NOT NULL DEFAULT '', -- what the scanner called it
    ADD COLUMN scanned_at timestamptz;
UPDATE platform.blob SET key = 'sha256/' || substr(encode(hash, 'hex'), 1, 2) || '/' || encode(hash, 'hex');
ALTER TABLE platform.blob ALTER COLUMN key SET NOT NULL;
CREATE INDEX blob_scanning ON platform.blob (created_at) WHERE verdict = 'SCANNING';

ALTER TABLE platform.file
    ALTER COLUMN hash DROP NOT NULL,
    ADD COLUMN state        text NOT NULL DEFAULT 'AVAILABLE' CHECK (state IN ('SCANNING', 'AVAILABLE', 'QUARANTINED', 'DELETED', 'ARCHIVED', 'PURGED')),
    ADD COLUMN version      integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    ADD COLUMN retain_until timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN held         boolean NOT NULL DEFAULT false, -- whether file_hold has one that is not released
    ADD COLUMN deleted_at   timestamptz,
    ADD CONSTRAINT file_purged CHECK ((hash IS NULL) = (state = 'PURGED')),
    ADD CONSTRAINT file_ended CHECK ((deleted_at IS NULL) = (state NOT IN ('DELETED', 'ARCHIVED', 'PURGED')));
UPDATE platform.file SET retain_until = created_at + interval '180 days';
ALTER TABLE platform.file ALTER COLUMN retain_until DROP DEFAULT;
CREATE INDEX file_scanning ON platform.file (hash) WHERE state = 'SCANNING';
CREATE INDEX file_deleted ON platform.file (deleted_at) WHERE state IN ('DELETED', 'ARCHIVED');

-- Each content that a file had, the present one too. A blob lives while a row
-- here refers to it.
CREATE TABLE platform.file_version (
    file_id    uuid        NOT NULL REFERENCES platform.file (id),
    number     integer     NOT NULL CHECK (number >= 1),
    hash       bytea       NOT NULL REFERENCES platform.blob (hash),
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (file_id, number)
);
CREATE INDEX file_version_hash ON platform.file_version (hash);
INSERT INTO platform.file_version (file_id, number, hash, name, created_at)
SELECT id, 1, hash, name, created_at FROM platform.file;

CREATE TABLE platform.file_history (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id    uuid        NOT NULL REFERENCES platform.file (id),
    action     text        NOT NULL,
    from_state text        NOT NULL DEFAULT '',
    to_state   text        NOT NULL,
    actor_kind text        NOT NULL CHECK (actor_kind IN ('citizen', 'worker', 'system')),
    actor_id   text        NOT NULL,
    note       text        NOT NULL DEFAULT '',
    at         timestamptz NOT NULL
);
CREATE INDEX file_history_file ON platform.file_history (file_id, seq);

-- 法律保全: while one is not released, the file is neither deleted nor purged.
CREATE TABLE platform.file_hold (
    id          uuid PRIMARY KEY,
    file_id     uuid        NOT NULL REFERENCES platform.file (id),
    reason      text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    placed_by   uuid        NOT NULL,
    placed_at   timestamptz NOT NULL,
    released_by uuid,
    released_at timestamptz,
    CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE UNIQUE INDEX file_hold_one ON platform.file_hold (file_id) WHERE released_at IS NULL;

-- Uploads on their way, chunk by chunk (the tus protocol).
CREATE TABLE platform.upload (
    id         uuid PRIMARY KEY,
    owner_kind text        NOT NULL CHECK (owner_kind IN ('citizen', 'worker')),
    owner_id   uuid        NOT NULL,
    area_code  text COLLATE "C" NOT NULL DEFAULT '',
    name       text        NOT NULL,
    claimed    text        NOT NULL DEFAULT '', -- the media type that the client says it is
    metadata   text        NOT NULL DEFAULT '', -- the header Upload-Metadata as it came
    length     bigint      NOT NULL CHECK (length > 0),
    received   bigint      NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND length),
    file_id    uuid, -- what it became
    refusal    text        NOT NULL DEFAULT '', -- why it became nothing
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX upload_owner ON platform.upload (owner_kind, owner_id, id DESC);
CREATE INDEX upload_expires ON platform.upload (expires_at);
CREATE TABLE platform.upload_part (
    upload_id uuid   NOT NULL REFERENCES platform.upload (id) ON DELETE CASCADE,
    start     bigint NOT NULL CHECK (start >= 0),
    bytes     bigint NOT NULL CHECK (bytes > 0),
    key       text   NOT NULL,
    PRIMARY KEY (upload_id, start)
);

-- Content in the file store that goes at the time, unless the row goes first: a
-- row is written before content is put and taken back with the row that refers
-- to it, so that no death of a process leaves content that nobody knows.
CREATE TABLE platform.content_removal (
    key text PRIMARY KEY,
    at  timestamptz NOT NULL
);
CREATE INDEX content_removal_at ON platform.content_removal (at);

GRANT UPDATE, DELETE ON platform.blob TO citizencloud_app;
GRANT UPDATE ON platform.file TO citizencloud_app;
GRANT SELECT, INSERT, DELETE ON platform.file_version TO citizencloud_app;
GRANT SELECT, INSERT ON platform.file_history TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE ON platform.file_hold TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.upload, platform.upload_part, platform.content_removal TO citizencloud_app;

-- The second wall. A file is its owner's; who may hold sees those of the scope.
CREATE POLICY hold_read ON platform.file FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'file.hold' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY hold_write ON platform.file FOR UPDATE
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'file.hold' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER TABLE platform.file_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.file_version FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.file_version USING (current_setting('app.kind', true) = 'system');
CREATE POLICY file ON platform.file_version USING (EXISTS (SELECT FROM platform.file f WHERE f.id = file_id));
ALTER TABLE platform.file_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.file_history FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.file_history USING (current_setting('app.kind', true) = 'system');
CREATE POLICY written ON platform.file_history FOR INSERT
    WITH CHECK (actor_kind = current_setting('app.kind', true) AND actor_id = current_setting('app.principal', true));
ALTER TABLE platform.file_hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.file_hold FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.file_hold USING (current_setting('app.kind', true) = 'system');
CREATE POLICY hold ON platform.file_hold
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'file.hold' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND EXISTS (SELECT FROM platform.file f WHERE f.id = file_id));
ALTER TABLE platform.upload ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.upload FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.upload USING (current_setting('app.kind', true) = 'system');
CREATE POLICY owner ON platform.upload
    USING (owner_kind = current_setting('app.kind', true) AND owner_id::text = current_setting('app.principal', true));
ALTER TABLE platform.upload_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.upload_part FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.upload_part USING (current_setting('app.kind', true) = 'system');
CREATE POLICY owner ON platform.upload_part USING (EXISTS (SELECT FROM platform.upload u WHERE u.id = upload_id));

-- +goose Down
DROP TABLE platform.content_removal, platform.upload_part, platform.upload, platform.file_hold, platform.file_history, platform.file_version;
DROP POLICY hold_read ON platform.file;
DROP POLICY hold_write ON platform.file;
DELETE FROM platform.file WHERE state = 'PURGED';
ALTER TABLE platform.file DROP COLUMN state, DROP COLUMN version, DROP COLUMN retain_until, DROP COLUMN held, DROP COLUMN deleted_at, ALTER COLUMN hash SET NOT NULL;
ALTER TABLE platform.blob DROP COLUMN key, DROP COLUMN sm3, DROP COLUMN kind, DROP COLUMN verdict, DROP COLUMN finding, DROP COLUMN scanned_at;
REVOKE UPDATE, DELETE ON platform.blob FROM citizencloud_app;
REVOKE UPDATE ON platform.file FROM citizencloud_app;
