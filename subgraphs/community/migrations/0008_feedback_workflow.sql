-- +goose Up
-- The workflow keeps the time limits from here on, and tells who is late.
ALTER TABLE community.feedback_case DROP COLUMN overdue_told_at;

-- It is told of every case that has no result yet.
SELECT set_config('app.kind', 'system', true);
INSERT INTO community.outbox (id, subject, area_code, payload)
SELECT gen_random_uuid(), 'community.workflow.requested', area_code, jsonb_build_object(
    'requestId', id, 'definition', 'feedback', 'subjectId', id, 'areaCode', area_code, 'title', number || ' ' || title,
    'initiator', jsonb_build_object('kind', 'citizen', 'id', citizen_id),
    'variables', CASE WHEN assignee_id IS NULL THEN '{}' ELSE jsonb_build_object('assignee', jsonb_build_array(assignee_id)) END,
    'report', jsonb_build_object('state', state, 'action', 'SYNC', 'actor', jsonb_build_object('kind', 'system', 'id', 'feedback'), 'version', version,
        'dueAt', CASE WHEN waiting_since IS NULL THEN to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END))
FROM community.feedback_case WHERE closed_at IS NULL ORDER BY created_at, id;
