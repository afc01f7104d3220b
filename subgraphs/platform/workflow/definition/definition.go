// Package definition holds what a workflow 工作流 is, as data: its states, who
// deals with each and within which time, what they may do, and where that leads.
// A definition is read from JSON and checked whole before anything runs on it.
//
// Start reading at Definition, then Parse in parse.go and the checks in
// check.go; conditions are in condition.go, the built-in ones in builtin/.
package definition

import (
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// Definition is one version of one workflow. It is immutable once parsed.
type Definition struct {
	Key    string `json:"key"`  // such as "general-approval"
	Name   string `json:"name"` // Chinese
	Module Module `json:"module"`
	// Link is where a client goes, with {instance} and {subject} to be filled in.
	Link string `json:"link"`
	// External says that a module keeps the states itself and reports them: the
	// inbox and the time limits are the workflow's, the actions the module's.
	External bool `json:"external,omitempty"`
	// Starters are the roles that may start an instance; with none of them only
	// other subgraphs do.
	Starters  []access.Role `json:"starters,omitempty"`
	Variables []Variable    `json:"variables,omitempty"`
	Withdraw  Withdraw      `json:"withdraw,omitempty"` // NEVER if empty
	// Resubmit is where a returned instance goes on; START if empty.
	Resubmit Resubmit `json:"resubmit,omitempty"`
	Start    string   `json:"start"`
	States   []State  `json:"states"`
	// Cc are told of the end 抄送, besides whom the initiator named.
	Cc []Seat `json:"cc,omitempty"`

	states    map[string]*State
	variables map[string]Variable
}

// Module is the part of the platform that an inbox item belongs to.
type Module string

// The modules.
const (
	Feedback   Module = "FEEDBACK"
	Approval   Module = "APPROVAL"
	Purchasing Module = "PURCHASE"
	Supply     Module = "SUPPLY"
	Service    Module = "SERVICE"
	Task       Module = "TASK"
	Report     Module = "REPORT"
	Export     Module = "EXPORT"
	RealName   Module = "REALNAME"
)

// Modules are all modules, in the order of the schema. Do not change.
var Modules = []Module{Feedback, Approval, Purchasing, Supply, Service, Task, Report, Export, RealName}

// Withdraw says how long the initiator may take an instance back.
type Withdraw string

// The choices.
const (
	WithdrawNever     Withdraw = "NEVER"
	WithdrawUntouched Withdraw = "UNTOUCHED" // until somebody has decided
	WithdrawAlways    Withdraw = "ALWAYS"
)

// Resubmit says where a returned instance goes on.
type Resubmit string

// The choices.
const (
	ResubmitStart    Resubmit = "START"
	ResubmitReturner Resubmit = "RETURNER" // the state that returned it
)

// Kind is what sort of state it is.
type Kind string

// The kinds.
const (
	KindTask Kind = "TASK" // somebody in the inbox has to act
	KindWait Kind = "WAIT" // somebody outside of the inbox has to; external definitions only
	KindEnd  Kind = "END"
)

// Sign says whose sign-off a task state needs.
type Sign string

// The ways of signing off.
const (
	SignAny        Sign = "ANY"        // 或签: one of the seats
	SignAll        Sign = "ALL"        // 会签: all of them
	SignSequential Sign = "SEQUENTIAL" // 依次: all, in their order
)

// State is where an instance may stand.
type State struct {
	Name  string `json:"name"`
	Label string `json:"label"` // Chinese
	Kind  Kind   `json:"kind"`
	Seats []Seat `json:"seats,omitempty"`
	Sign  Sign   `json:"sign,omitempty"` // ANY if empty
	// Workdays is the time limit; 0 is none.
	Workdays int         `json:"workdays,omitempty"`
	Escalate access.Role `json:"escalate,omitempty"` // the superior unit's role that is called when overdue
	// NotInitiator keeps the initiator from deciding on the own request.
	NotInitiator bool     `json:"notInitiator,omitempty"`
	Allow        []string `json:"allow,omitempty"` // of Powers
	Actions      []Action `json:"actions,omitempty"`
	Outcome      string   `json:"outcome,omitempty"` // of an end, such as "APPROVED"
}

// Seat is one place at the table of a state: a role at a level, the workers that
// a variable names, or the initiator.
type Seat struct {
	Role access.Role `json:"role,omitempty"`
	// Level is the one above (or of) the instance's area where the role is
	// looked for; the area itself if empty.
	Level division.Level `json:"level,omitempty"`
	// Each makes a seat of every holder of the role, instead of one for all.
	Each bool `json:"each,omitempty"`
	// Variable names workers; with a role beside, the role stands in when it names none.
	Variable  string `json:"variable,omitempty"`
	Initiator bool   `json:"initiator,omitempty"`
}

// Powers are what a task state may allow besides its own actions.
var Powers = []string{"RETURN_PREVIOUS", "RETURN_INITIATOR", "TRANSFER", "DELEGATE", "ADD_SIGNER"}

// Action is what whoever holds a task may decide.
type Action struct {
	Name  string `json:"name"`
	Label string `json:"label"` // Chinese
	// Agrees makes it the sign-off that joint and sequential states need from
	// all; every other action takes effect at once.
	Agrees bool `json:"agrees,omitempty"`
	// Comment demands a comment.
	Comment bool `json:"comment,omitempty"`
	// By says who may: those at the table if empty, else the initiator, or the system.
	By Doer     `json:"by,omitempty"`
	To []Branch `json:"to"`
}

// Doer is who takes an action of an external definition.
type Doer string

// The doers besides those at the table.
const (
	ByInitiator Doer = "INITIATOR"
	BySystem    Doer = "SYSTEM"
)

// Branch is one way on; the first whose condition holds is taken, and the last
// has none.
type Branch struct {
	When string `json:"when,omitempty"`
	To   string `json:"to"`

	holds program
}

// State gives the state of the name; nil if there is none.
func (d *Definition) State(name string) *State { return d.states[name] }

// Action gives the state's action of the name; nil if there is none.
func (s *State) Action(name string) *Action {
	i := slices.IndexFunc(s.Actions, func(a Action) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Actions[i]
}

// Allows says whether the state allows the power.
func (s *State) Allows(power string) bool { return slices.Contains(s.Allow, power) }

// Next gives the state that the action leads to with the variables, which are
// those that Values gave.
func (d *Definition) Next(a *Action, values map[string]any, areaCode string) string {
	for _, branch := range a.To {
		if branch.holds.holds(values, areaCode) {
			return branch.To
		}
	}
	return a.To[len(a.To)-1].To // it has no condition
}

// LinkOf fills in the link.
func (d *Definition) LinkOf(instanceID, subjectID string) string {
	return strings.NewReplacer("{instance}", instanceID, "{subject}", subjectID).Replace(d.Link)
}
