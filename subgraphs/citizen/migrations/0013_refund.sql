-- +goose Up
CREATE TABLE citizen.refund (
    id           uuid PRIMARY KEY,
    refund_no    text COLLATE "C" NOT NULL CONSTRAINT refund_no UNIQUE, -- what the channel knows it by
    order_id     uuid NOT NULL REFERENCES citizen.payment_order (id),
    request_no   text COLLATE "C" NOT NULL, -- the requester's: asked again it is the same refund
    out_trade_no text COLLATE "C" NOT NULL REFERENCES citizen.payment_attempt (out_trade_no),
    -- SURPLUS: what was paid besides the order goes back by itself
    kind         text NOT NULL CHECK (kind IN ('REQUESTED', 'SURPLUS')),
    citizen_id   uuid NOT NULL,
    area_code    text COLLATE "C" NOT NULL,
    channel      text NOT NULL,
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    fee_fen      bigint NOT NULL DEFAULT 0 CHECK (fee_fen >= 0),           -- of the merchant's fee that goes back with it
    discount_fen bigint NOT NULL DEFAULT 0 CHECK (discount_fen >= 0), -- of the discount that falls away with it
    reason       text NOT NULL,
    state        text NOT NULL CHECK (state IN ('CREATED', 'SUBMITTED', 'REFUNDED', 'FAILED')),
    note         text, -- the reviewer's, or why it failed
    requested_by text NOT NULL,
    reviewed_by  text,
    next_look_at timestamptz,
    looks        integer NOT NULL DEFAULT 0,
    version      integer NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    refunded_at  timestamptz,
    CONSTRAINT refund_request UNIQUE (order_id, request_no)
);
CREATE INDEX refund_order ON citizen.refund (order_id, id DESC);
CREATE INDEX refund_area ON citizen.refund (area_code, id DESC);
CREATE INDEX refund_due ON citizen.refund (next_look_at) WHERE next_look_at IS NOT NULL;
CREATE UNIQUE INDEX refund_surplus ON citizen.refund (out_trade_no) WHERE kind = 'SURPLUS' AND state <> 'FAILED';

GRANT SELECT, INSERT, UPDATE ON citizen.refund TO citizencloud_app;
REVOKE DELETE ON citizen.refund FROM citizencloud_app;
ALTER TABLE citizen.refund ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.refund FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON citizen.refund FOR SELECT
    USING (current_setting('app.kind', true) = 'citizen' AND citizen_id::text = current_setting('app.principal', true));
CREATE POLICY worker ON citizen.refund FOR SELECT
    USING (current_setting('app.kind', true) = 'worker' AND 'payment.view' = ANY (string_to_array(current_setting('app.actions', true), ','))
        AND area_code ^@ ANY ((SELECT string_to_array(current_setting('app.area', true), ','))::text[]));
CREATE POLICY system ON citizen.refund
    USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE citizen.refund;
