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

// ofInstances puts what was found by instance into the order of the instances;
// an instance may be nil.
func ofInstances[T any](instances []*workflow.WorkflowInstance, found map[string][]T) [][]T {
	lists := make([][]T, len(instances))
	for n, i := range instances {
		lists[n] = []T{}
		if i != nil && len(found[i.ID]) > 0 {
			lists[n] = found[i.ID]
		}
	}
	return lists
}
