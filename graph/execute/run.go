package execute

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/project"
	"github.com/citizencloud/citizencloud/graph/tree"
)

// Request is what differs from one run of a program to the next.
type Request struct {
	// Values are the client's variables, coerced, with their defaults.
	Values map[string]any
	// Raw are the same encoded, as they are sent on.
	Raw    map[string]json.RawMessage
	Header http.Header
	View   string
	// ID and Trace go to the subgraphs; see dispatch.Request.
	ID, Trace string
	// Observer is told of the run's fetches; nil for nobody, which costs nothing.
	Observer Observer
}

// run is one run of a program.
type run struct {
	program *Program
	ctx     context.Context
	request *Request
	tree    *tree.Tree
	holds   []bool
	states  []state
	wait    sync.WaitGroup

	mu sync.Mutex // guards what is below and whatever crosses the segments of the tree
	// queue holds fetches that can be sent.
	queue  []int
	errors []failure
	shared bool // an entity's objects stand in several places
}

// failure is an error that a fetch brought.
type failure struct {
	fetch int
	error project.Error
}

// state is what a run knows of one fetch.
type state struct {
	gathering
	pending int
	request dispatch.Request
	reply   *dispatch.Reply
	answer  tree.Answer
	err     error
	// alias is, of a part or a group, the key of its entities in the reply to the whole request, and slot where
	// the reply's data has them; "" where they are in a reply of their own.
	alias string
	slot  int
}

// maxKept is the size above which buffers are not pooled.
const maxKept = 1 << 20

func (p *Program) run(ctx context.Context, request *Request, holds []bool) *run {
	r, _ := p.runs.Get().(*run)
	if r == nil {
		r = &run{program: p, states: make([]state, len(p.fetches))}
	}
	r.ctx, r.request, r.holds = ctx, request, holds
	r.tree = tree.New(len(p.fetches), p.root)
	for i := range r.states {
		r.states[i].pending = p.fetches[i].after
	}
	return r
}

func (r *run) release() {
	for i := range r.states {
		s := &r.states[i]
		s.reply.Release()
		s.reply, s.err, s.answer, s.request, s.alias, s.slot = nil, nil, tree.Answer{}, dispatch.Request{}, "", 0
		if cap(s.body) > maxKept || s.grouping != nil && len(s.grouping.groups) > maxGroupsKept {
			s.gathering = gathering{}
		}
	}
	r.tree.Release()
	clear(r.errors)
	r.queue, r.errors = r.queue[:0], r.errors[:0]
	r.ctx, r.request, r.tree, r.holds, r.shared = nil, nil, nil, nil, false
	r.program.runs.Put(r)
}

// Run sends the fetches of a query or mutation and writes the answer.
func (p *Program) Run(ctx context.Context, request *Request, w *project.Writer) {
	p.execute(ctx, request, nil, w)
}

// RunEvent writes the answer for one event of a subscription: the reply of the first fetch. It releases the event.
func (p *Program) RunEvent(ctx context.Context, request *Request, event *dispatch.Reply, w *project.Writer) {
	p.execute(ctx, request, event, w)
}

// Source starts the subscription that the events come from.
func (p *Program) Source(ctx context.Context, request *Request) (dispatch.Source, error) {
	f := &p.fetches[0]
	var g gathering
	request.variables(f, &g)
	return f.prepared.Subscribe(ctx, &dispatch.Request{
		Variables: g.body, Header: request.Header, View: request.View, ID: request.ID, Trace: request.Trace,
	})
}

func (p *Program) execute(ctx context.Context, request *Request, event *dispatch.Reply, w *project.Writer) {
	w.Holds = p.Projection.Conditions(w.Holds[:0], request.Values)
	r := p.run(ctx, request, w.Holds)
	r.mu.Lock()
	for i := range p.Plan.Fetches {
		if p.fetches[i].after > 0 {
			continue
		}
		if i == 0 && event != nil {
			r.states[0].reply = event
			r.walkRoot()
			r.queue = append(r.queue, 0)
			continue
		}
		r.ready(i)
	}
	next := r.take()
	r.mu.Unlock()
	r.work(next)
	r.wait.Wait()
	if request.Observer != nil {
		request.Observer.Merged()
	}
	w.Errors = r.sorted(w.Errors)
	w.Variables, w.Shared = request.Values, r.shared
	w.Write(p.Projection, r.tree)
	r.release()
}

