// Package community batches what the resolvers of the community subgraph read
// for each row of a list: one store call for all rows that ask at the same
// moment. Nothing is kept between batches, so a context may live long.
//
// Start reading at Loaders.
package community

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// Loaders are the loaders of one request.
type Loaders struct {
	// Histories: a case's ID → its history.
	Histories *Loader[string, []*feedback.FeedbackEvent]
	// Statistics: an area's code, which is in scope → its statistics.
	Statistics *Loader[string, *feedback.FeedbackStatistics]
	// Activities: an activity's ID → the activity, nil where it may not be seen.
	Activities *Loader[string, *activity.Activity]
	// Registrations: an activity's ID → the viewer's registration, nil for none.
	Registrations *Loader[string, *activity.Registration]
	// Published: an area and a page → the page's activities and one more.
	Published *Loader[PublishedKey, []*activity.Activity]
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
	l := &Loaders{
		Histories:     loader(cases.Histories),
		Statistics:    loader(cases.Statistics),
		Registrations: loader(activities.Mine),
	}
	l.Activities = loader(func(ctx context.Context, ids []string) ([]*activity.Activity, error) {
		found, err := activities.Activities(ctx, ids)
		l.ExpectActivities(len(ids))
		return found, err
	})
	l.Published = loader(func(ctx context.Context, keys []PublishedKey) ([][]*activity.Activity, error) {
		lists, err := published(ctx, activities, keys)
		rows := 0
		for i, list := range lists {
			rows += min(len(list), keys[i].size)
		}
		l.ExpectActivities(rows) // of all areas together
		return lists, err
	})
	return l
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

// ExpectCases says that so many cases were handed out.
func (l *Loaders) ExpectCases(rows int) {
	l.Histories.Expect(rows)
	l.ExpectAreas(rows)
}

// ExpectActivities says that so many activities were handed out.
func (l *Loaders) ExpectActivities(rows int) {
	l.Registrations.Expect(rows)
	l.ExpectAreas(rows)
}

// ExpectRegistrations says that so many registrations were handed out.
func (l *Loaders) ExpectRegistrations(rows int) { l.Activities.Expect(rows) }

// ExpectAreas says that so many areas were handed out.
func (l *Loaders) ExpectAreas(rows int) {
	l.Statistics.Expect(rows)
	l.Published.Expect(rows)
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
