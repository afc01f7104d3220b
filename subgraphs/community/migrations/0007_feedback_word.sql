-- +goose Up
-- What a text search of cases is narrowed by: each two neighbouring characters
-- of title and content as one number, and the areas above the case as negative
-- ones. Row-level security lets no index serve such a search on feedback_case
-- itself: PostgreSQL asks the policy of each row first, since an operator that
-- is not leakproof might tell of rows that the policy hides. This table has no
-- policy, and nobody may read it; feedback_narrowed does, for the scope that
-- the policy has. What it finds still goes through feedback_case's policy.
CREATE TABLE community.feedback_word (
    case_id   uuid PRIMARY KEY REFERENCES community.feedback_case ON DELETE CASCADE,
    area_code text COLLATE "C" NOT NULL,
    words     bigint[] NOT NULL
);
REVOKE ALL ON community.feedback_word FROM citizencloud_app;

-- The rule of feedback.words in Go: code points, the first one shifted by 21 bits.
-- +goose StatementBegin
CREATE FUNCTION community.feedback_words(area text, VARIADIC texts text[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(DISTINCT word) FROM (
        SELECT ascii(first)::bigint << 21 | ascii(second) AS word
        FROM unnest(texts) AS part, LATERAL (
            SELECT character AS first, lead(character) OVER (ORDER BY place) AS second
            FROM unnest(string_to_array(part, NULL)) WITH ORDINALITY AS characters (character, place)) AS pairs
        WHERE second IS NOT NULL
        UNION ALL VALUES (-left(area, 6)::bigint), (-left(area, 9)::bigint), (-area::bigint)) AS words;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION community.feedback_word_kept() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO community.feedback_word AS kept (case_id, area_code, words)
    VALUES (NEW.id, NEW.area_code, community.feedback_words(NEW.area_code, NEW.title, NEW.content))
    ON CONFLICT (case_id) DO UPDATE SET area_code = excluded.area_code, words = excluded.words;
    RETURN NULL;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION community.feedback_word_kept() FROM PUBLIC;
CREATE TRIGGER feedback_word_made AFTER INSERT ON community.feedback_case
    FOR EACH ROW EXECUTE FUNCTION community.feedback_word_kept();
CREATE TRIGGER feedback_word_kept AFTER UPDATE OF title, content, area_code ON community.feedback_case
    FOR EACH ROW WHEN ((OLD.title, OLD.content, OLD.area_code) IS DISTINCT FROM (NEW.title, NEW.content, NEW.area_code))
    EXECUTE FUNCTION community.feedback_word_kept();

SELECT set_config('app.kind', 'system', true); -- row-level security binds the owner too
INSERT INTO community.feedback_word (case_id, area_code, words)
SELECT id, area_code, community.feedback_words(area_code, title, content) FROM community.feedback_case;
SELECT set_config('app.kind', '', true);
CREATE INDEX feedback_word_words ON community.feedback_word USING gin (words);

-- The cases in the scope of who asks which may hold all the words: NULL when
-- they are more than most, or when who asks has no scope by area. It reads the
-- scope where the policies do and compares it as they do, so nobody can ask for
-- another one's.
-- +goose StatementBegin
CREATE FUNCTION community.feedback_narrowed(words bigint[], most integer) RETURNS uuid[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    kind     text := current_setting('app.kind', true);
    prefixes text[] := string_to_array(current_setting('app.area', true), ',');
    areas    bigint[];
    found    uuid[];
BEGIN
    IF cardinality(words) = 0 OR kind IS DISTINCT FROM 'system' AND kind IS DISTINCT FROM 'worker' THEN
        RETURN NULL;
    END IF;
    IF kind = 'system' THEN
        prefixes := '{""}';
    END IF;
    SELECT array_agg(-prefix::bigint) INTO areas FROM unnest(prefixes) AS prefix WHERE prefix ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$';
    IF cardinality(areas) = cardinality(prefixes) THEN -- the index knows them all
        SELECT array_agg(case_id) INTO found FROM (
            SELECT w.case_id FROM community.feedback_word w
            WHERE w.words @> feedback_narrowed.words AND w.words && areas AND w.area_code ^@ ANY (prefixes) LIMIT most + 1) AS few;
    ELSE
        SELECT array_agg(case_id) INTO found FROM (
            SELECT w.case_id FROM community.feedback_word w
            WHERE w.words @> feedback_narrowed.words AND w.area_code ^@ ANY (prefixes) LIMIT most + 1) AS few;
    END IF;
    IF cardinality(found) > most THEN
        RETURN NULL;
    END IF;
    RETURN coalesce(found, '{}');
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION community.feedback_narrowed(bigint[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION community.feedback_narrowed(bigint[], integer) TO citizencloud_app;
