package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// home measures AppHome, the APP's first page: one persisted operation over
// all four subgraphs, by many different citizens.
type home struct {
	settings
	citizens []demonstration.Citizen
	seed     maphash.Seed
	known    []atomic.Uint64 // for each citizen the hash of an answer that was checked
	seen     struct{ favourites, activities, supermarket atomic.Int64 }
}

func newHome(s settings) *home {
	cast := demonstration.New(s.scale, time.Now())
	h := &home{settings: s, seed: maphash.MakeSeed(), known: make([]atomic.Uint64, s.citizens)}
	for i := range s.citizens { // spread evenly over all
		h.citizens = append(h.citizens, cast.Citizen(i*(cast.Citizens()/s.citizens)))
	}
	return h
}

func (h *home) measure(ctx context.Context, d *deployment, report *report) error {
	signer, err := h.signer()
	if err != nil {
		return err
	}
	report.heading("AppHome, "+d.name, "connections", "requests/s", "p50 ms", "p95 ms", "p99 ms", "greatest ms",
		"CPU ms a request: citizencloud", "PostgreSQL", "load generator", "citizencloud MB")
	for i, n := range connections {
		texts, err := tokens(signer, h.citizens) // they would expire
		if err != nil {
			return err
		}
		if i == 0 { // every citizen once: caches are warm, and every answer is known
			if err := h.learn(ctx, d, texts); err != nil {
				return err
			}
		}
		ask := func() asker { return h.asker(d, texts) }
		if r := closedLoop(ctx, n, time.Second, ask); r.errors > 0 {
			return fmt.Errorf("AppHome, warming up: %w", r.first)
		}
		before, err := d.usage()
		if err != nil {
			return err
		}
		r := closedLoop(ctx, n, h.duration, ask)
		after, err := d.usage()
		if err != nil {
			return err
		}
		if r.errors > 0 || len(r.latencies) == 0 {
			return fmt.Errorf("AppHome, %s, %d connections: %d of %d requests failed, the first: %w", d.name, n, r.errors, r.errors+len(r.latencies), r.first)
		}
		spent := after.minus(before)
		each := func(cpu time.Duration) string { return milliseconds(cpu / time.Duration(len(r.latencies))) }
		report.row(n, fmt.Sprintf("%.0f", r.perSecond()), milliseconds(quantile(r.latencies, .5)), milliseconds(quantile(r.latencies, .95)),
			milliseconds(quantile(r.latencies, .99)), milliseconds(quantile(r.latencies, 1)),
			each(spent.server), each(spent.database), each(spent.bench), megabytes(after.memory))
	}
	return nil
}

// learn asks for every citizen once, with all checks.
func (h *home) learn(ctx context.Context, d *deployment, texts []string) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range 4 {
		ask := h.asker(d, texts)
		group.Go(func() error {
			for {
				n := int(next.Add(1) - 1)
				if n >= len(texts) {
					return nil
				}
				if err := ask(ctx, n); err != nil {
					return fmt.Errorf("AppHome, %s: %w", d.name, err)
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if h.seen.favourites.Load() == 0 || h.seen.activities.Load() == 0 || h.seen.supermarket.Load() == 0 {
		return fmt.Errorf("of %d citizens %d have favourites, %d activities and %d a supermarket: that is no home to measure (an old folder? remove %s)",
			len(texts), h.seen.favourites.Load(), h.seen.activities.Load(), h.seen.supermarket.Load(), h.folder)
	}
	return nil
}

// asker asks for the home of citizen n over a connection of its own. An answer
// must be one that was checked before, byte by byte, or it is checked now.
func (h *home) asker(d *deployment, texts []string) asker {
	sender, err := newSender(transport(1), d.url+"/graphql", mediaGraphQL, clientApp, "AppHome", nil)
	if err != nil {
		return func(context.Context, int) error { return err }
	}
	var buffer bytes.Buffer
	return func(ctx context.Context, n int) error {
		n %= len(texts)
		buffer.Reset()
		if err := sender.read(ctx, texts[n], &buffer); err != nil {
			return err
		}
		hash := maphash.Bytes(h.seed, buffer.Bytes())
		if hash == h.known[n].Load() {
			return nil
		}
		if err := h.check(h.citizens[n], buffer.Bytes()); err != nil {
			return fmt.Errorf("citizen %s: %w", h.citizens[n].ID, err)
		}
		h.known[n].Store(hash)
		return nil
	}
}

// tile is a service on the page.
type tile struct {
	ID, Code, Name string
	Category       *struct{ ID, Name string }
}

type edges struct {
	Edges []struct{ Node struct{ ID string } }
}

// check reads an answer and says what is wrong with it.
func (h *home) check(citizen demonstration.Citizen, body []byte) error {
	var answer struct {
		Data struct {
			Viewer *struct {
				ID, Nickname        string
				Unread              *int `json:"unreadNotificationCount"`
				FavouriteServices   []tile
				RecommendedServices []tile
				Area                *struct {
					ID          string
					Activities  *edges
					Supermarket *edges
				}
			}
			PopularServices []tile
		}
		Errors json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%w: %.300s", err, body)
	}
	v := answer.Data.Viewer
	switch {
	case answer.Errors != nil:
		return fmt.Errorf("errors: %.300s", answer.Errors)
	case v == nil || v.ID != citizen.ID || v.Nickname == "" || v.Unread == nil:
		return fmt.Errorf("another one's home: %.300s", body)
	case v.Area == nil || v.Area.ID != citizen.CommunityCode || v.Area.Activities == nil || v.Area.Supermarket == nil:
		return fmt.Errorf("the area is not complete: %.300s", body)
	case v.FavouriteServices == nil || len(v.RecommendedServices) == 0 || len(answer.Data.PopularServices) == 0:
		return fmt.Errorf("services are missing: %.300s", body)
	}
	for _, t := range append(append(v.FavouriteServices, v.RecommendedServices...), answer.Data.PopularServices...) {
		if t.ID == "" || t.Code == "" || t.Name == "" || t.Category == nil || t.Category.Name == "" {
			return fmt.Errorf("a service is not complete: %+v", t)
		}
	}
	h.seen.favourites.Add(int64(min(1, len(v.FavouriteServices))))
	h.seen.activities.Add(int64(min(1, len(v.Area.Activities.Edges))))
	h.seen.supermarket.Add(int64(min(1, len(v.Area.Supermarket.Edges))))
	return nil
}
