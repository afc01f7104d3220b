-- Orders and their history go to the successor of a merged account; those of a
-- cancelled one stay for the books, without their citizen.
-- +goose Up
GRANT UPDATE (citizen_id) ON citizen.payment_event TO citizencloud_app;
CREATE INDEX payment_attempt_citizen ON citizen.payment_attempt (citizen_id);
CREATE INDEX payment_event_citizen ON citizen.payment_event (citizen_id);
CREATE INDEX refund_citizen ON citizen.refund (citizen_id);

-- +goose Down
DROP INDEX citizen.refund_citizen;
DROP INDEX citizen.payment_event_citizen;
DROP INDEX citizen.payment_attempt_citizen;
REVOKE UPDATE (citizen_id) ON citizen.payment_event FROM citizencloud_app;
