-- How far the sealing of a column with new keys came: package personal. Only
-- the owner works here, by the command keys re-encrypt.
-- +goose Up
CREATE TABLE platform.sealing (
    field text        NOT NULL, -- the column, such as citizen.mobile
    task  text        NOT NULL, -- the keys that it is brought to
    after uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last row that is done
    rows  bigint      NOT NULL DEFAULT 0, -- that were sealed anew
    at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (field, task)
);
REVOKE ALL ON platform.sealing FROM citizencloud_app;

-- +goose Down
DROP TABLE platform.sealing;
