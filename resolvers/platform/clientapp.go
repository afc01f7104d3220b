package platform

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/consent"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
)

// ofApps gives what each application of a list has, by one load.
func ofApps[V any](ctx context.Context, objs []*clientapp.ClientApp, load func(context.Context, []string) (map[string][]V, error)) ([][]V, error) {
	ids := make([]string, 0, len(objs))
	for _, a := range objs {
		if a != nil {
			ids = append(ids, a.ID)
		}
	}
	found, err := load(ctx, ids)
	if err != nil {
		return nil, err
	}
	lists := make([][]V, len(objs))
	for i, a := range objs {
		if a != nil {
			lists[i] = found[a.ID]
		}
	}
	return lists, nil
}

// usualStatistics is how many days the statistics show unless asked otherwise.
const usualStatistics = 30

// statisticsRange reads the days of statistics; the last one is today, in Beijing.
func statisticsRange(now time.Time, from, to *string) (first, last time.Time, err error) {
	beijing := now.In(time.FixedZone("CST", 8*3600))
	last = time.Date(beijing.Year(), beijing.Month(), beijing.Day(), 0, 0, 0, 0, time.UTC)
	if to != nil {
		if last, err = time.Parse(time.DateOnly, *to); err != nil {
			return first, last, fault.Invalid("to", "日期须为 YYYY-MM-DD")
		}
	}
	first = last.AddDate(0, 0, 1-usualStatistics)
	if from != nil {
		if first, err = time.Parse(time.DateOnly, *from); err != nil {
			return first, last, fault.Invalid("from", "日期须为 YYYY-MM-DD")
		}
	}
	return first, last, nil
}

// overlap is how long old keys count beside a new one.
func overlap(hours *int) time.Duration {
	if hours == nil {
		return 7 * 24 * time.Hour
	}
	if *hours < 0 || *hours > 24*365 { // the service refuses, without an overflow
		return -1
	}
	return time.Duration(*hours) * time.Hour
}

func clientAppConnection(page clientapp.Page) *executable.ClientAppConnection {
	edges := make([]*executable.ClientAppEdge, len(page.Apps))
	for i, a := range page.Apps {
		edges[i] = &executable.ClientAppEdge{Cursor: keyset.Cursor(a.ID), Node: *a}
	}
	return &executable.ClientAppConnection{Edges: edges, PageInfo: *page.Info}
}

func consentConnection(page consent.Page) *executable.ConsentConnection {
	edges := make([]*executable.ConsentEdge, len(page.Consents))
	for i, c := range page.Consents {
		edges[i] = &executable.ConsentEdge{Cursor: keyset.Cursor(c.ID), Node: *c}
	}
	return &executable.ConsentConnection{Edges: edges, PageInfo: *page.Info}
}
