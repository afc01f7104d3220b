-- What became of accounts of citizens that ended: whose rows go to whom when
-- events come late or in another order. See foundation/account.
-- +goose Up
CREATE TABLE supply.ended_account (
    citizen_id   uuid PRIMARY KEY,
    successor_id uuid CHECK (successor_id <> citizen_id), -- NULL: cancelled
    at           timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE supply.ended_account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON supply.ended_account USING ((SELECT current_setting('app.kind', true)) = 'system');
GRANT SELECT, INSERT ON supply.ended_account TO citizencloud_app;
REVOKE UPDATE, DELETE ON supply.ended_account FROM citizencloud_app;

-- Lines are never changed by anybody's hand. Only when an account ended the
-- platform gives those of its things to the successor, or to nobody.
-- +goose StatementBegin
CREATE FUNCTION supply.history_ended(subjects uuid[], successor uuid, forget boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('app.kind', true) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege;
    END IF;
    UPDATE supply.history SET citizen_id = successor, note = CASE WHEN NOT forget THEN note END,
        actor_id = CASE WHEN successor IS NULL AND actor_kind = 'citizen' THEN '' ELSE actor_id END
    WHERE subject_id = ANY (subjects);
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION supply.history_ended(uuid[], uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION supply.history_ended(uuid[], uuid, boolean) TO citizencloud_app;

-- +goose Down
DROP FUNCTION supply.history_ended(uuid[], uuid, boolean);
DROP TABLE supply.ended_account;
