// Package community batches what the resolvers of the community subgraph read
// for each row of a list: one store call for all rows that ask at the same
// moment. Nothing is kept between batches, so a context may live long.
//
// Start reading at Loaders.
package community

import (
	"context"
	"fmt"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

const (
	// wait is how long a batch gathers keys. The rows of a list ask together.
	wait = time.Millisecond
	// capacity is how many keys a batch takes at most.
	capacity = 500
)

// Loaders are the loaders of one request.
type Loaders struct {
	// Histories: a case's ID → its history.
	Histories *dataloader.Loader[string, []*feedback.FeedbackEvent]
	// Statistics: an area's code, which is in scope → its statistics.
	Statistics *dataloader.Loader[string, *feedback.FeedbackStatistics]
	// Activities: an activity's ID → the activity, nil where it may not be seen.
	Activities *dataloader.Loader[string, *activity.Activity]
	// Registrations: an activity's ID → the viewer's registration, nil for none.
	Registrations *dataloader.Loader[string, *activity.Registration]
	// Published: an area and a page → the page's activities and one more.
	Published *dataloader.Loader[PublishedKey, []*activity.Activity]
}

// PublishedKey asks for a page of an area's published activities.
type PublishedKey struct {
	AreaCode string
	pageKey
}

// pageKey is what areas must have in common to be read together.
type pageKey struct {
	size                 int
	afterStart, afterID  string
	further, includePast bool
}

// KeyOf makes the key of an area and a page.
func KeyOf(areaCode string, page keyset.Page, upcomingOnly bool) PublishedKey {
	key := PublishedKey{areaCode, pageKey{size: page.Size, includePast: !upcomingOnly}}
	if page.After != nil {
		key.further, key.afterStart, key.afterID = true, page.After[0], page.After[1]
	}
	return key
}

func (k pageKey) page() keyset.Page {
	page := keyset.Page{Size: k.size}
	if k.further {
		page.After = []string{k.afterStart, k.afterID}
	}
	return page
}

// New makes the loaders of one request.
func New(cases *feedback.Desk, activities *activity.Desk) *Loaders {
	return &Loaders{
		Histories:     loader(cases.Histories),
		Statistics:    loader(cases.Statistics),
		Activities:    loader(activities.Activities),
		Registrations: loader(activities.Mine),
		Published: loader(func(ctx context.Context, keys []PublishedKey) ([][]*activity.Activity, error) {
			return published(ctx, activities, keys)
		}),
	}
}

// published reads the areas that ask for the same page together.
func published(ctx context.Context, activities *activity.Desk, keys []PublishedKey) ([][]*activity.Activity, error) {
	groups := map[pageKey][]int{}
	for i, key := range keys {
		groups[key.pageKey] = append(groups[key.pageKey], i)
	}
	results := make([][]*activity.Activity, len(keys))
	for shared, members := range groups {
		codes := make([]string, len(members))
		for i, member := range members {
			codes[i] = keys[member].AreaCode
		}
		rows, err := activities.Published(ctx, codes, shared.page(), !shared.includePast)
		if err != nil {
			return nil, err
		}
		for i, member := range members {
			results[member] = rows[i]
		}
	}
	return results, nil
}

// loader makes a loader of a function that answers in the order of its keys.
func loader[K comparable, V any](read func(context.Context, []K) ([]V, error)) *dataloader.Loader[K, V] {
	batch := func(ctx context.Context, keys []K) []*dataloader.Result[V] {
		values, err := read(ctx, keys)
		if err == nil && len(values) != len(keys) {
			err = fmt.Errorf("loaders: %d values for %d keys", len(values), len(keys))
		}
		results := make([]*dataloader.Result[V], len(keys))
		for i := range results {
			if results[i] = (&dataloader.Result[V]{Error: err}); err == nil {
				results[i].Data = values[i]
			}
		}
		return results
	}
	return dataloader.NewBatchedLoader(batch, dataloader.WithWait[K, V](wait), dataloader.WithBatchCapacity[K, V](capacity),
		dataloader.WithCache[K, V](&dataloader.NoCache[K, V]{}))
}

type contextKey struct{}

// With puts the loaders into the context.
func With(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// From gives the context's loaders; nil when there are none.
func From(ctx context.Context) *Loaders {
	l, _ := ctx.Value(contextKey{}).(*Loaders)
	return l
}
