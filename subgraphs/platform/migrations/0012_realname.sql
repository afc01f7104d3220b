-- 实名认证 real-name: consents, verifications in four ways with their history
-- and evidence, the identities that accounts proved, and the counters with
-- their slots. See package realname. Only the system writes; people read.
-- +goose Up

-- 同意书: what somebody agreed to before any personal data was taken.
CREATE TABLE platform.realname_consent (
    id           uuid PRIMARY KEY,
    citizen_id   uuid        NOT NULL REFERENCES platform.citizen (id),
    method       text        NOT NULL CHECK (method IN ('REGISTER', 'FACE', 'THIRD_PARTY', 'OFFLINE')),
    terms        text        NOT NULL, -- the version of the text
    purpose      text        NOT NULL,
    client       text        NOT NULL DEFAULT '',
    recorded_by  uuid        REFERENCES platform.worker (id), -- of one that was signed on paper
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX realname_consent_citizen ON platform.realname_consent (citizen_id, id DESC);

-- 线下核验点 and their slots. Public.
CREATE TABLE platform.realname_counter (
    id         uuid PRIMARY KEY,
    name       text        NOT NULL CHECK (length(name) BETWEEN 2 AND 60),
    area_code  text COLLATE "C" NOT NULL REFERENCES platform.area (code),
    address    text        NOT NULL CHECK (length(address) BETWEEN 2 AND 120),
    state      text        NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CLOSED')),
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX realname_counter_area ON platform.realname_counter (area_code, id);
CREATE TABLE platform.realname_slot (
    id         uuid PRIMARY KEY,
    counter_id uuid        NOT NULL REFERENCES platform.realname_counter (id),
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL CHECK (ends_at > starts_at),
    capacity   integer     NOT NULL CHECK (capacity BETWEEN 1 AND 100),
    taken      integer     NOT NULL DEFAULT 0,
    CONSTRAINT realname_slot_capacity CHECK (taken BETWEEN 0 AND capacity)
);
CREATE UNIQUE INDEX realname_slot_start ON platform.realname_slot (counter_id, starts_at);

-- 核验: one attempt to prove who the account's holder is. What was claimed is
-- sealed, and goes with the decision.
CREATE TABLE platform.realname_verification (
    id             uuid PRIMARY KEY,
    citizen_id     uuid        NOT NULL REFERENCES platform.citizen (id),
    consent_id     uuid        NOT NULL REFERENCES platform.realname_consent (id),
    method         text        NOT NULL CHECK (method IN ('REGISTER', 'FACE', 'THIRD_PARTY', 'OFFLINE')),
    state          text        NOT NULL CHECK (state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW', 'VERIFIED', 'FAILED', 'REJECTED', 'WITHDRAWN', 'EXPIRED', 'REVOKED')),
    area_code      text COLLATE "C" NOT NULL DEFAULT '', -- of the counter; "" of what is done without people
    document_kind  text        NOT NULL CHECK (document_kind IN ('RESIDENT_ID', 'HMT_RESIDENCE_PERMIT', 'FOREIGN_PERMANENT_RESIDENT')),
    claimed_name   bytea,
    claimed_number bytea,
    provider       text        NOT NULL DEFAULT '',
    reference      text        NOT NULL DEFAULT '', -- the provider's
    simulated      boolean     NOT NULL DEFAULT false, -- whether a simulator judged
    level          text        CHECK (level IN ('L1', 'L2', 'L3')), -- that it gave
    failure        text        NOT NULL DEFAULT '',
    reason         text        NOT NULL DEFAULT '', -- of a refusal, a revocation
    previous_id    uuid        REFERENCES platform.realname_verification (id), -- the refused one that this one follows
    slot_id        uuid        REFERENCES platform.realname_slot (id),
    filed_by       uuid        REFERENCES platform.worker (id), -- where a worker filed it at the counter
    examined_by    uuid        REFERENCES platform.worker (id), -- the first pair of eyes
    examined_at    timestamptz,
    passed         boolean, -- what the first one found
    note           text        NOT NULL DEFAULT '',
    decided_by     uuid        REFERENCES platform.worker (id), -- the second
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    submitted_at   timestamptz,
    decided_at     timestamptz,
    valid_until    timestamptz,
    ended_at       timestamptz,
    version        integer     NOT NULL DEFAULT 1,
    CONSTRAINT realname_verification_claim CHECK ((claimed_name IS NOT NULL) = (state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW'))
        AND (claimed_name IS NULL) = (claimed_number IS NULL)),
    CONSTRAINT realname_verification_eyes CHECK (decided_by <> examined_by AND examined_by <> filed_by AND decided_by <> filed_by),
    CONSTRAINT realname_verification_level CHECK ((level IS NOT NULL) = (state IN ('VERIFIED', 'EXPIRED', 'REVOKED')))
);
CREATE INDEX realname_verification_citizen ON platform.realname_verification (citizen_id, id DESC);
CREATE INDEX realname_verification_counter ON platform.realname_verification (area_code, id) WHERE method = 'OFFLINE';
CREATE INDEX realname_verification_until ON platform.realname_verification (valid_until) WHERE state = 'VERIFIED';
CREATE INDEX realname_verification_waiting ON platform.realname_verification (updated_at) WHERE state IN ('CREATED', 'PROCESSING', 'SUBMITTED');
CREATE UNIQUE INDEX realname_verification_open ON platform.realname_verification (citizen_id)
    WHERE state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW');

-- What happened to a verification; never changed, without personal data.
CREATE TABLE platform.realname_history (
    id              uuid PRIMARY KEY,
    verification_id uuid        NOT NULL REFERENCES platform.realname_verification (id),
    at              timestamptz NOT NULL,
    action          text        NOT NULL,
    from_state      text        NOT NULL DEFAULT '',
    to_state        text        NOT NULL,
    actor_kind      text        NOT NULL CHECK (actor_kind IN ('citizen', 'worker', 'system')),
    actor_id        text        NOT NULL,
    note            text        NOT NULL DEFAULT ''
);
CREATE INDEX realname_history_verification ON platform.realname_history (verification_id, id);

-- The one-time token of a face session, bound to account (by the verification) and device.
CREATE TABLE platform.realname_liveness (
    verification_id uuid PRIMARY KEY REFERENCES platform.realname_verification (id),
    token_digest    text        NOT NULL UNIQUE,
    device_digest   text        NOT NULL,
    reference       text        NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);

-- 佐证: pictures and materials, erased after the decision.
CREATE TABLE platform.realname_evidence (
    id              uuid PRIMARY KEY,
    verification_id uuid        NOT NULL REFERENCES platform.realname_verification (id),
    kind            text        NOT NULL CHECK (kind IN ('FACE', 'MATERIAL')),
    file_id         uuid        NOT NULL UNIQUE REFERENCES platform.file (id),
    added_at        timestamptz NOT NULL,
    erase_at        timestamptz, -- NULL until the decision
    erased_at       timestamptz
);
CREATE INDEX realname_evidence_verification ON platform.realname_evidence (verification_id, id);
CREATE INDEX realname_evidence_due ON platform.realname_evidence (erase_at) WHERE erased_at IS NULL;

-- 实名身份: who the holder of an account is. One identity has one account.
CREATE TABLE platform.realname_identity (
    id              uuid PRIMARY KEY,
    citizen_id      uuid        NOT NULL REFERENCES platform.citizen (id),
    document_kind   text        NOT NULL CHECK (document_kind IN ('RESIDENT_ID', 'HMT_RESIDENCE_PERMIT', 'FOREIGN_PERMANENT_RESIDENT')),
    name            bytea       NOT NULL,
    number          bytea       NOT NULL,
    number_index    bytea       NOT NULL,
    level           text        NOT NULL CHECK (level IN ('L1', 'L2', 'L3')),
    method          text        NOT NULL CHECK (method IN ('REGISTER', 'FACE', 'THIRD_PARTY', 'OFFLINE')),
    simulated       boolean     NOT NULL,
    verification_id uuid        NOT NULL REFERENCES platform.realname_verification (id),
    verified_at     timestamptz NOT NULL,
    valid_until     timestamptz, -- of the level; NULL for no end
    version         integer     NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX realname_identity_number ON platform.realname_identity (number_index);
CREATE UNIQUE INDEX realname_identity_citizen ON platform.realname_identity (citizen_id);

ALTER TABLE platform.citizen_history DROP CONSTRAINT citizen_history_action_check,
    ADD CONSTRAINT citizen_history_action_check CHECK (action IN ('PASSWORD_SET', 'PASSWORD_RESET', 'MOBILE_BOUND', 'MOBILE_CHANGED', 'LINKED', 'UNLINKED',
        'MERGED_INTO', 'TOOK_OVER', 'CANCEL_REQUESTED', 'CANCEL_WITHDRAWN', 'CANCELLED', 'LEVEL_CHANGED'));

GRANT SELECT, INSERT, UPDATE ON platform.realname_consent, platform.realname_counter, platform.realname_slot, platform.realname_verification,
    platform.realname_evidence, platform.realname_liveness TO citizencloud_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.realname_identity TO citizencloud_app;
GRANT SELECT, INSERT ON platform.realname_history TO citizencloud_app;

-- The second wall. A citizen sees the own; who may view sees the counters of the
-- scope, and of the citizens whom the scope shows all that they went through.
ALTER TABLE platform.realname_consent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_consent USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY self ON platform.realname_consent FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));

ALTER TABLE platform.realname_counter ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON platform.realname_counter FOR SELECT USING (true);
CREATE POLICY system_insert ON platform.realname_counter FOR INSERT WITH CHECK ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY system_update ON platform.realname_counter FOR UPDATE USING ((SELECT current_setting('app.kind', true)) = 'system');
ALTER TABLE platform.realname_slot ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON platform.realname_slot FOR SELECT USING (true);
CREATE POLICY system_insert ON platform.realname_slot FOR INSERT WITH CHECK ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY system_update ON platform.realname_slot FOR UPDATE USING ((SELECT current_setting('app.kind', true)) = 'system');

ALTER TABLE platform.realname_verification ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_verification USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY self ON platform.realname_verification FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
CREATE POLICY scope ON platform.realname_verification FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) = 'worker'
        AND (SELECT 'realname.view' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND CASE WHEN area_code = '' THEN EXISTS (SELECT FROM platform.citizen c WHERE c.id = citizen_id)
            ELSE area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]) END);
