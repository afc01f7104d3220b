-- A short message whose receipt does not come in time is unknown, and goes to
-- another provider where its class insists.
-- +goose Up
ALTER TABLE platform.message_delivery DROP CONSTRAINT message_delivery_state_check;
ALTER TABLE platform.message_delivery ADD CONSTRAINT message_delivery_state_check
    CHECK (state IN ('CREATED', 'SENDING', 'DELIVERED', 'TEMPORARY_FAILURE', 'PERMANENT_FAILURE', 'TECHNICAL_FAILURE', 'CANCELLED', 'UNKNOWN'));
ALTER TABLE platform.message_delivery ADD COLUMN former_provider text NOT NULL DEFAULT ''; -- that had it before, and gave no receipt

-- +goose Down
ALTER TABLE platform.message_delivery DROP COLUMN former_provider;
UPDATE platform.message_delivery SET state = 'TECHNICAL_FAILURE' WHERE state = 'UNKNOWN';
ALTER TABLE platform.message_delivery DROP CONSTRAINT message_delivery_state_check;
ALTER TABLE platform.message_delivery ADD CONSTRAINT message_delivery_state_check
    CHECK (state IN ('CREATED', 'SENDING', 'DELIVERED', 'TEMPORARY_FAILURE', 'PERMANENT_FAILURE', 'TECHNICAL_FAILURE', 'CANCELLED'));
