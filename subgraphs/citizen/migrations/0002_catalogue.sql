-- +goose Up
CREATE TABLE citizen.department (
    id         text PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    sort_order integer NOT NULL
);

CREATE TABLE citizen.service_category (
    id         text PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    summary    text NOT NULL,
    sort_order integer NOT NULL
);

-- What was loaded from the checked-in catalogue, so that a start with nothing
-- new costs one statement.
CREATE TABLE citizen.catalogue_release (
    digest    text PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE citizen.service (
    id              uuid PRIMARY KEY,
    code            text NOT NULL CONSTRAINT service_code UNIQUE CHECK (code ~ '^[A-Z][A-Z0-9-]{1,31}$'),
    seq_no          integer UNIQUE CHECK (seq_no BETWEEN 1 AND 230),
    name            text NOT NULL,
    summary         text NOT NULL,
    department_id   text NOT NULL REFERENCES citizen.department (id),
    category_id     text NOT NULL REFERENCES citizen.service_category (id),
    kind            text NOT NULL CHECK (kind IN ('QUERY', 'APPLICATION', 'BOOKING', 'PAYMENT', 'CERTIFICATE', 'DIRECTORY', 'PUBLICATION', 'CONSULTATION', 'LINK')),
    channels        text[] NOT NULL,
    assurance_level text NOT NULL CHECK (assurance_level IN ('L0', 'L1', 'L2', 'L3')),
    eligibility     text,
    materials       text[] NOT NULL DEFAULT '{}',
    fee_fen         bigint CHECK (fee_fen >= 0),
    contact         text,
    state           text NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'APPROVED', 'REJECTED')),
    publication     text NOT NULL CHECK (publication IN ('UNPUBLISHED', 'PUBLISHED')),
    health          text NOT NULL CHECK (health IN ('OK', 'DEGRADED', 'PAUSED')),
    health_note     text,
    area_code       text COLLATE "C" NOT NULL,
    search          tsvector NOT NULL,
    -- true once people changed the row: the checked-in catalogue then leaves it alone
    edited          boolean NOT NULL DEFAULT false,
    version         integer NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      text NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    updated_by      text NOT NULL,
    CONSTRAINT service_published_is_approved CHECK (publication = 'UNPUBLISHED' OR state = 'APPROVED')
);
CREATE INDEX service_search ON citizen.service USING gin (search);
CREATE INDEX service_category_published ON citizen.service (category_id) WHERE publication = 'PUBLISHED';
CREATE INDEX service_department_published ON citizen.service (department_id) WHERE publication = 'PUBLISHED';
CREATE INDEX service_managed ON citizen.service (code COLLATE "C");

CREATE TABLE citizen.service_change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id  uuid NOT NULL REFERENCES citizen.service (id),
    action      text NOT NULL,
    version     integer NOT NULL,
    state       text NOT NULL,
    publication text NOT NULL,
    note        text,
    actor_kind  text NOT NULL,
    actor_id    text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_change_newest ON citizen.service_change (service_id, id DESC);

GRANT SELECT, INSERT, UPDATE ON citizen.department, citizen.service_category, citizen.catalogue_release, citizen.service TO citizencloud_app;
GRANT SELECT, INSERT ON citizen.service_change TO citizencloud_app;
REVOKE UPDATE, DELETE ON citizen.service_change FROM citizencloud_app;
REVOKE DELETE ON citizen.department, citizen.service_category, citizen.service FROM citizencloud_app;

-- Everybody sees what is published; the rest only who works for the area that
-- manages the service, and only they change anything.
ALTER TABLE citizen.service ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.service FORCE ROW LEVEL SECURITY;
CREATE POLICY published ON citizen.service FOR SELECT
    USING (publication = 'PUBLISHED');
CREATE POLICY worker ON citizen.service
    USING (current_setting('app.kind', true) = 'worker' AND starts_with(area_code, current_setting('app.area', true)));
CREATE POLICY system ON citizen.service
    USING (current_setting('app.kind', true) = 'system');

ALTER TABLE citizen.service_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE citizen.service_change FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON citizen.service_change
    USING (current_setting('app.kind', true) = 'worker' AND EXISTS (
        SELECT FROM citizen.service s WHERE s.id = service_id AND starts_with(s.area_code, current_setting('app.area', true))));
CREATE POLICY system ON citizen.service_change
    USING (current_setting('app.kind', true) = 'system');
