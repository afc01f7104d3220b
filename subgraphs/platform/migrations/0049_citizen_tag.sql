-- 市民标签: what staff keep of citizens to reach them: each with where it is
-- known from, and until when it counts.
-- +goose Up
CREATE TABLE platform.citizen_tag (
    id          uuid PRIMARY KEY,
    name        text        NOT NULL,
    description text        NOT NULL,
    area_code   text COLLATE "C" NOT NULL, -- whose workers keep it: of this area and the ones above
    prefix      text COLLATE "C" NOT NULL, -- the leading digits that the area and all below share
    enabled     boolean     NOT NULL DEFAULT true,
    created_by  uuid        NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX citizen_tag_name ON platform.citizen_tag (area_code, name);
CREATE INDEX citizen_tag_order ON platform.citizen_tag (id DESC);

CREATE TABLE platform.citizen_tag_holder (
    tag_id     uuid        NOT NULL REFERENCES platform.citizen_tag (id),
    citizen_id uuid        NOT NULL,
    area_code  text COLLATE "C" NOT NULL, -- the tag's
    source     text        NOT NULL, -- where it is known from
    expires_at timestamptz NOT NULL,
    tagged_by  uuid        NOT NULL,
    tagged_at  timestamptz NOT NULL,
    PRIMARY KEY (tag_id, citizen_id)
);
CREATE INDEX citizen_tag_holder_citizen ON platform.citizen_tag_holder (citizen_id);

ALTER TABLE platform.citizen_tag ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen_tag USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY scope ON platform.citizen_tag USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY above ON platform.citizen_tag FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND EXISTS (SELECT FROM unnest(string_to_array(current_setting('app.area', true), ',')) AS scope (prefix) WHERE scope.prefix ^@ citizen_tag.prefix));
-- A citizen sees what is kept of them.
CREATE POLICY held ON platform.citizen_tag FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'citizen'
    AND EXISTS (SELECT FROM platform.citizen_tag_holder h WHERE h.tag_id = citizen_tag.id AND h.citizen_id::text = (SELECT current_setting('app.principal', true))));

ALTER TABLE platform.citizen_tag_holder ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.citizen_tag_holder USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY scope ON platform.citizen_tag_holder USING (
    (SELECT current_setting('app.kind', true)) = 'worker'
    AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY own ON platform.citizen_tag_holder FOR SELECT USING (
    (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));

GRANT SELECT, INSERT, UPDATE ON platform.citizen_tag TO citizencloud_app;
REVOKE DELETE ON platform.citizen_tag FROM citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.citizen_tag_holder TO citizencloud_app;

ALTER TABLE platform.message DROP CONSTRAINT message_audience_check;
ALTER TABLE platform.message ADD CONSTRAINT message_audience_check CHECK (audience IN ('PERSON', 'TAG', 'AREA', 'ROLE', 'EVERYONE'));
ALTER TABLE platform.message ADD COLUMN tag_id uuid REFERENCES platform.citizen_tag (id),
    ADD CONSTRAINT message_tag CHECK ((audience = 'TAG') = (tag_id IS NOT NULL));

-- +goose Down
ALTER TABLE platform.message DROP COLUMN tag_id;
ALTER TABLE platform.message DROP CONSTRAINT message_audience_check;
ALTER TABLE platform.message ADD CONSTRAINT message_audience_check CHECK (audience IN ('PERSON', 'AREA', 'ROLE', 'EVERYONE')) NOT VALID;
DROP POLICY held ON platform.citizen_tag;
DROP TABLE platform.citizen_tag_holder, platform.citizen_tag;
