-- +goose Up
-- The administrator keeps the calendar through the platform; whether the worker
-- is one, the platform checks. Citizens and strangers cannot, whatever it does.
GRANT SELECT, INSERT, UPDATE, DELETE ON community.workday TO citizencloud_app;
ALTER TABLE community.workday ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON community.workday FOR SELECT USING (true);
CREATE POLICY kept ON community.workday
    USING ((SELECT current_setting('app.kind', true)) IN ('worker', 'system'));
