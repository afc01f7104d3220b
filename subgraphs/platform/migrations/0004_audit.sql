-- The audit log 操作日志: what was done, by whom, on what, and how it ended.
-- Entries are chained by hashes within a day, days by their roots; what the day
-- has come to is sealed by a signature. See package audit and docs/adr.
-- +goose Up

-- One entry a target. day is Chengdu's date when the entry was appended, seq its
-- place within the day. before, after and input are JSON as text: the hash is of
-- these very bytes.
CREATE TABLE platform.audit_entry (
    day         date        NOT NULL,
    seq         bigint      NOT NULL CHECK (seq > 0),
    id          uuid        NOT NULL,
    at          timestamptz NOT NULL,
    subgraph    text        NOT NULL,
    action      text        NOT NULL,
    result      text        NOT NULL,
    actor_kind  text        NOT NULL,
    actor_id    text        NOT NULL,
    actor_name  text        NOT NULL,
    actor_roles text[]      NOT NULL,
    actor_unit  text        NOT NULL,
    actor_post  text        NOT NULL,
    delegation  text        NOT NULL, -- by which the actor stood in for somebody; '' for none
    session     text        NOT NULL,
    area_code   text COLLATE "C" NOT NULL,
    client      text        NOT NULL,
    address     text        NOT NULL,
    request     text        NOT NULL,
    trace       text        NOT NULL,
    purpose     text        NOT NULL,
    target_kind text        NOT NULL,
    target_id   text        NOT NULL,
    before      text        NOT NULL,
    after       text        NOT NULL,
    input       text        NOT NULL,
    hash        bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (day, seq)
) PARTITION BY RANGE (day);
CREATE INDEX audit_entry_id ON platform.audit_entry (id);
CREATE INDEX audit_entry_actor ON platform.audit_entry (actor_id, day, seq);
CREATE INDEX audit_entry_target ON platform.audit_entry (target_id, day, seq);
CREATE INDEX audit_entry_action ON platform.audit_entry (action, day, seq);
CREATE INDEX audit_entry_refused ON platform.audit_entry (day, seq) WHERE result <> 'OK';
CREATE INDEX audit_entry_administrator ON platform.audit_entry (day, seq)
    WHERE actor_roles && ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN'];

-- What each day has come to: the number of entries and the hash of the last
-- one, signed. It grows with the day and stays as it is once it is final. Only
-- the newest signature is kept: an older one would vouch for a log cut short.
CREATE TABLE platform.audit_seal (
    day       date PRIMARY KEY,
    count     bigint      NOT NULL CHECK (count > 0),
    previous  bytea       NOT NULL CHECK (length(previous) = 32), -- root of the day before
    root      bytea       NOT NULL CHECK (length(root) = 32),
    final     boolean     NOT NULL,
    key_id    text        NOT NULL,
    signature bytea       NOT NULL,
    sealed_at timestamptz NOT NULL
);

-- Nobody changes an entry, the owner of the tables neither, unless by first
-- taking these triggers away; then the verification tells.
-- +goose StatementBegin
CREATE FUNCTION platform.audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION platform.audit_seal_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.final OR NEW.day <> OLD.day OR NEW.previous <> OLD.previous OR NEW.count < OLD.count OR NEW.count = OLD.count AND NEW.root <> OLD.root THEN
        RAISE EXCEPTION 'the seal of % only grows until it is final', OLD.day USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
-- The month's partition is made when its first entry comes. The role that serves
-- requests may not make tables, so this runs as the owner; partitions are
-- reached through the table only.
CREATE FUNCTION platform.audit_partition(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name  text := 'audit_entry_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass('platform.' || name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE platform.%I PARTITION OF platform.audit_entry FOR VALUES FROM (%L) TO (%L)', name, first, (first + interval '1 month')::date);
    EXECUTE format('REVOKE ALL ON platform.%I FROM PUBLIC, citizencloud_app', name);
    EXECUTE format('CREATE TRIGGER whole BEFORE TRUNCATE ON platform.%I EXECUTE FUNCTION platform.audit_refuse()', name);
END $$;
-- +goose StatementEnd
CREATE TRIGGER entry BEFORE UPDATE OR DELETE ON platform.audit_entry FOR EACH ROW EXECUTE FUNCTION platform.audit_refuse();
CREATE TRIGGER whole BEFORE TRUNCATE ON platform.audit_entry EXECUTE FUNCTION platform.audit_refuse();
CREATE TRIGGER grows BEFORE UPDATE ON platform.audit_seal FOR EACH ROW EXECUTE FUNCTION platform.audit_seal_grows();
CREATE TRIGGER entry BEFORE DELETE ON platform.audit_seal FOR EACH ROW EXECUTE FUNCTION platform.audit_refuse();
CREATE TRIGGER whole BEFORE TRUNCATE ON platform.audit_seal EXECUTE FUNCTION platform.audit_refuse();
REVOKE ALL ON FUNCTION platform.audit_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.audit_partition(date) TO citizencloud_app;

-- The platform appends; in their data scope auditors read all, the three
-- administrators what they and the two others did; nobody else sees anything.
ALTER TABLE platform.audit_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.audit_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY append ON platform.audit_entry FOR INSERT WITH CHECK (current_setting('app.kind', true) = 'system');
CREATE POLICY system ON platform.audit_entry FOR SELECT USING (current_setting('app.kind', true) = 'system');
CREATE POLICY scope ON platform.audit_entry FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[])
        AND ('audit.view' = ANY ((SELECT string_to_array(current_setting('app.actions', true), ','))::text[])
            OR 'audit.administrators' = ANY ((SELECT string_to_array(current_setting('app.actions', true), ','))::text[])
                AND actor_roles && ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN']));
ALTER TABLE platform.audit_seal ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.audit_seal FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.audit_seal USING (current_setting('app.kind', true) = 'system');

REVOKE ALL ON platform.audit_entry, platform.audit_seal FROM citizencloud_app;
GRANT SELECT, INSERT ON platform.audit_entry TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE ON platform.audit_seal TO citizencloud_app;

-- +goose Down
DROP TABLE platform.audit_entry, platform.audit_seal;
DROP FUNCTION platform.audit_refuse, platform.audit_seal_grows, platform.audit_partition;
