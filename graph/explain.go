package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/citizencloud/citizencloud/graph/plan"
)

// Explain says what an answer tells of its own making, in extensions. It shows
// how subgraphs are reached, so only developers are to have it. Such a call is
// run by itself: other client requests have no part in it.
type Explain struct {
	Plan    bool // plan: as `explain --json` prints it
	Choices bool // choices: the ways that the planner weighed
	Cost    bool // cost: what the operation is estimated to cost, and may cost
	Timings bool // timings: of the stages and of each fetch
	// Only says that the operation is not run: the answer is extensions alone.
	Only bool
	// Received is when the request came, and Asked when it had been read and let
	// in, so that its operation was asked for; both are for Timings.
	Received, Asked time.Time
}

// wanted says whether anything is.
func (x *Explain) wanted() bool { return x.Plan || x.Choices || x.Cost || x.Timings || x.Only }

// Times in JSON are milliseconds with three decimals, since the request came.
type (
	timingsJSON struct {
		Unit    string      `json:"unit"` // ms
		Total   millis      `json:"total"`
		Cached  bool        `json:"cached"` // the operation was prepared before
		Stages  []stageJSON `json:"stages"`
		Fetches []timeJSON  `json:"fetches"` // those that were sent
	}
	stageJSON struct {
		Name     string `json:"name"`
		Start    millis `json:"start"`
		Duration millis `json:"duration"`
	}
	timeJSON struct {
		ID       int    `json:"id"` // of the plan's fetch
		Subgraph string `json:"subgraph"`
		Start    millis `json:"start"`
		Duration millis `json:"duration"`
		Bytes    int    `json:"bytes"`    // of the reply
		Entities int    `json:"entities"` // representations sent
		Status   string `json:"status"`   // ok, or why no answer came
	}
	costJSON struct {
		Estimated int64 `json:"estimated"`
		Max       int64 `json:"max,omitempty"` // none: any cost is allowed
	}
	choiceJSON struct {
		Path  string    `json:"path"`
		Field string    `json:"field"`
		Ways  []wayJSON `json:"ways"`
	}
	wayJSON struct {
		Subgraph   string   `json:"subgraph"`
		Key        string   `json:"key,omitempty"`
		Through    []string `json:"through,omitempty"`
		Cost       int      `json:"cost"`
		Impossible bool     `json:"impossible,omitempty"`
		Taken      bool     `json:"taken"`
	}
)

type millis time.Duration

// MarshalJSON implements json.Marshaler.
func (m millis) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", float64(m)/float64(time.Millisecond)), nil
}

// explained is the answer to a call that only wants to know.
func (e *Engine) explained(op *Operation, call *Call) *Response {
	x := call.Explain
	x.Timings = false // nothing ran
	return &Response{Body: e.extensions([]byte(`{`), op, call, &x, nil), HasData: true}
}

// explain adds what the call wants to know to its answer.
func (e *Engine) explain(r *Response, op *Operation, call *Call, w *watch) {
	body := e.extensions(append(r.Body[:len(r.Body)-1], ','), op, call, &call.Explain, w)
	r.Body, r.writer.Body = body, body
}

// extensions appends "extensions":{…}}.
func (e *Engine) extensions(body []byte, op *Operation, call *Call, x *Explain, w *watch) []byte {
	made := struct {
		Plan    json.RawMessage `json:"plan,omitempty"`
		Choices []choiceJSON    `json:"choices,omitempty"`
		Cost    *costJSON       `json:"cost,omitempty"`
		Timings *timingsJSON    `json:"timings,omitempty"`
	}{}
	if x.Plan {
		if printed, err := plan.JSON(op.plan); err == nil {
			made.Plan = printed
		}
	}
	if x.Choices {
		made.Choices = e.choices(op)
	}
	if x.Cost {
		if cost, ok := e.Cost(op, call); ok {
			made.Cost = &costJSON{rounded(cost), rounded(call.MaxCost)}
		}
	}
	if x.Timings {
		made.Timings = w.timings(op, x)
	}
	body = append(body, `"extensions":`...)
	buffer := bytes.NewBuffer(body)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(made); err != nil { // there is nothing in it that could not be encoded
		return append(body, `{}}`...)
	}
	return append(bytes.TrimRight(buffer.Bytes(), "\n"), '}')
}

// choices weighs anew; an operation that could be planned can be weighed.
func (e *Engine) choices(op *Operation) []choiceJSON {
	choices, err := e.planner.Choices(op.document, op.definition)
	if err != nil {
		return nil
	}
	return choicesOf(choices)
}

// ChoicesJSON prints what the planner weighed, for programs.
func ChoicesJSON(choices []plan.Choice) ([]byte, error) {
	printed, err := json.MarshalIndent(choicesOf(choices), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("graph: choices as JSON: %w", err)
	}
	return append(printed, '\n'), nil
}

func choicesOf(choices []plan.Choice) []choiceJSON {
	made := make([]choiceJSON, 0, len(choices))
	for _, c := range choices {
		choice := choiceJSON{Path: c.Path, Field: c.Field}
		for _, w := range c.Ways {
			choice.Ways = append(choice.Ways, wayJSON(w))
		}
		made = append(made, choice)
	}
	return made
}

func (w *watch) timings(op *Operation, x *Explain) *timingsJSON {
	now := time.Since(w.began)
	asked, ran := x.Asked.Sub(w.began), w.ran
	made := &timingsJSON{Unit: "ms", Total: millis(now), Cached: !op.prepared.After(x.Asked), Fetches: []timeJSON{}}
	stage := func(name string, start, end time.Duration) {
		made.Stages = append(made.Stages, stageJSON{name, millis(start), millis(end - start)})
	}
	stage("receive", 0, asked)
	if made.Cached {
		stage("prepare", asked, ran)
	} else {
		p, at := op.preparation, asked
		for _, s := range [...]struct {
			name string
			took time.Duration
		}{{"parse", p.Parse}, {"validate", p.Validate}, {"plan", p.Plan}, {"compile", p.Compile}} {
			stage(s.name, at, at+s.took)
			at += s.took
		}
	}
	stage("run", ran, w.merged)
	stage("write", w.merged, now)
	for id, f := range w.fetches {
		if f.sent {
			made.Fetches = append(made.Fetches, timeJSON{
				ID: id, Subgraph: op.plan.Fetches[id].Subgraph, Start: millis(f.start), Duration: millis(f.duration),
				Bytes: f.bytes, Entities: f.entities, Status: f.status(),
			})
		}
	}
	return made
}
