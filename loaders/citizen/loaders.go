// Package citizen batches what the resolvers of the subgraph citizen ask for
// one by one: however many rows an answer has, each kind of thing is one call
// of the store.
//
// Start reading at Loaders. They belong to one request, whose principal all
// loads of a batch share.
package citizen

import (
	"context"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/favourite"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/merchant"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/usage"
)

// Sources are the concepts that loaders read from.
type Sources struct {
	Catalogue  *catalogue.Catalogue
	Favourites *favourite.Favourites
	Usage      *usage.Usage
	Payments   *payment.Payments
}

// Loaders are one request's.
type Loaders struct {
	Service         *batch.Loader[string, *catalogue.Service]
	Category        *batch.Loader[string, *catalogue.ServiceCategory]
	CategoryCount   Counts
	DepartmentCount Counts
	History         *batch.Loader[string, []*catalogue.ServiceChange]
	Favourited      *batch.Loader[string, bool]
	FavouriteList   *batch.Loader[int, []*catalogue.Service]
	RecentList      *batch.Loader[int, []*catalogue.Service]
	RecommendedList *batch.Loader[int, []*catalogue.Service]
	PaymentOrder    *batch.Loader[string, *payment.PaymentOrder]
	PaymentHistory  *batch.Loader[string, []*payment.PaymentEvent]
	OrderRefunds    *batch.Loader[string, []*payment.Refund]
	Refund          *batch.Loader[string, *payment.Refund]
	Merchant        *batch.Loader[string, *merchant.Merchant]
}

// New makes a request's loaders.
func (s Sources) New() *Loaders {
	return &Loaders{
		Service:         batch.New(s.Catalogue.Find),
		Category:        batch.New(s.categories),
		CategoryCount:   once(s.Catalogue.CountByCategory),
		DepartmentCount: once(s.Catalogue.CountByDepartment),
		History:         batch.New(s.Catalogue.History),
		Favourited:      batch.New(s.Favourites.Marked),
		FavouriteList:   longest(s.Favourites.List),
		RecentList:      longest(s.Usage.Recent),
		RecommendedList: longest(s.Usage.Recommended),
		PaymentOrder:    batch.New(s.Payments.Find),
		PaymentHistory:  batch.New(s.Payments.History),
		OrderRefunds:    batch.New(s.Payments.Refunds),
		Refund:          batch.New(s.Payments.FindRefunds),
		Merchant:        batch.New(s.Payments.Merchants),
	}
}

func (s Sources) categories(ctx context.Context, _ []string) (map[string]*catalogue.ServiceCategory, error) {
	all, err := s.Catalogue.Categories(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*catalogue.ServiceCategory, len(all))
	for _, c := range all {
		byID[c.ID] = c
	}
	return byID, nil
}

// longest loads lists of the caller's own by their lengths: the longest that
// is asked holds the shorter ones.
func longest(list func(ctx context.Context, first int) ([]*catalogue.Service, error)) *batch.Loader[int, []*catalogue.Service] {
	return batch.New(func(ctx context.Context, lengths []int) (map[int][]*catalogue.Service, error) {
		most := 0
		for _, length := range lengths {
			most = max(most, length)
		}
		all, err := list(ctx, most)
		if err != nil {
			return nil, err
		}
		lists := make(map[int][]*catalogue.Service, len(lengths))
		for _, length := range lengths {
			lists[length] = all[:min(length, len(all))]
		}
		return lists, nil
	})
}

// Counts gives all counts of one sort. A request reads them once, however many
// categories or departments its answer names: they are a few dozen, and hang
// on each service singly, where no list could batch them.
type Counts func(ctx context.Context) (map[string]int, error)

func once(read Counts) Counts {
	var (
		first  sync.Once
		counts map[string]int
		err    error
	)
	return func(ctx context.Context) (map[string]int, error) {
		first.Do(func() { counts, err = read(ctx) })
		return counts, err
	}
}

type contextKey struct{}

// With puts loaders into the request's context.
func (s Sources) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, s.New())
}

// From gives the context's loaders, or fresh ones, which batch nothing.
func (s Sources) From(ctx context.Context) *Loaders {
	if loaders, ok := ctx.Value(contextKey{}).(*Loaders); ok {
		return loaders
	}
	return s.New()
}
