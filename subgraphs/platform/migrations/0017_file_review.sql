-- 文件: quarantined files are released or deleted by who reviews them; what has
-- to be looked after is listed; the history is seen by those who look after it.
-- +goose Up
ALTER TABLE platform.blob
    ADD COLUMN released_by    uuid, -- the worker who overruled the scanner
    ADD COLUMN released_at    timestamptz,
    ADD COLUMN release_reason text NOT NULL DEFAULT '' CHECK (length(release_reason) <= 500),
    ADD CONSTRAINT blob_released CHECK ((released_by IS NULL) = (released_at IS NULL));

CREATE INDEX file_in_care ON platform.file (id DESC) WHERE held OR state NOT IN ('AVAILABLE', 'PURGED');
CREATE INDEX file_quarantined ON platform.file (hash) WHERE state = 'QUARANTINED';

-- Who holds or reviews files sees and changes those of the scope.
DROP POLICY hold_read ON platform.file;
DROP POLICY hold_write ON platform.file;
CREATE POLICY care_read ON platform.file FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT string_to_array(current_setting('app.actions', true), ',') && ARRAY['file.hold', 'file.review'])
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY care_write ON platform.file FOR UPDATE
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT string_to_array(current_setting('app.actions', true), ',') && ARRAY['file.hold', 'file.review'])
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY care_read ON platform.file_history FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT string_to_array(current_setting('app.actions', true), ',') && ARRAY['file.hold', 'file.review'])
        AND EXISTS (SELECT FROM platform.file f WHERE f.id = file_id
            AND f.area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])));

-- +goose Down
DROP POLICY care_read ON platform.file_history;
DROP POLICY care_write ON platform.file;
DROP POLICY care_read ON platform.file;
CREATE POLICY hold_read ON platform.file FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'file.hold' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY hold_write ON platform.file FOR UPDATE
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'file.hold' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
DROP INDEX platform.file_in_care, platform.file_quarantined;
ALTER TABLE platform.blob DROP COLUMN released_by, DROP COLUMN released_at, DROP COLUMN release_reason;
