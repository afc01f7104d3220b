-- +goose Up
CREATE TABLE citizen.payment_order (
    id                uuid PRIMARY KEY,
    merchant_id       uuid NOT NULL REFERENCES citizen.merchant (id),
    merchant_order_no text COLLATE "C" NOT NULL CHECK (merchant_order_no ~ '^[0-9A-Za-z_-]{1,64}$'),
    content           bytea NOT NULL, -- SHA-256 of what was ordered: the same number with other content is refused
    citizen_id        uuid NOT NULL,
    area_code         text COLLATE "C" NOT NULL, -- the merchant's
    subject           text NOT NULL,
    amount_fen        bigint NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000),
    discount_fen      bigint NOT NULL DEFAULT 0 CHECK (discount_fen >= 0 AND discount_fen < amount_fen),
    fee_rate          integer NOT NULL,            -- of ten thousand, the merchant's at the time
    fee_fen           bigint NOT NULL DEFAULT 0,   -- once paid
    reserved_fen      bigint NOT NULL DEFAULT 0,   -- of refunds under way or done
    refunded_fen      bigint NOT NULL DEFAULT 0,   -- of refunds done
    channel           text CHECK (channel IN ('WECHAT', 'ALIPAY', 'UNIONPAY', 'DIGITAL_RMB')),
    attempts          integer NOT NULL DEFAULT 0,
    state             text NOT NULL CHECK (state IN ('CREATED', 'PAYING', 'SUCCEEDED', 'FAILED', 'CLOSED', 'UNKNOWN')),
    expires_at        timestamptz NOT NULL,
    paid_at           timestamptz,
    next_look_at      timestamptz, -- when to ask the channel, or to close; NULL once nothing is open
    looks             integer NOT NULL DEFAULT 0,
    version           integer NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT payment_order_no UNIQUE (merchant_id, merchant_order_no),
    CONSTRAINT payment_order_refunds CHECK (refunded_fen >= 0 AND refunded_fen <= reserved_fen AND reserved_fen <= amount_fen - discount_fen),
    CONSTRAINT payment_order_paid CHECK ((paid_at IS NOT NULL) = (state = 'SUCCEEDED'))
);
CREATE INDEX payment_order_citizen ON citizen.payment_order (citizen_id, id DESC);
CREATE INDEX payment_order_area ON citizen.payment_order (area_code, id DESC);
CREATE INDEX payment_order_due ON citizen.payment_order (next_look_at) WHERE next_look_at IS NOT NULL;
CREATE INDEX payment_order_paid_at ON citizen.payment_order (paid_at, merchant_id) WHERE paid_at IS NOT NULL;

-- Each way in which a citizen set out to pay: what the channel knows as a trade.
CREATE TABLE citizen.payment_attempt (
    out_trade_no text COLLATE "C" PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES citizen.payment_order (id),
    citizen_id   uuid NOT NULL,
    channel      text NOT NULL,
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    -- SURPLUS: it was paid though the order was settled otherwise; the money goes back
    state        text NOT NULL CHECK (state IN ('OPEN', 'SUCCEEDED', 'SURPLUS', 'CLOSED', 'FAILED')),
    trade_no     text COLLATE "C",
    created_at   timestamptz NOT NULL,
    settled_at   timestamptz
);
CREATE INDEX payment_attempt_order ON citizen.payment_attempt (order_id);
-- No double charge: one attempt at a time is open, and one at most counts.
CREATE UNIQUE INDEX payment_attempt_open ON citizen.payment_attempt (order_id) WHERE state = 'OPEN';
CREATE UNIQUE INDEX payment_attempt_counts ON citizen.payment_attempt (order_id) WHERE state = 'SUCCEEDED';

CREATE TABLE citizen.payment_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES citizen.payment_order (id),
    citizen_id uuid NOT NULL,
    area_code  text COLLATE "C" NOT NULL,
    action     text NOT NULL,
    from_state text,
    to_state   text NOT NULL,
    version    integer NOT NULL,
    note       text,
    actor_kind text NOT NULL,
    actor_id   text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX payment_event_newest ON citizen.payment_event (order_id, id DESC);

-- Notices that channels sent, each once. What does not fit is kept with its reason.
CREATE TABLE citizen.payment_notice (
    channel      text NOT NULL,
    notice_id    text COLLATE "C" NOT NULL,
    out_trade_no text COLLATE "C" NOT NULL,
    result       text NOT NULL CHECK (result IN ('APPLIED', 'UNKNOWN_TRADE', 'AMOUNT', 'MERCHANT')),
    amount_fen   bigint NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, notice_id)
);

GRANT SELECT, INSERT, UPDATE ON citizen.payment_order, citizen.payment_attempt TO citizencloud_app;
GRANT SELECT, INSERT ON citizen.payment_event, citizen.payment_notice TO citizencloud_app;
REVOKE DELETE ON citizen.payment_order, citizen.payment_attempt FROM citizencloud_app;
REVOKE UPDATE, DELETE ON citizen.payment_event, citizen.payment_notice FROM citizencloud_app;

-- A citizen makes and reads their own; staff read those of their area; states
-- are changed by the system alone, after the check of who asks for it.
ALTER TABLE citizen.payment_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.payment_order FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON citizen.payment_order FOR SELECT
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY made ON citizen.payment_order FOR INSERT
    WITH CHECK (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true) AND state = 'CREATED');
CREATE POLICY worker ON citizen.payment_order FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND 'payment.view' = ANY (string_to_array(current_setting('app.actions', true), ','))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY system ON citizen.payment_order
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.payment_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.payment_attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.payment_attempt
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.payment_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.payment_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON citizen.payment_event FOR SELECT
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY made ON citizen.payment_event FOR INSERT
    WITH CHECK (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON citizen.payment_event FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND 'payment.view' = ANY (string_to_array(current_setting('app.actions', true), ','))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY system ON citizen.payment_event
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.payment_notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.payment_notice FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.payment_notice
    USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE citizen.payment_notice;
DROP TABLE citizen.payment_event;
DROP TABLE citizen.payment_attempt;
DROP TABLE citizen.payment_order;
