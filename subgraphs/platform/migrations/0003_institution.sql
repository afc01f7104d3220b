-- Institutions: posts with their roles and data scope, delegations, second
-- factors, and who may change what. A data scope may be several prefixes of
-- area codes, with commas between, as that of a functional zone is; "-" and ""
-- match none. app.actions holds what the caller's roles grant.
-- +goose Up

-- 岗位: a named post in a unit. Only a security administrator sets its roles and scope.
CREATE TABLE platform.post (
    id          uuid PRIMARY KEY,
    unit_id     uuid        NOT NULL REFERENCES platform.org_unit (id),
    area_code   text COLLATE "C" NOT NULL,
    name        text        NOT NULL,
    roles       text[]      NOT NULL DEFAULT '{}',
    data_scope  text        NOT NULL DEFAULT 'UNIT_AND_BELOW' CHECK (data_scope IN ('ALL', 'CUSTOM', 'UNIT', 'UNIT_AND_BELOW', 'SELF')),
    scope_areas text[]      NOT NULL DEFAULT '{}',
    state       text        NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'ABOLISHED')),
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT post_scope CHECK ((data_scope = 'CUSTOM') = (cardinality(scope_areas) > 0)),
    CONSTRAINT one_administrator CHECK (('SYSTEM_ADMIN' = ANY (roles))::int + ('SECURITY_ADMIN' = ANY (roles))::int + ('AUDIT_ADMIN' = ANY (roles))::int <= 1)
);
CREATE UNIQUE INDEX post_name ON platform.post (unit_id, name) WHERE state = 'ACTIVE';
CREATE INDEX post_area ON platform.post (area_code, id);

-- A unit's name is its own among the units of its area below one unit.
CREATE UNIQUE INDEX org_unit_name ON platform.org_unit (parent_id, area_code, name) WHERE state <> 'DISSOLVED';

-- Who assigns gives no roles: they are empty until a security administrator grants them.
ALTER TABLE platform.assignment
    ADD COLUMN post_id     uuid REFERENCES platform.post (id),
    ADD COLUMN data_scope  text   NOT NULL DEFAULT 'UNIT_AND_BELOW' CHECK (data_scope IN ('ALL', 'CUSTOM', 'UNIT', 'UNIT_AND_BELOW', 'SELF')),
    ADD COLUMN scope_areas text[] NOT NULL DEFAULT '{}',
    ADD COLUMN granted_by  uuid,
    ADD COLUMN granted_at  timestamptz,
    ADD CONSTRAINT assignment_scope CHECK ((data_scope = 'CUSTOM') = (cardinality(scope_areas) > 0)),
    ADD CONSTRAINT one_administrator CHECK (('SYSTEM_ADMIN' = ANY (roles))::int + ('SECURITY_ADMIN' = ANY (roles))::int + ('AUDIT_ADMIN' = ANY (roles))::int <= 1);
CREATE INDEX assignment_post ON platform.assignment (post_id, worker_id) WHERE post_id IS NOT NULL;

ALTER TABLE platform.worker
    ADD COLUMN password_due        boolean NOT NULL DEFAULT false,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN state_reason        text NOT NULL DEFAULT '',
    ADD COLUMN left_at             timestamptz,
    ADD COLUMN successor_id        uuid REFERENCES platform.worker (id);

-- The last passwords, which may not come again.
CREATE TABLE platform.password_history (
    id            uuid PRIMARY KEY,
    worker_id     uuid        NOT NULL REFERENCES platform.worker (id),
    password_hash text        NOT NULL,
    at            timestamptz NOT NULL
);
CREATE INDEX password_history_worker ON platform.password_history (worker_id, at DESC);

