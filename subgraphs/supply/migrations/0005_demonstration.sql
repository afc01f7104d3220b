-- +goose Up
-- One row says that the demonstration data is loaded.
CREATE TABLE supply.demonstration (
    scale     text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON supply.demonstration FROM citizencloud_app;
