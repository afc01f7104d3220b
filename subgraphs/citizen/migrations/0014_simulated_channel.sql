-- +goose Up
-- The books of the simulated channels: what WeChat and the others would know.
-- Nothing of the platform reads them but the simulators.
CREATE TABLE citizen.simulated_trade (
    channel      text NOT NULL,
    out_trade_no text COLLATE "C" NOT NULL,
    trade_no     text COLLATE "C" NOT NULL,
    amount_fen   bigint NOT NULL,
    subject      text NOT NULL,
    notify_url   text NOT NULL,
    state        text NOT NULL CHECK (state IN ('NOT_PAID', 'SUCCEEDED', 'CLOSED', 'FAILED')),
    expires_at   timestamptz NOT NULL,
    paid_at      timestamptz,
    PRIMARY KEY (channel, out_trade_no)
);
CREATE INDEX simulated_trade_paid ON citizen.simulated_trade (channel, paid_at) WHERE paid_at IS NOT NULL;
CREATE TABLE citizen.simulated_refund (
    channel      text NOT NULL,
    refund_no    text COLLATE "C" NOT NULL,
    out_trade_no text COLLATE "C" NOT NULL,
    amount_fen   bigint NOT NULL CHECK (amount_fen > 0),
    refunded_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, refund_no),
    FOREIGN KEY (channel, out_trade_no) REFERENCES citizen.simulated_trade
);
CREATE INDEX simulated_refund_trade ON citizen.simulated_refund (channel, out_trade_no);
CREATE INDEX simulated_refund_day ON citizen.simulated_refund (channel, refunded_at);
GRANT SELECT, INSERT, UPDATE ON citizen.simulated_trade, citizen.simulated_refund TO citizencloud_app;

ALTER TABLE citizen.simulated_trade ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.simulated_trade FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.simulated_trade USING (current_setting('app.kind', true) = 'system');
ALTER TABLE citizen.simulated_refund ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.simulated_refund FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON citizen.simulated_refund USING (current_setting('app.kind', true) = 'system');

-- +goose Down
DROP TABLE citizen.simulated_refund;
DROP TABLE citizen.simulated_trade;