-- 委托: roles of one's own post that another worker acts by, from then to then.
CREATE TABLE platform.delegation (
    id             uuid PRIMARY KEY,
    assignment_id  uuid        NOT NULL REFERENCES platform.assignment (id),
    from_worker_id uuid        NOT NULL REFERENCES platform.worker (id),
    to_worker_id   uuid        NOT NULL REFERENCES platform.worker (id),
    area_code      text COLLATE "C" NOT NULL,
    roles          text[]      NOT NULL CHECK (cardinality(roles) > 0),
    reason         text        NOT NULL,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    revoked_at     timestamptz,
    created_at     timestamptz NOT NULL,
    CHECK (from_worker_id <> to_worker_id),
    CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '90 days'),
    CONSTRAINT one_administrator CHECK (('SYSTEM_ADMIN' = ANY (roles))::int + ('SECURITY_ADMIN' = ANY (roles))::int + ('AUDIT_ADMIN' = ANY (roles))::int <= 1)
);
CREATE INDEX delegation_from ON platform.delegation (from_worker_id, id DESC);
CREATE INDEX delegation_to ON platform.delegation (to_worker_id, id DESC);

-- 双因素: the sealed secret of RFC 6238, the last time step that was used, and
-- the hashes of the recovery codes.
CREATE TABLE platform.second_factor (
    worker_id    uuid PRIMARY KEY REFERENCES platform.worker (id),
    secret       bytea       NOT NULL,
    confirmed_at timestamptz,
    last_step    bigint      NOT NULL DEFAULT 0,
    failures     integer     NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at   timestamptz NOT NULL
);
CREATE TABLE platform.recovery_code (
    worker_id uuid  NOT NULL REFERENCES platform.second_factor (worker_id) ON DELETE CASCADE,
    hash      bytea NOT NULL,
    used_at   timestamptz,
    PRIMARY KEY (worker_id, hash)
);
ALTER TABLE platform.session
    ADD COLUMN assignment_id    uuid,
    ADD COLUMN delegation_id    uuid,
    ADD COLUMN second_factor_at timestamptz;

-- What was changed of units, posts, workers and their permissions; never changed itself.
CREATE TABLE platform.institution_change (
    id           uuid PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor_id     text        NOT NULL,
    actor_name   text        NOT NULL,
    actor_role   text        NOT NULL DEFAULT '',
    subject_kind text        NOT NULL CHECK (subject_kind IN ('UNIT', 'POST', 'WORKER', 'DELEGATION')),
    subject_id   uuid        NOT NULL,
    subject_name text        NOT NULL,
    area_code    text COLLATE "C" NOT NULL,
    action       text        NOT NULL,
    detail       text        NOT NULL DEFAULT ''
);
CREATE INDEX institution_change_subject ON platform.institution_change (subject_id, id DESC);

-- Nobody holds two of the three administrators 三员 at the same time, by
-- whatever assignment or delegation. The lock makes two grants at the same time
-- see each other.
-- +goose StatementBegin
CREATE FUNCTION platform.one_administrator() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "app.kind" = 'system' AS $$
DECLARE
    administrators constant text[] := ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN'];
    holder uuid;
    new_during tstzrange;
