// Package audit records what is done: each mutation of a subgraph, with who did
// it, through which client, from where, what for, on what, what changed and how
// it ended, refusals too. A record leaves through the subgraph's outbox, where
// possible in the transaction of the change, and always before the client gets
// its answer; the platform subgraph appends it to the audit log 操作日志.
//
// Start reading at Journal.Around, through which a subgraph's mutations pass.
// A concept adds what only it knows by Change, For and By, in context.go. What
// a record may hold of the input is in redact.go.
package audit

import (
	"encoding/json"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Subject is the end of the events that carry records: <subgraph>.audit.recorded.
const Subject = "audit.recorded"

// Done is the result of what was done as asked; every other result is the code
// of a refusal or a failure (package fault).
const Done = "OK"

// Record is one thing that was done or refused.
type Record struct {
	ID       string    `json:"id"` // UUIDv7
	At       time.Time `json:"at"`
	Subgraph string    `json:"subgraph"`
	// Action is the mutation's name, such as "replyFeedback".
	Action  string `json:"action"`
	Actor   Actor  `json:"actor"`
	Client  string `json:"client,omitempty"`
	Address string `json:"address,omitempty"` // IP
	Request string `json:"request,omitempty"` // X-Request-Id
	Trace   string `json:"trace,omitempty"`   // W3C trace ID
	Purpose string `json:"purpose,omitempty"` // what for, where somebody had to say so
	// Changes are what was changed; where none was told, one with the target alone.
	Changes []Entry `json:"changes"`
	// Input is the mutation's input without secrets, personal fields masked.
	Input  json.RawMessage `json:"input,omitempty"`
	Result string          `json:"result"`
}

// Actor is who did it.
type Actor struct {
	Kind  access.Kind   `json:"kind,omitempty"` // "" for nobody signed in
	ID    string        `json:"id,omitempty"`
	Name  string        `json:"name,omitempty"` // workers only: citizens are named by ID
	Roles []access.Role `json:"roles,omitempty"`
	Unit  string        `json:"unit,omitempty"`
	// Assignment is the post in which a worker acts, Delegation by what right,
	// where it is another's post.
	Assignment string `json:"assignment,omitempty"`
	Delegation string `json:"delegation,omitempty"`
	Area       string `json:"area,omitempty"`
	Session    string `json:"session,omitempty"`
}

// Target is what something was done to.
type Target struct {
	Kind string `json:"kind,omitempty"` // the type in the schema, such as "FeedbackCase"
	ID   string `json:"id,omitempty"`
	Area string `json:"area,omitempty"` // the area that it belongs to; "" leaves the actor's
}

// Entry is one target with its state before and after, personal data masked.
type Entry struct {
	Target
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func actorOf(p *access.Principal) Actor {
	if p == nil {
		return Actor{}
	}
	actor := Actor{Kind: p.Kind, ID: p.ID, Roles: p.Roles, Unit: p.UnitID, Assignment: p.AssignmentID, Delegation: p.DelegationID,
		Area: p.AreaCode, Session: p.Session}
	if p.Kind != access.Citizen {
		actor.Name = p.Name
	}
	return actor
}
