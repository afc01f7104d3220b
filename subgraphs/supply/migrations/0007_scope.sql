-- A data scope may be several prefixes of area codes, with commas between, as
-- that of a functional zone is; "-" and "" match none.
-- +goose Up
ALTER POLICY worker ON supply.history
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY worker ON supply.participant
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY worker ON supply.community_service
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY worker ON supply.distribution
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
ALTER POLICY worker ON supply.demand
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

-- +goose Down
ALTER POLICY worker ON supply.history
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
ALTER POLICY worker ON supply.participant
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
ALTER POLICY worker ON supply.community_service
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
ALTER POLICY worker ON supply.distribution
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
ALTER POLICY worker ON supply.demand
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
