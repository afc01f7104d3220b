package platform

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/delegation"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/institution"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

func changeConnection(page institution.Page) *executable.InstitutionChangeConnection {
	edges := make([]*executable.InstitutionChangeEdge, len(page.Changes))
	for i, c := range page.Changes {
		edges[i] = &executable.InstitutionChangeEdge{Cursor: keyset.Cursor(institution.Key(c)...), Node: *c}
	}
	return &executable.InstitutionChangeConnection{Edges: edges, PageInfo: *page.Info}
}

func delegationConnection(page delegation.Page) *executable.DelegationConnection {
	edges := make([]*executable.DelegationEdge, len(page.Delegations))
	for i, d := range page.Delegations {
		edges[i] = &executable.DelegationEdge{Cursor: keyset.Cursor(delegation.Key(d)...), Node: *d}
	}
	return &executable.DelegationConnection{Edges: edges, PageInfo: *page.Info}
}

func unitPayload(u *orgunit.OrgUnit, err error) (*executable.OrgUnitPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.OrgUnitPayload{OrgUnit: *u}, nil
}

func postPayload(p *post.Post, err error) (*executable.PostPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.PostPayload{Post: *p}, nil
}

func workerPayload(w *worker.Worker, err error) (*executable.WorkerPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.WorkerPayload{Worker: *w}, nil
}

func assignmentChanges(input executable.ChangeAssignmentsInput) worker.AssignmentChanges {
	changes := worker.AssignmentChanges{PrimaryID: value(input.PrimaryID)}
	for _, add := range input.Add {
		changes.Add = append(changes.Add, worker.NewAssignment{PostID: add.PostID, ValidFrom: add.ValidFrom, ValidTo: add.ValidTo, Primary: add.Primary})
	}
	for _, end := range input.End {
		changes.End = append(changes.End, worker.EndOfAssignment{ID: end.AssignmentID, LastDay: end.LastDay})
	}
	return changes
}

// nextStep is what the sign-in of who has just signed in still lacks; nil for nothing.
func nextStep(w *worker.Worker) *access.Confinement {
	if w.Viewer == nil || w.Viewer.Confined == "" {
		return nil
	}
	return &w.Viewer.Confined
}
