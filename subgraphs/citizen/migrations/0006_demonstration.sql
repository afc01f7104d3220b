-- +goose Up
-- One row says that the demonstration data is loaded.
CREATE TABLE citizen.demonstration (
    scale     text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON citizen.demonstration FROM citizencloud_app;
