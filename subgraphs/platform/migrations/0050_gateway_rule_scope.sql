-- 网关规则 count in the whole city, so only who administers the city may manage them.
-- +goose Up
DROP POLICY manage ON platform.gateway_rule;
CREATE POLICY manage ON platform.gateway_rule
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'gateway.manage' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND '510100000000' ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

-- +goose Down
DROP POLICY manage ON platform.gateway_rule;
CREATE POLICY manage ON platform.gateway_rule
    USING (current_setting('app.kind', true) = 'worker' AND (SELECT 'gateway.manage' = ANY (string_to_array(current_setting('app.actions', true), ','))));
