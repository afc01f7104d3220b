package workflow

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// maxCc bounds whom an initiator may have told.
const maxCc = 20

// Start begins an instance of the published version, in the worker's area.
func (s *Service) Start(ctx context.Context, in StartWorkflowInput) (*WorkflowInstance, error) {
	p, err := access.RequireWorker(ctx)
	if err != nil {
		return nil, err
	}
	title, err := input.Text("input.title", "标题", in.Title, 2, 60)
	if err != nil {
		return nil, err
	}
	said, err := comment(in.Comment)
	if err != nil {
		return nil, err
	}
	if len(in.CcWorkerIds) > maxCc || len(input.IDs(in.CcWorkerIds)) != len(in.CcWorkerIds) {
		return nil, fault.Invalid("input.ccWorkerIds", "抄送人不能超过 %d 人", maxCc)
	}
	b := beginning{key: in.DefinitionKey, title: title, area: p.AreaCode, by: engine.Person{Kind: p.Kind, ID: p.ID}, comment: said, cc: in.CcWorkerIds}
	if in.RequestID != nil {
		if !input.ID(*in.RequestID) {
			return nil, fault.Invalid("input.requestId", "请求标识须为 UUID")
		}
		b.requestID = *in.RequestID
	}
	if in.Variables != nil {
		b.variables = *in.Variables
	}
	b.check = func(d *definition.Definition) error {
		if !slices.ContainsFunc(d.Starters, func(role access.Role) bool { return slices.Contains(p.Roles, role) }) {
			return fault.New(fault.Forbidden, "您没有发起“%s”的权限", d.Name)
		}
		return nil
	}
	return s.begin(ctx, b)
}

// beginning is all that an instance begins with.
type beginning struct {
	key, title, area, subject, requestID, variables, comment string
	by                                                       engine.Person
	cc                                                       []string
	check                                                    func(*definition.Definition) error
}

// begin makes the instance, once a request: asked again it gives the same one.
func (s *Service) begin(ctx context.Context, b beginning) (made *WorkflowInstance, err error) {
	ctx = access.AsSystem(ctx, "workflow")
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if b.requestID != "" {
			if made, err = s.requested(ctx, tx, b); err != nil || made != nil {
				return err
			}
		}
		made, err = s.beginIn(ctx, tx, b)
		return err
	})
	if err != nil && b.requestID != "" && fault.CodeOf(err) == fault.Conflict { // an equal request was faster
		again := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
			made, err = s.requested(ctx, tx, b)
			return err
		})
		if again == nil && made != nil {
			return made, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// requested gives the instance that the request made before; nil if none.
func (s *Service) requested(ctx context.Context, tx *sqlx.Tx, b beginning) (*WorkflowInstance, error) {
	var found []*WorkflowInstance
	err := tx.SelectContext(ctx, &found, `SELECT `+instanceColumns+` FROM platform.workflow_instance i WHERE i.request_id = $1`, b.requestID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if found[0].initiator() != b.by {
		return nil, fault.Invalid("input.requestId", "请求标识已被使用")
	}
	return found[0], s.bind(ctx, tx, found[0])
}

func (s *Service) beginIn(ctx context.Context, tx *sqlx.Tx, b beginning) (*WorkflowInstance, error) {
	e, d, err := s.published(ctx, tx, b.key)
	if err != nil {
		return nil, err
	}
	if b.check != nil {
		if err := b.check(d); err != nil {
			return nil, err
		}
	}
	values, err := d.Values(b.variables, "input.variables")
	if err != nil {
		return nil, err
	}
	w := newWorld(ctx, tx, s.Now())
	for _, v := range d.Variables {
		for _, id := range definition.IDs(values, v.Name) {
			if v.Type == definition.Workers && !w.isActive(id) {
				return nil, fault.Invalid("input.variables."+v.Name, "%s中有不在岗的人员", v.Label)
			}
		}
	}
	for _, id := range b.cc {
		if !w.isActive(id) {
			return nil, fault.Invalid("input.ccWorkerIds", "抄送人中有不在岗的人员")
		}
	}
	i := &WorkflowInstance{ID: uuid.Must(uuid.NewV7()).String(), DefinitionKey: e.key, DefinitionVersion: e.version, Module: d.Module, SubjectID: b.subject,
		Title: b.title, AreaCode: b.area, InitiatorKind: b.by.Kind, InitiatorID: b.by.ID, CreatedAt: w.now, Participants: []string{}, definition: d}
	run, effects, err := engine.Begin(d, engine.Instance{ID: i.ID, SubjectID: b.subject, AreaCode: b.area, Initiator: b.by, Variables: values}, b.comment, w.engine())
	if err := errors.Join(w.err, err); err != nil {
		return nil, err
	}
	v := saving{s: s, tx: tx, w: w, i: i, after: run, effects: effects, requestID: b.requestID, fresh: true, ccIDs: b.cc}
	return i, v.write(ctx)
}
