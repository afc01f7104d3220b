package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

const instanceColumns = `i.id, i.definition_key, i.definition_version, i.module, i.subject_id, i.subject_version, i.title, i.area_code, i.state, i.status, i.outcome,
	i.initiator_kind, i.initiator_id, i.variables, i.trail, i.decided, i.round, i.participants, i.due_at, i.urged_at, i.created_at, i.updated_at, i.ended_at, i.version`

const taskColumns = `id, instance_id, round, state, seq, kind, coalesce(parent_id::text, '') AS parent_id, status, coalesce(worker_id::text, '') AS worker_id, role, role_area,
	coalesce(delegate_id::text, '') AS delegate_id, delegate_until, escalation, superior_role, superior_area, opened_at, due_at, check_at, decided_at, decided_by, decision`

// instances reads those of the IDs that the caller's row-level security lets
// through; me is the calling worker's ID, or "".
func instances(ctx context.Context, tx sqlx.QueryerContext, ids []string, me string, now time.Time) ([]*WorkflowInstance, error) {
	var found []*WorkflowInstance
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT `+instanceColumns+`, EXISTS (SELECT FROM platform.workflow_task t
			WHERE t.instance_id = i.id AND t.round = i.round AND t.status = 'OPEN' AND t.delegate_id::text = $2 AND t.delegate_until > $3) AS delegated
		FROM platform.workflow_instance i WHERE i.id = ANY($1::uuid[])`, pq.Array(ids), me, now)
	if err != nil {
		return nil, fmt.Errorf("workflow: reading %d instances: %w", len(ids), err)
	}
	return found, nil
}

// lock reads the instance for a change; nil if there is none. skip gives nil
// also when somebody else is changing it.
func lock(ctx context.Context, tx *sqlx.Tx, condition string, skip bool, args ...any) (*WorkflowInstance, error) {
	how := " FOR UPDATE"
	if skip {
		how += " SKIP LOCKED"
	}
	var i WorkflowInstance
	err := tx.GetContext(ctx, &i, `SELECT `+instanceColumns+` FROM platform.workflow_instance i WHERE `+condition+how, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("workflow: locking an instance: %w", err)
	}
	return &i, nil
}

// tasks reads those of the instances' rounds, in order; of all rounds with all.
func tasks(ctx context.Context, tx sqlx.QueryerContext, instanceIDs []string, all bool) ([]*WorkflowTask, error) {
	var found []*WorkflowTask
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT `+taskColumns+` FROM platform.workflow_task t
		WHERE t.instance_id = ANY($1::uuid[]) AND ($2 OR t.round = (SELECT i.round FROM platform.workflow_instance i WHERE i.id = t.instance_id))
		ORDER BY t.instance_id, t.round, t.seq, t.id LIMIT $3`, pq.Array(instanceIDs), all, maxTasks*len(instanceIDs))
	if err != nil {
		return nil, fmt.Errorf("workflow: reading tasks: %w", err)
	}
	return found, nil
}

// maxTasks bounds the tasks that are read of one instance on average.
const maxTasks = 500

func histories(ctx context.Context, tx sqlx.QueryerContext, instanceIDs []string) ([]*WorkflowEvent, error) {
	var found []*WorkflowEvent
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT id, instance_id, seq, at, action, from_state, to_state, upper(actor_kind) AS actor_kind, actor_id, for_id, task_id, target_id, comment
		FROM platform.workflow_history WHERE instance_id = ANY($1::uuid[]) AND seq <= 1000 ORDER BY instance_id, seq`, pq.Array(instanceIDs))
	if err != nil {
		return nil, fmt.Errorf("workflow: reading histories: %w", err)
	}
	return found, nil
}

// insert writes a new instance. Another one of the same request or subject is a conflict.
func insert(ctx context.Context, tx sqlx.ExtContext, i *WorkflowInstance, requestID string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.workflow_instance (id, definition_key, definition_version, module, subject_id, subject_version, request_id, title, area_code, state, status, outcome,
			initiator_kind, initiator_id, variables, trail, decided, round, participants, due_at, created_at, updated_at, ended_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, '')::uuid, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		i.ID, i.DefinitionKey, i.DefinitionVersion, i.Module, i.SubjectID, i.SubjectVersion, requestID, i.Title, i.AreaCode, i.State, i.Status, i.Outcome,
		i.InitiatorKind, i.InitiatorID, i.Variables, i.Trail, i.Decided, i.Round, i.Participants, i.DueAt, i.CreatedAt, i.UpdatedAt, i.EndedAt, i.Version)
	if database.Duplicate(err, "") {
		return fault.New(fault.Conflict, "该流程已经发起").Because(err)
	}
	if err != nil {
		return fmt.Errorf("workflow: inserting an instance: %w", err)
	}
	return nil
}

// update writes what a step may change; the row is locked.
func update(ctx context.Context, tx sqlx.ExtContext, i *WorkflowInstance) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.workflow_instance SET state = $2, status = $3, outcome = $4, variables = $5, trail = $6, decided = $7, round = $8, participants = $9,
			due_at = $10, urged_at = $11, updated_at = $12, ended_at = $13, version = $14, subject_version = $15, title = $16
		WHERE id = $1`,
		i.ID, i.State, i.Status, i.Outcome, i.Variables, i.Trail, i.Decided, i.Round, i.Participants, i.DueAt, i.UrgedAt, i.UpdatedAt, i.EndedAt, i.Version, i.SubjectVersion, i.Title)
	if err != nil {
		return fmt.Errorf("workflow: updating instance %s: %w", i.ID, err)
	}
	return nil
}

