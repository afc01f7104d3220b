package community

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/executable"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

func (r *Resolver) caseConnection(ctx context.Context, page keyset.Page, rows []*feedback.FeedbackCase) *executable.FeedbackCaseConnection {
	rows, info := keyset.Of(page, rows, feedback.Key)
	r.load(ctx).ExpectCases(len(rows))
	connection := &executable.FeedbackCaseConnection{Edges: make([]*executable.FeedbackCaseEdge, len(rows)), PageInfo: *info}
	for i, c := range rows {
		connection.Edges[i] = &executable.FeedbackCaseEdge{Cursor: keyset.Cursor(feedback.Key(c)...), Node: *c}
	}
	return connection
}

func activityConnection(page keyset.Page, rows []*activity.Activity) *executable.ActivityConnection {
	rows, info := keyset.Of(page, rows, activity.Key)
	connection := &executable.ActivityConnection{Edges: make([]*executable.ActivityEdge, len(rows)), PageInfo: *info}
	for i, a := range rows {
		connection.Edges[i] = &executable.ActivityEdge{Cursor: keyset.Cursor(activity.Key(a)...), Node: *a}
	}
	return connection
}

func (r *Resolver) registrationConnection(ctx context.Context, page keyset.Page, rows []*activity.Registration) *executable.RegistrationConnection {
	rows, info := keyset.Of(page, rows, activity.RegistrationKey)
	r.load(ctx).ExpectRegistrations(len(rows))
	connection := &executable.RegistrationConnection{Edges: make([]*executable.RegistrationEdge, len(rows)), PageInfo: *info}
	for i, row := range rows {
		connection.Edges[i] = &executable.RegistrationEdge{Cursor: keyset.Cursor(activity.RegistrationKey(row)...), Node: *row}
	}
	return connection
}

// deref gives the value, and its zero for nil.
func deref[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}

// workerRef refers to a worker, for whoever is not a citizen: citizens deal
// with the community, not with one person.
func workerRef(ctx context.Context, id *string) *executable.Worker {
	if p := access.From(ctx); id == nil || p == nil || p.Kind == access.Citizen {
		return nil
	}
	return &executable.Worker{ID: *id}
}
