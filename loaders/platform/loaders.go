// Package platform batches what the platform's resolvers ask for within one
// request: fields of many objects become one statement.
//
// Start reading at Loaders; what each loads is a service of
// subgraphs/platform.
package platform

import (
	"context"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"github.com/citizencloud/citizencloud/subgraphs/platform/area"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/orgunit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// Services are what the loaders load from.
type Services struct {
	Areas         *area.Service
	Units         *orgunit.Service
	Workers       *worker.Service
	Notifications *notification.Service
}

// Loaders are one request's loaders. A missing thing loads as nil. They keep
// nothing: a request may last as long as a subscription.
type Loaders struct {
	Area        *dataloader.Loader[string, *area.Area]
	AreasBelow  *dataloader.Loader[area.Below, area.Page]
	Unit        *dataloader.Loader[string, *orgunit.OrgUnit]
	UnitsBelow  *dataloader.Loader[orgunit.Below, orgunit.Page]
	Worker      *dataloader.Loader[string, *worker.Worker]
	Assignments *dataloader.Loader[string, []*worker.Assignment]
	Unread      *dataloader.Loader[notification.Recipient, int]
}

const (
	// wait is how long the first key of a batch waits for others.
	wait = time.Millisecond
	// capacity bounds a batch.
	capacity = 1000
)

func newLoaders(s Services) *Loaders {
	return &Loaders{
		Area:        loader(byKey(s.Areas.ByCodes)),
		AreasBelow:  loader(inOrder(s.Areas.Children)),
		Unit:        loader(byKey(s.Units.ByIDs)),
		UnitsBelow:  loader(inOrder(s.Units.Children)),
		Worker:      loader(byKey(s.Workers.ByIDs)),
		Assignments: loader(byKey(s.Workers.Assignments)),
		Unread: loader(func(ctx context.Context, to []notification.Recipient) []*dataloader.Result[int] {
			counts, refusals := s.Notifications.Unread(ctx, to)
			results := make([]*dataloader.Result[int], len(to))
			for i := range to {
				results[i] = &dataloader.Result[int]{Data: counts[i], Error: refusals[i]}
			}
			return results
		}),
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