BEGIN
    IF NOT NEW.roles && administrators THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'assignment' THEN
        holder := NEW.worker_id;
        new_during := tstzrange(NEW.valid_from::timestamp AT TIME ZONE 'Asia/Shanghai', (NEW.valid_to + 1)::timestamp AT TIME ZONE 'Asia/Shanghai');
    ELSIF NEW.revoked_at IS NOT NULL THEN
        RETURN NULL;
    ELSE
        holder := NEW.to_worker_id;
        new_during := tstzrange(NEW.starts_at, NEW.ends_at);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('administrator ' || holder, 0));
    IF EXISTS (
        SELECT FROM (
            SELECT id, roles, tstzrange(valid_from::timestamp AT TIME ZONE 'Asia/Shanghai', (valid_to + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') AS during
            FROM platform.assignment WHERE worker_id = holder
            UNION ALL
            SELECT id, roles, tstzrange(starts_at, ends_at) FROM platform.delegation WHERE to_worker_id = holder AND revoked_at IS NULL
        ) held
        WHERE held.id <> NEW.id AND held.during && new_during AND EXISTS (
            SELECT FROM unnest(held.roles) AS role WHERE role = ANY (administrators) AND role <> ALL (NEW.roles))
    ) THEN
        RAISE EXCEPTION 'nobody holds two of the three administrators' USING ERRCODE = '23514', CONSTRAINT = 'one_administrator';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER one_administrator AFTER INSERT OR UPDATE OF roles, worker_id, valid_from, valid_to ON platform.assignment
    FOR EACH ROW EXECUTE FUNCTION platform.one_administrator();
CREATE TRIGGER one_administrator AFTER INSERT OR UPDATE ON platform.delegation
    FOR EACH ROW EXECUTE FUNCTION platform.one_administrator();
REVOKE EXECUTE ON FUNCTION platform.one_administrator() FROM PUBLIC;

-- Roles and data scopes come from who may grant roles, and never to oneself;
-- others may only take away. The system and the owner are bound by nothing here.
-- +goose StatementBegin
CREATE FUNCTION platform.roles_are_granted() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before text[] := '{}';
    receiver text := '';
BEGIN
    IF current_setting('app.kind', true) IS DISTINCT FROM 'worker' THEN
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'assignment' THEN
        receiver := NEW.worker_id::text;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        before := OLD.roles;
        IF NEW.roles <@ before AND (NEW.roles = '{}' OR (NEW.data_scope, NEW.scope_areas) = (OLD.data_scope, OLD.scope_areas) AND (NEW.area_code = OLD.area_code)) THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.roles = '{}' AND NEW.data_scope = 'UNIT_AND_BELOW' THEN
        RETURN NEW;
    END IF;
    IF ('role.grant' = ANY (string_to_array(current_setting('app.actions', true), ','))) IS NOT TRUE THEN
        RAISE EXCEPTION 'only a security administrator grants roles' USING ERRCODE = '23514', CONSTRAINT = 'roles_are_granted';
    END IF;
    IF receiver = current_setting('app.principal', true) THEN
        RAISE EXCEPTION 'nobody grants roles to oneself' USING ERRCODE = '23514', CONSTRAINT = 'roles_are_granted';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER roles_are_granted BEFORE INSERT OR UPDATE OF roles, data_scope, scope_areas, area_code, unit_id, worker_id ON platform.assignment
    FOR EACH ROW EXECUTE FUNCTION platform.roles_are_granted();
CREATE TRIGGER roles_are_granted BEFORE INSERT OR UPDATE OF roles, data_scope, scope_areas, area_code, unit_id ON platform.post
    FOR EACH ROW EXECUTE FUNCTION platform.roles_are_granted();

-- Who manages workers, units or roles ends sessions, which are the system's alone.
-- +goose StatementBegin
CREATE FUNCTION platform.end_worker_sessions(workers uuid[], moment timestamptz) RETURNS TABLE (session_id uuid, worker_id uuid) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "app.kind" = 'system' AS $$
BEGIN
    IF (string_to_array(current_setting('app.actions', true), ',') && ARRAY['worker.manage', 'unit.manage', 'role.grant']) IS NOT TRUE THEN
        RAISE EXCEPTION 'may not end sessions' USING ERRCODE = '42501';
    END IF;
    RETURN QUERY UPDATE platform.session s SET ended_at = moment, end_reason = 'PRINCIPAL'
        WHERE s.kind = 'worker' AND s.principal_id = ANY (workers) AND s.ended_at IS NULL AND s.expires_at > moment
        RETURNING s.id, s.principal_id;
END $$;
-- +goose StatementEnd

-- Who grants roles removes a lost second factor without seeing it.
-- +goose StatementBegin
CREATE FUNCTION platform.remove_second_factor(worker uuid) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "app.kind" = 'system' AS $$
BEGIN
    IF ('role.grant' = ANY (string_to_array(current_setting('app.actions', true), ','))) IS NOT TRUE OR worker::text = current_setting('app.principal', true) THEN
        RAISE EXCEPTION 'may not remove a second factor' USING ERRCODE = '42501';
    END IF;
    DELETE FROM platform.second_factor WHERE worker_id = worker;
    RETURN FOUND;
END $$;
-- +goose StatementEnd

-- Whether a worker is active in the unit, the one above it or one right below:
-- who delegates may ask it, beyond what they see.
-- +goose StatementBegin
CREATE FUNCTION platform.works_near(worker uuid, unit uuid, day date) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "app.kind" = 'system' AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM platform.worker w
        JOIN platform.assignment a ON a.worker_id = w.id AND a.valid_from <= day AND (a.valid_to IS NULL OR a.valid_to >= day)
        JOIN platform.org_unit u ON u.id = a.unit_id AND u.state = 'ACTIVE'
        JOIN platform.org_unit mine ON mine.id = unit
        WHERE w.id = worker AND w.state = 'ACTIVE' AND (u.id = mine.id OR u.id = mine.parent_id OR u.parent_id = mine.id));
END $$;
-- +goose StatementEnd

-- Row-level security. Seeing needs the area to be in scope; changing needs the
-- action as well.
ALTER TABLE platform.org_unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.org_unit FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON platform.org_unit FOR SELECT USING (true);
CREATE POLICY system ON platform.org_unit USING (current_setting('app.kind', true) = 'system');
CREATE POLICY managed ON platform.org_unit
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'unit.manage' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

ALTER TABLE platform.post ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.post FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.post USING (current_setting('app.kind', true) = 'system');
CREATE POLICY scope ON platform.post FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY managed ON platform.post
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT ARRAY['unit.manage', 'role.grant'] && string_to_array(current_setting('app.actions', true), ','))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

