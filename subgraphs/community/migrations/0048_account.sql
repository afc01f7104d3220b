-- What became of accounts of citizens that ended: whose rows go to whom when
-- events come late or in another order. See foundation/account.
-- +goose Up
CREATE TABLE community.ended_account (
    citizen_id   uuid PRIMARY KEY,
    successor_id uuid CHECK (successor_id <> citizen_id), -- NULL: cancelled
    at           timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE community.ended_account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON community.ended_account USING ((SELECT current_setting('app.kind', true)) = 'system');
GRANT SELECT, INSERT ON community.ended_account TO citizencloud_app;
REVOKE UPDATE, DELETE ON community.ended_account FROM citizencloud_app;

-- Lines are never changed by anybody's hand. Only when an account ended the
-- platform gives them to the successor, or to nobody and without what was noted.
-- +goose StatementBegin
CREATE FUNCTION community.feedback_event_ended(former uuid, successor uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('app.kind', true) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege;
    END IF;
    UPDATE community.feedback_event SET citizen_id = coalesce(successor, gen_random_uuid()), note = CASE WHEN successor IS NOT NULL THEN note END
    WHERE case_id IN (SELECT id FROM community.feedback_case WHERE citizen_id = former);
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION community.feedback_event_ended(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION community.feedback_event_ended(uuid, uuid) TO citizencloud_app;

-- +goose Down
DROP FUNCTION community.feedback_event_ended(uuid, uuid);
DROP TABLE community.ended_account;
