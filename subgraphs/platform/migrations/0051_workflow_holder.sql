-- What somebody holds who leaves is found by an index.
-- +goose Up
CREATE INDEX workflow_task_worker ON platform.workflow_task (worker_id) WHERE status IN ('OPEN', 'WAITING');
CREATE INDEX workflow_task_delegate ON platform.workflow_task (delegate_id) WHERE delegate_id IS NOT NULL AND status IN ('OPEN', 'WAITING');

-- +goose Down
DROP INDEX platform.workflow_task_worker;
DROP INDEX platform.workflow_task_delegate;
