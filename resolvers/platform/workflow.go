package platform

import (
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

func definitionConnection(list []*workflow.WorkflowDefinition, info *keyset.PageInfo) *executable.WorkflowDefinitionConnection {
	edges := make([]*executable.WorkflowDefinitionEdge, len(list))
	for i, d := range list {
		edges[i] = &executable.WorkflowDefinitionEdge{Cursor: keyset.Cursor(workflow.DefinitionKey(d)...), Node: *d}
	}
	return &executable.WorkflowDefinitionConnection{Edges: edges, PageInfo: *info}
}

func inboxConnection(items []*inbox.InboxItem, info *keyset.PageInfo, key func(*inbox.InboxItem) []string) *executable.InboxConnection {
	edges := make([]*executable.InboxEdge, len(items))
	for i, item := range items {
		edges[i] = &executable.InboxEdge{Cursor: keyset.Cursor(key(item)...), Node: *item}
	}
	return &executable.InboxConnection{Edges: edges, PageInfo: *info}
}

func inboxFilter(f *executable.InboxFilter) inbox.Filter {
	if f == nil {
		return inbox.Filter{}
	}
	return inbox.Filter{List: value(f.List), Module: value(f.Module), Overdue: value(f.Overdue), Unread: value(f.Unread), Order: value(f.Order)}
}

// itself is the instance as the key of what is loaded of it.
func itself(i *workflow.WorkflowInstance) *workflow.WorkflowInstance { return i }

// partOf gives a part of the items, which is read once for the page of each:
// the nodes of a connection come one by one.
func partOf[T any](items []*inbox.InboxItem, part inbox.Part, load func([]*inbox.InboxItem) (map[string]T, error)) ([]T, error) {
	values := make([]T, len(items))
	for n, item := range items {
		if item == nil {
			continue
		}
		all, err := item.Page.Load(part, func(items []*inbox.InboxItem) (any, error) { return load(items) })
		if err != nil {
			return nil, err
		}
		found, _ := all.(map[string]T)
		values[n] = found[item.ID]
	}
	return values, nil
}