ALTER TABLE platform.realname_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_history USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY seen ON platform.realname_history FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) IN ('worker', 'citizen') AND EXISTS (SELECT FROM platform.realname_verification v WHERE v.id = verification_id));
ALTER TABLE platform.realname_liveness ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_liveness USING ((SELECT current_setting('app.kind', true)) = 'system');
ALTER TABLE platform.realname_evidence ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_evidence USING ((SELECT current_setting('app.kind', true)) = 'system');
ALTER TABLE platform.realname_identity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON platform.realname_identity USING ((SELECT current_setting('app.kind', true)) = 'system');
CREATE POLICY self ON platform.realname_identity FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) = 'citizen' AND citizen_id::text = (SELECT current_setting('app.principal', true)));
CREATE POLICY scope ON platform.realname_identity FOR SELECT
    USING ((SELECT current_setting('app.kind', true)) = 'worker'
        AND (SELECT 'realname.view' = ANY (string_to_array(current_setting('app.actions', true), ',')))
        AND EXISTS (SELECT FROM platform.citizen c WHERE c.id = citizen_id));

-- +goose Down
DROP TABLE platform.realname_identity, platform.realname_evidence, platform.realname_liveness, platform.realname_history,
    platform.realname_verification, platform.realname_slot, platform.realname_counter, platform.realname_consent;
DELETE FROM platform.citizen_history WHERE action = 'LEVEL_CHANGED';
ALTER TABLE platform.citizen_history DROP CONSTRAINT citizen_history_action_check,
    ADD CONSTRAINT citizen_history_action_check CHECK (action IN ('PASSWORD_SET', 'PASSWORD_RESET', 'MOBILE_BOUND', 'MOBILE_CHANGED', 'LINKED', 'UNLINKED',
        'MERGED_INTO', 'TOOK_OVER', 'CANCEL_REQUESTED', 'CANCEL_WITHDRAWN', 'CANCELLED'));
