package platform

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/area"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

func areaConnection(areas []*area.Area, info *keyset.PageInfo) *executable.AreaConnection {
	edges := make([]*executable.AreaEdge, len(areas))
	for i, a := range areas {
		edges[i] = &executable.AreaEdge{Cursor: keyset.Cursor(a.Code), Node: *a}
	}
	return &executable.AreaConnection{Edges: edges, PageInfo: *info}
}

func unitConnection(page orgunit.Page) *executable.OrgUnitConnection {
	edges := make([]*executable.OrgUnitEdge, len(page.Units))
	for i, u := range page.Units {
		edges[i] = &executable.OrgUnitEdge{Cursor: keyset.Cursor(u.AreaCode, u.ID), Node: *u}
	}
	return &executable.OrgUnitConnection{Edges: edges, PageInfo: *page.Info}
}

func workerConnection(page worker.Page) *executable.WorkerConnection {
	edges := make([]*executable.WorkerEdge, len(page.Workers))
	for i, w := range page.Workers {
		edges[i] = &executable.WorkerEdge{Cursor: keyset.Cursor(w.AreaCode, w.ID), Node: *w}
	}
	return &executable.WorkerConnection{Edges: edges, PageInfo: *page.Info}
}

func ruleConnection(page gatewayrule.Page) *executable.GatewayRuleConnection {
	edges := make([]*executable.GatewayRuleEdge, len(page.Rules))
	for i, rule := range page.Rules {
		edges[i] = &executable.GatewayRuleEdge{Cursor: keyset.Cursor(rule.Key()...), Node: *rule}
	}
	return &executable.GatewayRuleConnection{Edges: edges, PageInfo: *page.Info}
}

func auditConnection(page audit.Page) *executable.AuditEntryConnection {
	edges := make([]*executable.AuditEntryEdge, len(page.Entries))
	for i, e := range page.Entries {
		edges[i] = &executable.AuditEntryEdge{Cursor: keyset.Cursor(e.Key()...), Node: *e}
	}
	return &executable.AuditEntryConnection{Edges: edges, PageInfo: *page.Info}
}

// notificationsOf gives a page of the recipient's notifications. asking is who
// has just signed in and asks with no token yet; nil is the request's principal.
func (r *Resolver) notificationsOf(ctx context.Context, asking *access.Principal, to notification.Recipient, first *int, after *string, unreadOnly *bool) (*executable.NotificationConnection, error) {
	if asking != nil {
		ctx = access.With(ctx, asking)
	}
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return nil, err
	}
	found, err := r.notifications.List(ctx, to, value(unreadOnly), page)
	if err != nil {
		return nil, err
	}
	edges := make([]*executable.NotificationEdge, len(found.Notifications))
	for i, n := range found.Notifications {
		edges[i] = &executable.NotificationEdge{Cursor: keyset.Cursor(n.ID), Node: *n}
	}
	return &executable.NotificationConnection{Edges: edges, PageInfo: *found.Info}, nil
}

// value gives what the optional argument points to, or the zero value.
func value[T any](optional *T) T {
	if optional == nil {
		var zero T
		return zero
	}
	return *optional
}

// ordered puts what was found by ID into the order of the representations, nil
// for what is not there or may not be seen.
func ordered[R any, T any](ctx context.Context, representations []R, id func(R) *string, find func(context.Context, []string) (map[string]*T, error)) ([]*T, error) {
	ids := make([]string, len(representations))
	for i, representation := range representations {
		ids[i] = value(id(representation))
	}
	found, err := find(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]*T, len(ids))
	for i, id := range ids {
		list[i] = found[id]
	}
	return list, nil
}