DROP POLICY scope ON platform.worker;
CREATE POLICY scope ON platform.worker FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY managed ON platform.worker
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'worker.manage' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

DROP POLICY scope ON platform.assignment;
CREATE POLICY scope ON platform.assignment FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY managed ON platform.assignment
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT ARRAY['worker.manage', 'role.grant', 'unit.manage'] && string_to_array(current_setting('app.actions', true), ','))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

ALTER POLICY scope ON platform.citizen
    USING (current_setting('app.kind', true) = 'worker' AND area_code <> '' AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

ALTER TABLE platform.delegation ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.delegation FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.delegation USING (current_setting('app.kind', true) = 'system');
CREATE POLICY given ON platform.delegation
    USING (current_setting('app.kind', true) = 'worker' AND from_worker_id::text = current_setting('app.principal', true));
CREATE POLICY received ON platform.delegation FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND to_worker_id::text = current_setting('app.principal', true));
CREATE POLICY scope ON platform.delegation FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'permission.view' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

ALTER TABLE platform.institution_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.institution_change FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.institution_change USING (current_setting('app.kind', true) = 'system');
CREATE POLICY written ON platform.institution_change FOR INSERT
    WITH CHECK (current_setting('app.kind', true) = 'worker' AND actor_id = current_setting('app.principal', true));
CREATE POLICY scope ON platform.institution_change FOR SELECT
    USING (current_setting('app.kind', true) = 'worker'
        AND (SELECT 'permission.view' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));

-- What signs people in is the system's alone.
ALTER TABLE platform.password_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.password_history FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.password_history USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.second_factor ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.second_factor FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.second_factor USING (current_setting('app.kind', true) = 'system');
ALTER TABLE platform.recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.recovery_code FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.recovery_code USING (current_setting('app.kind', true) = 'system');

-- The posts that were there, with the roles that they had.
SELECT set_config('app.kind', 'system', true); -- row-level security binds the owner too
INSERT INTO platform.post (id, unit_id, area_code, name, roles, created_at, updated_at)
SELECT DISTINCT ON (unit_id, post) gen_random_uuid(), unit_id, area_code, post, roles, now(), now() FROM platform.assignment ORDER BY unit_id, post, valid_from DESC;
UPDATE platform.assignment a SET post_id = p.id, granted_at = now() FROM platform.post p WHERE p.unit_id = a.unit_id AND p.name = a.post;
SELECT set_config('app.kind', '', true);

REVOKE EXECUTE ON FUNCTION platform.end_worker_sessions(uuid[], timestamptz), platform.remove_second_factor(uuid), platform.works_near(uuid, uuid, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.end_worker_sessions(uuid[], timestamptz), platform.remove_second_factor(uuid), platform.works_near(uuid, uuid, date) TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE ON platform.post, platform.delegation TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.second_factor, platform.recovery_code TO citizencloud_app;
GRANT SELECT, INSERT, DELETE ON platform.password_history TO citizencloud_app;
GRANT SELECT, INSERT ON platform.institution_change TO citizencloud_app;

-- +goose Down
-- Forward only: permissions that were granted cannot be told from before.
SELECT 1;
