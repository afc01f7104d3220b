-- +goose Up
CREATE SCHEMA IF NOT EXISTS citizen;
GRANT USAGE ON SCHEMA citizen TO citizencloud_app;

CREATE TABLE citizen.outbox (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid        NOT NULL,
    subject   text        NOT NULL,
    area_code text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    payload   jsonb       NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON citizen.outbox TO citizencloud_app;
