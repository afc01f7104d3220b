package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// DefinitionState says where a version of a definition stands.
type DefinitionState string

// The states: DRAFT→REVIEWED→PUBLISHED→RETIRED. Of each key one version is
// published at most, and one is being worked on.
const (
	Draft     DefinitionState = "DRAFT"
	Reviewed  DefinitionState = "REVIEWED"
	Published DefinitionState = "PUBLISHED"
	Retired   DefinitionState = "RETIRED"
)

// WorkflowDefinition is one version of a definition, as it is stored.
type WorkflowDefinition struct {
	Key         string            `db:"key"`
	Number      int               `db:"version"`
	State       DefinitionState   `db:"state"`
	Name        string            `db:"name"`
	Module      definition.Module `db:"module"`
	Body        string            `db:"body"`
	CreatedBy   string            `db:"created_by"` // a worker's ID, or "platform"
	CreatedAt   time.Time         `db:"created_at"`
	ReviewedBy  *string           `db:"reviewed_by"`
	ReviewedAt  *time.Time        `db:"reviewed_at"`
	PublishedAt *time.Time        `db:"published_at"`
	RetiredAt   *time.Time        `db:"retired_at"`
	Version     int               `db:"row_version"` // the optimistic lock
}

const definitionColumns = `key, version, state, name, module, body, created_by, created_at, reviewed_by, reviewed_at, published_at, retired_at, row_version`

var errNoDefinition = fault.New(fault.NotFound, "未找到该流程定义")

// Problems says what is wrong with a definition's text, for who writes one.
func (s *Service) Problems(ctx context.Context, body string) ([]*definition.Problem, error) {
	if _, err := access.Require(ctx, access.WorkflowManage); err != nil {
		return nil, err
	}
	_, problems := definition.Parse([]byte(body))
	list := make([]*definition.Problem, len(problems))
	for i := range problems {
		list[i] = &problems[i]
	}
	return list, nil
}

// DraftDefinition makes the draft of the key's next version, or replaces it.
func (s *Service) DraftDefinition(ctx context.Context, in DraftWorkflowDefinitionInput) (*WorkflowDefinition, error) {
	p, err := access.Require(ctx, access.WorkflowManage)
	if err != nil {
		return nil, err
	}
	d, problems := definition.Parse([]byte(in.Body))
	if len(problems) > 0 {
		return nil, definition.Refuse(problems, "input.body")
	}
	if d.External {
		return nil, fault.Invalid("input.body.external", "由业务模块驱动的流程随平台升级，不能在此修改")
	}
	var made WorkflowDefinition
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		var draft WorkflowDefinition
		err := tx.GetContext(ctx, &draft, `SELECT `+definitionColumns+` FROM platform.workflow_definition WHERE key = $1 AND state IN ('DRAFT', 'REVIEWED') FOR UPDATE`, d.Key)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("workflow: reading the draft of %s: %w", d.Key, err)
		}
		if err == nil {
			if in.ExpectedVersion == nil || *in.ExpectedVersion != draft.Version {
				return fault.New(fault.Conflict, "“%s”已有草稿，请基于最新草稿修改", d.Name)
			}
			return tx.GetContext(ctx, &made, `UPDATE platform.workflow_definition SET state = 'DRAFT', name = $3, module = $4, body = $5, created_by = $6, created_at = $7,
				reviewed_by = NULL, reviewed_at = NULL, row_version = row_version + 1 WHERE key = $1 AND version = $2 RETURNING `+definitionColumns,
				d.Key, draft.Number, d.Name, d.Module, in.Body, p.ID, s.Now())
		}
		if in.ExpectedVersion != nil {
			return fault.New(fault.Conflict, "该草稿已不存在，请刷新后重试")
		}
		err = tx.GetContext(ctx, &made, `
			INSERT INTO platform.workflow_definition (key, version, state, name, module, body, created_by, created_at)
			SELECT $1, 1 + coalesce(max(version), 0), 'DRAFT', $2, $3, $4, $5, $6 FROM platform.workflow_definition WHERE key = $1 RETURNING `+definitionColumns,
			d.Key, d.Name, d.Module, in.Body, p.ID, s.Now())
		if database.Duplicate(err, "") {
			return fault.New(fault.Conflict, "“%s”已有草稿，请基于最新草稿修改", d.Name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &made, nil
}

// ReviewDefinition approves a draft: somebody of the city who did not write it.
func (s *Service) ReviewDefinition(ctx context.Context, in WorkflowDefinitionStepInput) (*WorkflowDefinition, error) {
	p, err := access.RequireArea(ctx, access.WorkflowReview, division.CityCode)
	if err != nil {
		return nil, err
	}
	return s.move(ctx, in, Draft, func(tx *sqlx.Tx, d *WorkflowDefinition) error {
		if d.CreatedBy == p.ID {
			return fault.New(fault.Forbidden, "不能审核本人起草的流程定义")
		}
		return set(ctx, tx, d, `state = 'REVIEWED', reviewed_by = $4, reviewed_at = $3`, s.Now(), p.ID)
	})
}

// PublishDefinition makes the reviewed version the one that new instances run
// on; those in flight finish on theirs.
func (s *Service) PublishDefinition(ctx context.Context, in WorkflowDefinitionStepInput) (*WorkflowDefinition, error) {
	if _, err := access.Require(ctx, access.WorkflowManage); err != nil {
		return nil, err
	}
	return s.move(ctx, in, Reviewed, func(tx *sqlx.Tx, d *WorkflowDefinition) error {
		if _, problems := definition.Parse([]byte(d.Body)); len(problems) > 0 { // a rule may have come since
			return definition.Refuse(problems, "body")
		}
		_, err := tx.ExecContext(ctx, `UPDATE platform.workflow_definition SET state = 'RETIRED', retired_at = $2, row_version = row_version + 1 WHERE key = $1 AND state = 'PUBLISHED'`,
			d.Key, s.Now())
		if err != nil {
			return fmt.Errorf("workflow: retiring the old version of %s: %w", d.Key, err)
		}
		return set(ctx, tx, d, `state = 'PUBLISHED', published_at = $3`, s.Now())
	})
}

// RetireDefinition lets no more instances begin; those in flight finish.
func (s *Service) RetireDefinition(ctx context.Context, in WorkflowDefinitionStepInput) (*WorkflowDefinition, error) {
	if _, err := access.Require(ctx, access.WorkflowManage); err != nil {
		return nil, err
	}
	return s.move(ctx, in, Published, func(tx *sqlx.Tx, d *WorkflowDefinition) error {
		if parsed, _ := definition.Parse([]byte(d.Body)); parsed != nil && parsed.External {
			return fault.New(fault.Conflict, "由业务模块驱动的流程不能停用")
		}
		return set(ctx, tx, d, `state = 'RETIRED', retired_at = $3`, s.Now())
	})
}

var stateNames = map[DefinitionState]string{Draft: "草稿", Reviewed: "已审核", Published: "已发布", Retired: "已停用"}

// move takes the version on from the state, unless somebody was faster.
func (s *Service) move(ctx context.Context, in WorkflowDefinitionStepInput, from DefinitionState, step func(*sqlx.Tx, *WorkflowDefinition) error) (*WorkflowDefinition, error) {
	var d WorkflowDefinition
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		err := tx.GetContext(ctx, &d, `SELECT `+definitionColumns+` FROM platform.workflow_definition WHERE key = $1 AND version = $2 FOR UPDATE`, in.Key, in.Version)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoDefinition
		}
		if err != nil {
			return fmt.Errorf("workflow: reading %s version %d: %w", in.Key, in.Version, err)
		}
		if d.Version != in.ExpectedVersion {
			return fault.New(fault.Conflict, "该流程定义刚被他人变更，请刷新后重试")
		}
		if d.State != from {
			return fault.New(fault.Conflict, "该流程定义当前为“%s”，不能执行该操作", stateNames[d.State])
		}
		return step(tx, &d)
	})
	if err != nil {
		return nil, err
	}
	return &d, nil
}

