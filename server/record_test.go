package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
)

// recorder notes what the fetches of one operation send and get. The engine
// prepares them in the order of the plan, so the number of one is its place in it.
type recorder struct {
	inner    dispatch.Dispatcher
	prepared []dispatch.Prepared

	mu      sync.Mutex
	running bool
	fetches []fetched
}

// fetched is what one fetch sent and got; asked is false when it had nothing to ask.
type fetched struct {
	asked      bool
	variables  []byte
	body, data []byte
	errors     gqlerror.List
}

// Prepare implements dispatch.Dispatcher.
func (r *recorder) Prepare(d *dispatch.Document) (dispatch.Prepared, error) {
	prepared, err := r.inner.Prepare(d)
	if err != nil {
		return nil, err
	}
	r.prepared = append(r.prepared, prepared)
	return &recording{prepared, r, len(r.prepared) - 1}, nil
}

func (r *recorder) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.fetches = true, make([]fetched, len(r.prepared))
}

func (r *recorder) stop() []fetched {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = false
	return r.fetches
}

type recording struct {
	dispatch.Prepared
	recorder *recorder
	id       int
}

// Fetch implements dispatch.Prepared.
func (p *recording) Fetch(ctx context.Context, request *dispatch.Request) (*dispatch.Reply, error) {
	reply, err := p.Prepared.Fetch(ctx, request)
	r := p.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.running {
		r.fetches[p.id] = fetched{asked: true, variables: bytes.Clone(request.Variables),
			body: bytes.Clone(reply.Body), data: bytes.Clone(reply.Data), errors: reply.Errors}
	}
	return reply, err
}

// replay sends the recorded fetches to the subgraphs, each as soon as those
// before it in the plan have come.
func (r *recorder) replay(a asking, operation *graph.Operation) error {
	plan := operation.Plan().Fetches
	came := make([]chan struct{}, len(plan))
	for i := range came {
		came[i] = make(chan struct{})
	}
	failed := make(chan error, len(plan))
	for i, fetch := range plan {
		go func() {
			defer close(came[i])
			for _, before := range fetch.After {
				<-came[before]
			}
			if !a.fetches[i].asked {
				failed <- nil
				return
			}
			reply, err := r.prepared[i].Fetch(a.ctx, &dispatch.Request{Variables: a.fetches[i].variables, Header: a.call.Header, View: a.call.View})
			if err == nil {
				if len(reply.Errors) > 0 || len(reply.Body)+len(reply.Data) != len(a.fetches[i].body)+len(a.fetches[i].data) {
					err = fmt.Errorf("fetch %d: another reply than the gateway's", i)
				}
				reply.Release()
			}
			failed <- err
		}()
	}
	for range plan {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// recorded answers fetches out of memory.
type recorded struct {
	fetches []fetched
	next    int
}

// Prepare implements dispatch.Dispatcher.
func (r *recorded) Prepare(*dispatch.Document) (dispatch.Prepared, error) {
	if r.next == len(r.fetches) {
		return nil, fmt.Errorf("fetch %d was not recorded", r.next)
	}
	r.next++
	return answered{&r.fetches[r.next-1]}, nil
}

type answered struct{ fetched *fetched }

// Fetch implements dispatch.Prepared.
func (a answered) Fetch(context.Context, *dispatch.Request) (*dispatch.Reply, error) {
	if !a.fetched.asked {
		return nil, fmt.Errorf("a fetch that was not recorded")
	}
	return &dispatch.Reply{Body: a.fetched.body, Data: a.fetched.data}, nil
}

// Subscribe implements dispatch.Prepared.
func (a answered) Subscribe(context.Context, *dispatch.Request) (dispatch.Source, error) {
	return nil, fmt.Errorf("subscriptions are not recorded")
}
