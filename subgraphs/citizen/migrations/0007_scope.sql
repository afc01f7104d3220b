-- A data scope may be several prefixes of area codes, with commas between, as
-- that of a functional zone is; "-" and "" match none.
-- +goose Up
ALTER POLICY worker ON citizen.service
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY worker ON citizen.service_change
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND s.area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])));
ALTER POLICY worker ON citizen.service_entry
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND s.area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])));

-- +goose Down
ALTER POLICY worker ON citizen.service
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
ALTER POLICY worker ON citizen.service_change
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND starts_with(s.area_code, current_setting('app.area', true))));
ALTER POLICY worker ON citizen.service_entry
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND starts_with(s.area_code, current_setting('app.area', true))));
