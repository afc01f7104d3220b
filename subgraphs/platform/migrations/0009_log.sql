-- 全量日志 logs: what the processes of the platform and its clients tell of
-- themselves, personal data taken out before it is stored; see package log.
-- +goose Up

CREATE TABLE platform.log_entry (
    at          timestamptz NOT NULL,
    id          uuid        NOT NULL,
    level       smallint    NOT NULL CHECK (level BETWEEN 0 AND 3), -- DEBUG, INFO, WARN, ERROR
    source      text        NOT NULL CHECK (source IN ('PROCESS', 'CLIENT')),
    service     text        NOT NULL, -- the process, or the client application
    instance    text        NOT NULL, -- which one of several; '' of a client
    version     text        NOT NULL, -- of the service; '' where unknown
    message     text        NOT NULL,
    attributes  text        NOT NULL, -- JSON object; '' for none
    request     text        NOT NULL,
    trace       text        NOT NULL,
    user_id     text        NOT NULL, -- the principal's; '' for nobody
    search      tsvector    NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX log_entry_level ON platform.log_entry (level, at, id);
CREATE INDEX log_entry_service ON platform.log_entry (service, at, id);
CREATE INDEX log_entry_trace ON platform.log_entry (trace, at, id) WHERE trace <> '';
CREATE INDEX log_entry_request ON platform.log_entry (request, at, id) WHERE request <> '';
CREATE INDEX log_entry_user ON platform.log_entry (user_id, at, id) WHERE user_id <> '';
CREATE INDEX log_entry_search ON platform.log_entry USING gin (search);

-- Partitions are months of UTC, made ahead and dropped when they are too old. The role that
-- serves requests may not make tables, so these run as the owner; partitions
-- are reached through the table only.
-- +goose StatementBegin
CREATE FUNCTION platform.log_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    first timestamptz := date_trunc('month', moment);
    name  text := 'log_entry_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass('platform.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('platform.log_partition'));
    IF to_regclass('platform.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE platform.%I PARTITION OF platform.log_entry FOR VALUES FROM (%L) TO (%L)', name, first, first + interval '1 month');
    EXECUTE format('REVOKE ALL ON platform.%I FROM PUBLIC, citizencloud_app', name);
END $$;
-- What ended before the moment goes; never less than six months, which the law
-- wants kept (等保三级). It gives the names of what it dropped.
CREATE FUNCTION platform.log_drop_before(moment timestamptz) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    last text := 'log_entry_' || to_char(least(date_trunc('month', moment), date_trunc('month', now()) - interval '6 months'), 'YYYYMM');
    old  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('platform.log_partition'));
    FOR old IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'platform.log_entry'::regclass AND c.relname < last ORDER BY 1 LOOP
        EXECUTE format('DROP TABLE platform.%I', old);
        RETURN NEXT old;
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION platform.log_partition(timestamptz), platform.log_drop_before(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.log_partition(timestamptz), platform.log_drop_before(timestamptz) TO citizencloud_app;

-- The platform writes; who may see logs reads. Nobody changes one.
ALTER TABLE platform.log_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.log_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY write ON platform.log_entry FOR INSERT WITH CHECK (current_setting('app.kind', true) = 'system');
CREATE POLICY read ON platform.log_entry FOR SELECT
    USING ((SELECT current_setting('app.kind', true) = 'system'
        OR current_setting('app.kind', true) = 'worker' AND 'log.view' = ANY (string_to_array(current_setting('app.actions', true), ','))));
GRANT SELECT, INSERT ON platform.log_entry TO citizencloud_app;

-- +goose Down
DROP TABLE platform.log_entry;
DROP FUNCTION platform.log_partition, platform.log_drop_before;
