-- +goose Up
-- The double-entry ledger of payments. An entry is some postings whose amounts,
-- in fen, debits positive and credits negative, sum to zero. The database
-- itself sees to that at each commit, and that nothing is ever changed.
CREATE TABLE citizen.ledger_account (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind  text NOT NULL CHECK (kind IN ('CHANNEL_CLEARING', 'CITIZEN_PAYABLE', 'MERCHANT', 'FEE', 'REFUND', 'DISCOUNT', 'SETTLEMENT', 'SUSPENSE')),
    owner text COLLATE "C" NOT NULL, -- a channel, a merchant's ID, or ''
    CONSTRAINT ledger_account_once UNIQUE (kind, owner)
);

CREATE TABLE citizen.ledger_entry (
    id        uuid PRIMARY KEY,
    -- what it is the entry of, such as "payment/<attempt>": nothing is posted twice
    reference text COLLATE "C" NOT NULL CONSTRAINT ledger_entry_once UNIQUE,
    order_id  uuid, -- NULL for what concerns no single order
    postings  smallint NOT NULL CHECK (postings >= 2),
    posted_at timestamptz NOT NULL
);
CREATE INDEX ledger_entry_order ON citizen.ledger_entry (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE citizen.ledger_posting (
    entry_id   uuid NOT NULL REFERENCES citizen.ledger_entry (id),
    account_id bigint NOT NULL REFERENCES citizen.ledger_account (id),
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0),
    posted_at  timestamptz NOT NULL,
    PRIMARY KEY (entry_id, account_id)
);
CREATE INDEX ledger_posting_account ON citizen.ledger_posting (account_id, posted_at) INCLUDE (amount_fen);

-- +goose StatementBegin
CREATE FUNCTION citizen.ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry uuid;
    expected integer;
    found integer;
    total bigint;
BEGIN
    IF TG_TABLE_NAME = 'ledger_entry' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;
    SELECT postings INTO expected FROM citizen.ledger_entry WHERE id = entry;
    SELECT count(*), coalesce(sum(amount_fen), 0) INTO found, total FROM citizen.ledger_posting WHERE entry_id = entry;
    IF found <> expected OR total <> 0 THEN
        RAISE EXCEPTION 'ledger entry % has % of % postings with sum %', entry, found, expected, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION citizen.ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only appended to' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_append_only';
END $$;
-- +goose StatementEnd

-- The triggers read as who posts, which is the system (see the policies).
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON citizen.ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION citizen.ledger_balances();
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON citizen.ledger_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION citizen.ledger_balances();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON citizen.ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION citizen.ledger_is_append_only();
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON citizen.ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION citizen.ledger_is_append_only();

GRANT SELECT, INSERT ON citizen.ledger_account, citizen.ledger_entry, citizen.ledger_posting TO citizencloud_app;
REVOKE UPDATE, DELETE ON citizen.ledger_account, citizen.ledger_entry, citizen.ledger_posting FROM citizencloud_app;

ALTER TABLE citizen.ledger_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.ledger_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.ledger_entry USING (current_setting('app.kind', true) = 'system');
ALTER TABLE citizen.ledger_posting ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.ledger_posting FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.ledger_posting USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE citizen.ledger_posting;
DROP TABLE citizen.ledger_entry;
DROP TABLE citizen.ledger_account;
DROP FUNCTION citizen.ledger_balances();
DROP FUNCTION citizen.ledger_is_append_only();