func set(ctx context.Context, tx *sqlx.Tx, d *WorkflowDefinition, what string, args ...any) error {
	err := tx.GetContext(ctx, d, `UPDATE platform.workflow_definition SET `+what+`, row_version = row_version + 1 WHERE key = $1 AND version = $2 RETURNING `+definitionColumns,
		append([]any{d.Key, d.Number}, args...)...)
	if err != nil {
		return fmt.Errorf("workflow: moving %s version %d: %w", d.Key, d.Number, err)
	}
	return nil
}

// Definition gives one version; with none said the published one.
func (s *Service) Definition(ctx context.Context, key string, version *int) (*WorkflowDefinition, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	var found []*WorkflowDefinition
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		if version == nil {
			return tx.SelectContext(ctx, &found, `SELECT `+definitionColumns+` FROM platform.workflow_definition WHERE key = $1 AND state = 'PUBLISHED'`, key)
		}
		return tx.SelectContext(ctx, &found, `SELECT `+definitionColumns+` FROM platform.workflow_definition WHERE key = $1 AND version = $2`, key, *version)
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || (found[0].State == Draft || found[0].State == Reviewed) && !keeps(p) {
		return nil, errNoDefinition
	}
	return found[0], nil
}

// Definitions gives a page of versions by key, the newest of each first; of one
// state if it is said. Workers who keep no definitions see the published ones.
func (s *Service) Definitions(ctx context.Context, state DefinitionState, page keyset.Page) ([]*WorkflowDefinition, *keyset.PageInfo, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !keeps(p) {
		state = Published
	}
	afterKey, afterVersion := "", 0
	if page.After != nil {
		afterKey = page.After[0]
		if afterVersion, err = strconv.Atoi(page.After[1]); err != nil {
			return nil, nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	var found []*WorkflowDefinition
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &found, `
			SELECT `+definitionColumns+` FROM platform.workflow_definition
			WHERE ($1 = '' OR state = $1) AND (key > $2 OR key = $2 AND version < $3) ORDER BY key, version DESC LIMIT $4`,
			string(state), afterKey, afterVersion, page.Limit())
	})
	if err != nil {
		return nil, nil, fmt.Errorf("workflow: listing definitions: %w", err)
	}
	list, info := keyset.Of(page, found, DefinitionKey)
	return list, info, nil
}

// keeps says whether the principal sees definitions that are being worked on.
func keeps(p *access.Principal) bool {
	return p.May(access.WorkflowManage) || p.May(access.WorkflowReview)
}

// DefinitionKeyColumns is the number of DefinitionKey's columns.
const DefinitionKeyColumns = 2

// DefinitionKey is a definition's key in lists, for keyset.
func DefinitionKey(d *WorkflowDefinition) []string { return []string{d.Key, strconv.Itoa(d.Number)} }
