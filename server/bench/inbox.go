package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// looksEvery is how often a worker who is at work looks into the inbox.
const looksEvery = 5 * time.Second

const clientWorkbench = "workbench"

// measureInbox lets the workers of many communities look into their inboxes,
// each over a connection of its own and in a session of its own, each again
// some seconds later. Every answer must hold to-dos.
func measureInbox(ctx context.Context, s settings, d *deployment, report *report) error {
	signer, err := s.signer()
	if err != nil {
		return err
	}
	cast := demonstration.New(s.scale, time.Now())
	texts := make([]string, s.workers)
	for i := range texts {
		w := at(cast, i)
		p := access.Principal{Kind: access.Worker, ID: w.ID, Name: w.Name, AreaCode: w.AreaCode, UnitID: w.UnitID, Client: clientWorkbench, Session: fmt.Sprint("bench-", i)}
		for _, role := range w.Roles {
			p.Roles = append(p.Roles, access.Role(role))
		}
		if texts[i], _, err = signer.Access(&p); err != nil {
			return err
		}
	}
	filled := make([]int, s.workers)
	look := func(i int) asker {
		sender, err := newSender(transport(1), d.url+"/graphql", mediaGraphQL, clientWorkbench, "Inbox", map[string]any{"first": 20})
		if err != nil {
			return func(context.Context, int) error { return err }
		}
		var buffer bytes.Buffer
		return func(ctx context.Context, _ int) error {
			buffer.Reset()
			if err := sender.read(ctx, texts[i], &buffer); err != nil {
				return err
			}
			n, err := itemsOf(buffer.Bytes())
			filled[i] = n
			return err
		}
	}
	duration := max(s.duration, 2*looksEvery)
	if r := paced(ctx, s.workers, looksEvery, looksEvery, look); r.errors > 0 {
		return fmt.Errorf("inboxes, warming up: %d failed, the first: %w", r.errors, r.first)
	}
	before, err := d.usage()
	if err != nil {
		return err
	}
	r := paced(ctx, s.workers, looksEvery, duration, look)
	after, err := d.usage()
	if err != nil {
		return err
	}
	if r.errors > 0 || len(r.latencies) == 0 {
		return fmt.Errorf("inboxes: %d of %d requests failed, the first: %w", r.errors, r.errors+len(r.latencies), r.first)
	}
	items, empty := 0, 0
	for _, n := range filled {
		items += n
		if n == 0 {
			empty++
		}
	}
	if empty > s.workers/2 {
		return fmt.Errorf("%d of %d inboxes are empty: that is nothing to measure", empty, s.workers)
	}
	spent, n := after.minus(before), time.Duration(len(r.latencies))
	report.heading(fmt.Sprintf("Inboxes of %d workers at once, each looking every %s", s.workers, looksEvery), "requests", "requests/s", "items on average", "p50 ms", "p95 ms", "p99 ms",
		"greatest ms", "CPU ms a request: citizencloud", "PostgreSQL")
	report.row(len(r.latencies), fmt.Sprintf("%.0f", r.perSecond()), fmt.Sprintf("%.1f", float64(items)/float64(s.workers)), milliseconds(quantile(r.latencies, .5)),
		milliseconds(quantile(r.latencies, .95)), milliseconds(quantile(r.latencies, .99)), milliseconds(quantile(r.latencies, 1)), milliseconds(spent.server/n), milliseconds(spent.database/n))
	return nil
}

// at is a worker with an inbox: those of communities, spread over the city.
func at(cast *demonstration.Cast, i int) demonstration.Worker {
	communities := cast.Communities()
	return cast.CommunityWorker(communities[i*max(1, len(communities)/1000)%len(communities)])
}

// itemsOf counts the items of an answer of Inbox.
func itemsOf(body []byte) (int, error) {
	var answer struct {
		Data struct {
			Inbox *struct {
				Edges []struct {
					Node struct{ ID, Title string }
				}
			}
		}
		Errors json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("%w: %.300s", err, body)
	}
	if answer.Errors != nil || answer.Data.Inbox == nil {
		return 0, fmt.Errorf("no inbox: %.300s", body)
	}
	for _, edge := range answer.Data.Inbox.Edges {
		if edge.Node.ID == "" || edge.Node.Title == "" {
			return 0, fmt.Errorf("an item is not complete: %.300s", body)
		}
	}
	return len(answer.Data.Inbox.Edges), nil
}
