-- A data scope may be several prefixes of area codes, with commas between, as
-- that of a functional zone is; "-" and "" match none.
-- +goose Up
ALTER POLICY seen ON community.feedback_case
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY changed ON community.feedback_case
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY seen ON community.feedback_event
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY seen ON community.feedback_tally
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY seen ON community.feedback_day
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY seen ON community.activity
    USING (
    state <> 'DRAFT'
    OR (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY made ON community.activity
    WITH CHECK (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY changed ON community.activity
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY seen ON community.registration
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY changed ON community.registration
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

-- +goose Down
ALTER POLICY seen ON community.feedback_case
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY changed ON community.feedback_case
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY seen ON community.feedback_event
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY seen ON community.feedback_tally
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER POLICY seen ON community.feedback_day
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER POLICY seen ON community.activity
    USING (
    state <> 'DRAFT'
    OR (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER POLICY made ON community.activity
    WITH CHECK (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER POLICY changed ON community.activity
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
ALTER POLICY seen ON community.registration
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true)))
    OR (SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
ALTER POLICY changed ON community.registration
    USING (
    (SELECT current_setting('app.kind', true)) = 'system'
    OR (SELECT current_setting('app.kind', true)) = 'worker' AND starts_with(area_code, (SELECT current_setting('app.area', true))));
