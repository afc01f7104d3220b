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

// counted asks for each number below n once, so many at a time.
func counted(ctx context.Context, askers, n int, ask asker) rate {
	var (
		next  atomic.Int64
		group sync.WaitGroup
		mu    sync.Mutex
		all   rate
	)
	for range askers {
		group.Go(func() {
			var own rate
			for i := int(next.Add(1) - 1); i < n && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				own.take(func() error { return ask(ctx, i) })
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(own)
		})
	}
	group.Wait()
	slices.Sort(all.latencies)
	return all
}

// paced lets so many users ask for a while, each over what connect gives it,
// each again a pause after it asked before, and the first time somewhere in a
// pause's length: as many are there at once, and think between.
func paced(ctx context.Context, users int, pause, duration time.Duration, connect func(user int) asker) rate {
	ctx, cancel := context.WithTimeout(ctx, duration+30*time.Second)
	defer cancel()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		all   rate
	)
	began := time.Now()
	end := began.Add(duration)
	for user := range users {
		ask := connect(user)
		group.Go(func() {
			var own rate
			for at := began.Add(pause * time.Duration(user) / time.Duration(users)); at.Before(end); at = at.Add(pause) {
				select {
				case <-time.After(time.Until(at)):
				case <-ctx.Done():
				}
				if ctx.Err() != nil {
					break
				}
				own.take(func() error { return ask(ctx, 0) })
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(own)
		})
	}
	group.Wait()
	all.took = time.Since(began)
	slices.Sort(all.latencies)
	return all
}

// take times one request.
func (r *rate) take(ask func() error) {
	at := time.Now()
	if err := ask(); err != nil {
		r.errors++
		if r.first == nil {
			r.first = err
		}
		return
	}
	r.latencies = append(r.latencies, time.Since(at))
}

// add takes another's outcome along.
func (r *rate) add(other rate) {
	r.latencies = append(r.latencies, other.latencies...)
	r.errors += other.errors
	if r.first == nil {
		r.first = other.first
	}
}
