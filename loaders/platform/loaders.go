// Package platform batches what the platform's resolvers ask for within one
// request: fields of many objects become one statement.
//
// Start reading at Loaders; what each loads is a service of
// subgraphs/platform.
package platform

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

// Services are what the loaders load from.
type Services struct {
	Units         *orgunit.Service
	Posts         *post.Service
	Workers       *worker.Service
	Notifications *notification.Service
	Workflows     *workflow.Service
	Files         *file.Service
	RealNames     *realname.Service
}

// Loaders are one request's loaders. A missing thing loads as nil. They keep
// nothing: a request may last as long as a subscription.
type Loaders struct {
	Unit        *batch.Loader[string, *orgunit.OrgUnit]
	UnitsBelow  *batch.Loader[orgunit.Below, orgunit.Page]
	PostsOf     *batch.Loader[string, []*post.Post]
	Worker      *batch.Loader[string, *worker.Worker]
	Assignments *batch.Loader[string, []*worker.Assignment]
	Tasks       *batch.Loader[*workflow.WorkflowInstance, []*workflow.WorkflowTask]
	Histories   *batch.Loader[*workflow.WorkflowInstance, []*workflow.WorkflowEvent]
	Initiator   *batch.Loader[*workflow.WorkflowInstance, string] // the name
	File        *batch.Loader[string, *file.FileAsset]
	Versions    *batch.Loader[*file.FileAsset, []*file.FileVersion]
	Events      *batch.Loader[*file.FileAsset, []*file.FileEvent]
	// Unread leaves out who is not the caller: ask for the caller only.
	Unread *batch.Loader[notification.Recipient, int]
	// Of real-name verifications and counters.
	VerificationHistory *batch.Loader[string, []*realname.VerificationEvent]
	Slot                *batch.Loader[string, *realname.CounterSlot]
	Counter             *batch.Loader[string, *realname.RealNameCounter]
	SlotsOf             *batch.Loader[string, []*realname.CounterSlot]
}

func newLoaders(s Services) *Loaders {
	return &Loaders{
		Unit:        batch.New(s.Units.ByIDs),
		UnitsBelow:  batch.New(inOrder(s.Units.Children)),
		PostsOf:     batch.New(s.Posts.OfUnits),
		Worker:      batch.New(s.Workers.ByIDs),
		Assignments: batch.New(s.Workers.Assignments),
		Tasks:       batch.New(s.Workflows.Tasks),
		Histories:   batch.New(s.Workflows.Histories),
		Initiator:   batch.New(s.Workflows.Initiators),
		File:        batch.New(s.Files.ByIDs),
		Versions:    batch.New(s.Files.Versions),
		Events:      batch.New(s.Files.Histories),
		Unread:      batch.New(s.Notifications.Unread),

		VerificationHistory: batch.New(s.RealNames.Histories),
		Slot:                batch.New(s.RealNames.SlotsByIDs),
		Counter:             batch.New(s.RealNames.CountersByIDs),
		SlotsOf:             batch.New(s.RealNames.Slots),
	}
}

// inOrder makes of a fetch that answers in the order of its keys one that
// answers by key.
func inOrder[K comparable, V any](fetch func(context.Context, []K) ([]V, error)) func(context.Context, []K) (map[K]V, error) {
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		list, err := fetch(ctx, keys)
		if err != nil {
			return nil, err
		}
		found := make(map[K]V, len(keys))
		for i, key := range keys {
			found[key] = list[i]
		}
		return found, nil
	}
}

type contextKey struct{}

// With puts fresh loaders into the context, once a request.
func With(ctx context.Context, s Services) context.Context {
	return context.WithValue(ctx, contextKey{}, newLoaders(s))
}

// From gives the context's loaders, and fresh ones when With was not called.
func From(ctx context.Context, s Services) *Loaders {
	if loaders, _ := ctx.Value(contextKey{}).(*Loaders); loaders != nil {
		return loaders
	}
	return newLoaders(s)
}
