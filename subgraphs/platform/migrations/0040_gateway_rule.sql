-- 网关规则: what the gateway limits, interrupts or switches off; see package
-- gatewayrule. resource is client:NAME, operation:NAME, client:NAME/operation:NAME
-- or subgraph:NAME.
-- +goose Up
CREATE TABLE platform.gateway_rule (
    id            uuid PRIMARY KEY,
    resource      text             NOT NULL CHECK (length(resource) <= 200
        AND resource ~ '^(client:[^/ ]+|operation:[^/ ]+|client:[^/ ]+/operation:[^/ ]+|subgraph:[^/ ]+)$'),
    kind          text             NOT NULL CHECK (kind IN ('LIMIT', 'BREAKER', 'DEGRADE')),
    threshold     double precision NOT NULL DEFAULT 0 CHECK (threshold BETWEEN 0 AND 1000000),
    burst         integer          NOT NULL DEFAULT 0 CHECK (burst BETWEEN 0 AND 1000000),
    pause_seconds integer          NOT NULL DEFAULT 0 CHECK (pause_seconds BETWEEN 0 AND 3600),
    message       text             NOT NULL DEFAULT '' CHECK (length(message) <= 200),
    enabled       boolean          NOT NULL DEFAULT true,
    version       integer          NOT NULL DEFAULT 1,
    created_at    timestamptz      NOT NULL DEFAULT now(),
    updated_at    timestamptz      NOT NULL DEFAULT now(),
    UNIQUE (resource, kind),
    CHECK (kind <> 'BREAKER' OR threshold >= 1 AND resource LIKE 'subgraph:%'),
    CHECK (kind <> 'LIMIT' OR resource NOT LIKE 'subgraph:%')
);
CREATE INDEX gateway_rule_enabled ON platform.gateway_rule (resource, kind) WHERE enabled;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.gateway_rule TO citizencloud_app;

-- The second wall: the platform itself reads them, those who may manage the gateway change them.
ALTER TABLE platform.gateway_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.gateway_rule FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.gateway_rule USING (current_setting('app.kind', true) = 'system');
CREATE POLICY manage ON platform.gateway_rule
    USING (current_setting('app.kind', true) = 'worker' AND (SELECT 'gateway.manage' = ANY (string_to_array(current_setting('app.actions', true), ','))));

-- +goose Down
DROP TABLE platform.gateway_rule;
