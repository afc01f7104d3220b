package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// asker sends request number n over a connection of its own, reads the whole
// answer and checks it.
type asker func(ctx context.Context, n int) error

// rate is the outcome of one measurement.
type rate struct {
	latencies []time.Duration // sorted
	took      time.Duration
	errors    int
	first     error // the first of them
}

// closedLoop lets so many askers ask for a while, each again as soon as it has
// its answer. Requests are numbered over all, so no two in flight are the same
// while there are more of them than askers.
func closedLoop(ctx context.Context, askers int, duration time.Duration, connect func() asker) rate {
	ctx, cancel := context.WithTimeout(ctx, duration+30*time.Second)
	defer cancel()
	var (
		next  atomic.Int64
		group sync.WaitGroup
		mu    sync.Mutex
		all   rate
	)
	began := time.Now()
	end := began.Add(duration)
	for range askers {
		ask := connect()
		group.Go(func() {
			var own rate
			for at := time.Now(); at.Before(end) && ctx.Err() == nil; {
				err := ask(ctx, int(next.Add(1)-1))
				done := time.Now()
				if err != nil {
					own.errors++
					if own.first == nil {
						own.first = err
					}
				} else {
					own.latencies = append(own.latencies, done.Sub(at))
				}
				at = done
			}
			mu.Lock()
			defer mu.Unlock()
			all.latencies = append(all.latencies, own.latencies...)
			all.errors += own.errors
			if all.first == nil {
				all.first = own.first
			}
		})
	}
	group.Wait()
	all.took = time.Since(began)
	slices.Sort(all.latencies)
	return all
}

// perSecond is the number of good answers in a second.
func (r rate) perSecond() float64 { return float64(len(r.latencies)) / r.took.Seconds() }

// quantile is the value that the part q of the sorted values do not exceed
// (nearest rank); 0 without values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[min(max(rank, 1), len(sorted))-1]
}