// putTask writes a task, new or changed.
func putTask(ctx context.Context, tx sqlx.ExtContext, instanceID string, t *WorkflowTask) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.workflow_task (id, instance_id, round, state, seq, kind, parent_id, status, worker_id, role, role_area, delegate_id, delegate_until,
			escalation, superior_role, superior_area, opened_at, due_at, check_at, decided_at, decided_by, decision)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7, '')::uuid, $8, nullif($9, '')::uuid, $10, $11, nullif($12, '')::uuid, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, worker_id = excluded.worker_id, role = excluded.role, role_area = excluded.role_area,
			delegate_id = excluded.delegate_id, delegate_until = excluded.delegate_until, escalation = excluded.escalation, superior_role = excluded.superior_role,
			superior_area = excluded.superior_area, opened_at = excluded.opened_at, due_at = excluded.due_at, check_at = excluded.check_at,
			decided_at = excluded.decided_at, decided_by = excluded.decided_by, decision = excluded.decision`,
		t.ID, instanceID, t.Round, t.State, t.Seq, t.Kind, t.ParentID, t.Status, t.WorkerID, t.Role, t.RoleArea, t.DelegateID, t.DelegateUntil,
		t.Escalation, t.SuperiorRole, t.SuperiorArea, t.OpenedAt, t.DueAt, t.CheckAt, t.DecidedAt, t.DecidedBy, t.Decision)
	if err != nil {
		return fmt.Errorf("workflow: writing task %s: %w", t.ID, err)
	}
	return nil
}

func record(ctx context.Context, tx sqlx.ExtContext, instanceID string, at time.Time, line engine.Line) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.workflow_history (id, instance_id, seq, at, action, from_state, to_state, actor_kind, actor_id, for_id, task_id, target_id, comment)
		SELECT $1, $2, 1 + coalesce(max(seq), 0), $3, $4, $5, $6, $7, $8, $9, nullif($10, '')::uuid, $11, $12 FROM platform.workflow_history WHERE instance_id = $2`,
		uuid.Must(uuid.NewV7()).String(), instanceID, at, line.Action, line.From, line.To, line.Actor.Kind, line.Actor.ID, line.For, line.TaskID, line.Target, line.Comment)
	if err != nil {
		return fmt.Errorf("workflow: recording %s of %s: %w", line.Action, instanceID, err)
	}
	return nil
}

func tasksByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*WorkflowTask, error) {
	var found []*WorkflowTask
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+taskColumns+` FROM platform.workflow_task WHERE id = ANY($1::uuid[])`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("workflow: tasks by IDs: %w", err)
	}
	return found, nil
}

// names gives the names of the workers of the IDs; as the system, since who
// takes part in an instance is known to all who see it.
func names(ctx context.Context, tx sqlx.QueryerContext, ids []string) (map[string]string, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT id, name FROM platform.worker WHERE id = ANY($1::uuid[])`, pq.Array(input.IDs(ids)))
	if err != nil {
		return nil, fmt.Errorf("workflow: reading names: %w", err)
	}
	found := make(map[string]string, len(rows))
	for _, row := range rows {
		found[row.ID] = row.Name
	}
	return found, nil
}
