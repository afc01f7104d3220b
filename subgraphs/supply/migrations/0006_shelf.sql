-- +goose Up
-- A shelf is read in the order of its services' listing, so each distribution
-- knows when its service was listed: null while it is not on any shelf.
ALTER TABLE supply.distribution ADD COLUMN listed_at timestamptz;

SELECT set_config('app.kind', 'system', true); -- row-level security binds the owner too
UPDATE supply.distribution d SET listed_at = s.listed_at
FROM supply.community_service s WHERE s.id = d.service_id AND s.state = 'LISTED' AND s.offered;
SELECT set_config('app.kind', '', true);

CREATE INDEX distribution_shelf ON supply.distribution (area_code, listed_at DESC, service_id DESC) WHERE listed_at IS NOT NULL;

-- What is listed everybody may see, so whoever distributes sees it here too.
-- +goose StatementBegin
CREATE FUNCTION supply.distribution_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.listed_at := (SELECT s.listed_at FROM supply.community_service s WHERE s.id = NEW.service_id AND s.state = 'LISTED' AND s.offered);
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER distribution_listed BEFORE INSERT ON supply.distribution
    FOR EACH ROW EXECUTE FUNCTION supply.distribution_listed();

-- A change of a service reaches all its distributions, also those of areas that
-- whoever changes it does not see, and which nobody may change otherwise.
-- +goose StatementBegin
CREATE FUNCTION supply.community_service_listed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "app.kind" = 'system' AS $$
BEGIN
    UPDATE supply.distribution SET listed_at = CASE WHEN NEW.state = 'LISTED' AND NEW.offered THEN NEW.listed_at END
    WHERE service_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER community_service_listed AFTER UPDATE OF state, offered, listed_at ON supply.community_service
    FOR EACH ROW WHEN ((OLD.state, OLD.offered, OLD.listed_at) IS DISTINCT FROM (NEW.state, NEW.offered, NEW.listed_at))
    EXECUTE FUNCTION supply.community_service_listed();
REVOKE EXECUTE ON FUNCTION supply.community_service_listed() FROM PUBLIC;