// walkRoot makes the root object the target of the first fetch.
func (r *run) walkRoot() {
	r.gather(&r.program.fetches[0], &r.states[0].gathering)
}

// ready is called, under the lock, when all that a fetch waited for is merged: it is queued,
// or where it has nothing to ask those after it are ready.
func (r *run) ready(id int) {
	f, s := &r.program.fetches[id], &r.states[id]
	if f.parts != nil {
		if id = r.gatherParts(f, s); id >= 0 {
			r.queue = append(r.queue, id)
			return
		}
	} else if f.when == nil || f.when.Holds(r.request.Values) {
		r.gather(f, &s.gathering)
		if len(s.targets) > 0 {
			if f.contexts != nil {
				r.groups(f, s)
			}
			r.request.variables(f, &s.gathering)
			r.queue = append(r.queue, id)
			return
		}
	}
	r.advance(f)
}

// advance counts a fetch as done for those that wait for it.
func (r *run) advance(f *fetch) {
	for _, next := range f.next {
		if r.states[next].pending--; r.states[next].pending == 0 {
			r.ready(next)
		}
	}
}

// take returns a queued fetch for the caller to work on, -1 when there is none,
// and starts the others.
func (r *run) take() int {
	if len(r.queue) == 0 {
		return -1
	}
	for _, id := range r.queue[1:] {
		r.wait.Add(1)
		go r.aside(id)
	}
	first := r.queue[0]
	r.queue = r.queue[:0]
	return first
}

func (r *run) aside(id int) {
	defer r.wait.Done()
	r.work(id)
}

// work sends a fetch, merges its reply, and goes on with one that became ready.
func (r *run) work(id int) {
	for id >= 0 {
		f, s := &r.program.fetches[id], &r.states[id]
		r.send(f, s)
		if f.parts != nil {
			r.sendApart(f, s)
		}
		r.mu.Lock()
		switch {
		case f.parts != nil:
			r.mergeParts(f, s)
		case f.contexts != nil:
			r.mergeGroups(f, s)
		default:
			r.merge(f, s)
		}
		r.advance(f)
		id = r.take()
		r.mu.Unlock()
	}
}

// send fetches the reply and decodes it into the fetch's own segment.
func (r *run) send(f *fetch, s *state) {
	if s.reply == nil {
		if s.err = r.ctx.Err(); s.err != nil {
			return
		}
		s.request = dispatch.Request{Variables: s.body, Header: r.request.Header, View: r.request.View, ID: r.request.ID, Trace: r.request.Trace}
		if r.request.Observer != nil {
			r.observed(f, s)
			return
		}
	}
	r.fetch(r.ctx, f, s)
}

// fetch is send's work: the reply, unless it is there already, and its decoding.
func (r *run) fetch(ctx context.Context, f *fetch, s *state) {
	prepared, shape := f.prepared, f.shape
	if f.contexts != nil && len(s.grouping.groups) > 1 {
		var several *variant
		if several, s.err = f.contexts.variant(len(s.grouping.groups)); s.err != nil {
			return
		}
		prepared, shape = several.prepared, several.shape
	}
	if s.reply == nil {
		if s.reply, s.err = prepared.Fetch(ctx, &s.request); s.err != nil {
			return
		}
	}
	d := r.tree.Decoder(f.index)
	if s.reply.Body != nil {
		s.answer, s.err = d.Body(s.reply.Body, shape)
	} else if s.reply.Data != nil {
		s.answer.Data, s.err = d.Data(s.reply.Data, shape)
	}
}

// variables completes the body with the client's variables that the fetch uses.
func (q *Request) variables(f *fetch, g *gathering) {
	switch {
	case f.parts != nil || f.contexts != nil: // closed already
	case f.entity == nil:
		g.body = append(g.body[:0], '{')
	default:
		g.body = append(g.body, ']')
	}
	for _, name := range f.variables {
		raw, given := q.Raw[name]
		if !given {
			continue // the document has the default
		}
		if len(g.body) > 1 {
			g.body = append(g.body, ',')
		}
		g.body = append(g.body, '"')
		g.body = append(g.body, name...)
		g.body = append(g.body, '"', ':')
		g.body = append(g.body, raw...)
	}
	if len(g.body) == 1 {
		g.body = g.body[:0]
		return
	}
	g.body = append(g.body, '}')
}
