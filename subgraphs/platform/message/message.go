// Package message sends messages to many 消息: an approved template with its
// variables filled in, to people, an area, a role or everyone, through the
// platform itself, push services and short messages.
//
// A message is expanded in batches (expand.go) to deliveries, one for each
// recipient and channel; workers take those that are due and hand them over
// (deliver.go). All of that stands in the database and goes on where it stopped
// when a process dies. Receipts come later (receipt.go).
//
// Start reading at Message and its states; what senders do is in service.go,
// calling back in recall.go, what citizens choose in preference.go, classes and
// times in rule.go, figures in statistics.go. The SQL is in store*.go.
package message

import (
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

// State is where a message stands.
type State string

// The states: SCHEDULED→EXPANDING→SENDING→COMPLETED; each →RECALLED.
const (
	Scheduled State = "SCHEDULED"
	Expanding State = "EXPANDING"
	Sending   State = "SENDING"
	Completed State = "COMPLETED"
	Recalled  State = "RECALLED"
)

var transitions = map[State][]State{
	Scheduled: {Expanding, Recalled},
	Expanding: {Sending, Recalled},
	Sending:   {Completed, Recalled},
	Completed: {Recalled},
}

func (s State) may(to State) error {
	if !slices.Contains(transitions[s], to) {
		return fault.New(fault.Conflict, "消息当前状态不允许此操作，请刷新后重试")
	}
	return nil
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states: CREATED→SENDING→DELIVERED|TEMPORARY_FAILURE|PERMANENT_FAILURE|
// TECHNICAL_FAILURE|UNKNOWN; TEMPORARY_FAILURE→SENDING; CREATED|TEMPORARY_FAILURE→
// CANCELLED; UNKNOWN→SENDING (by another provider)|DELIVERED|PERMANENT_FAILURE
// (a receipt came late).
const (
	Created          DeliveryState = "CREATED"
	InTransit        DeliveryState = "SENDING"
	Delivered        DeliveryState = "DELIVERED"
	TemporaryFailure DeliveryState = "TEMPORARY_FAILURE"
	PermanentFailure DeliveryState = "PERMANENT_FAILURE"
	TechnicalFailure DeliveryState = "TECHNICAL_FAILURE"
	Cancelled        DeliveryState = "CANCELLED"
	Unknown          DeliveryState = "UNKNOWN" // a provider took it and never told what became of it
)

// deliveryTransitions is the table that the statements' conditions follow.
var deliveryTransitions = map[DeliveryState][]DeliveryState{
	Created:          {InTransit, Cancelled},
	InTransit:        {Delivered, TemporaryFailure, PermanentFailure, TechnicalFailure, Unknown},
	TemporaryFailure: {InTransit, Cancelled},
	Unknown:          {InTransit, Delivered, PermanentFailure},
}

// before are the states that the table leads to the state from.
func before(to DeliveryState) []string {
	var from []string
	for state, next := range deliveryTransitions {
		if slices.Contains(next, to) {
			from = append(from, string(state))
		}
	}
	slices.Sort(from)
	return from
}

// Channel is how a message reaches somebody.
type Channel string

// The channels.
const (
	InApp Channel = "IN_APP"
	Push  Channel = "PUSH"
	SMS   Channel = "SMS"
)

// Audience is who gets a message.
type Audience string

// The audiences.
const (
	Person   Audience = "PERSON"   // the citizens named
	WithTag  Audience = "TAG"      // the citizens who live in the area and hold the tag
	InArea   Audience = "AREA"     // the citizens who live in the area
	WithRole Audience = "ROLE"     // the workers of the area who hold the role
	Everyone Audience = "EVERYONE" // all citizens
)

// Reasons why a delivery was not made.
const (
	reasonOptedOut  = "OPTED_OUT"
	reasonCapped    = "CAPPED"
	reasonNoAddress = "NO_ADDRESS"
	reasonRecalled  = "RECALLED"
	reasonExhausted = "EXHAUSTED"
	reasonNoReceipt = "NO_RECEIPT"
)

// Message is one sending.
type Message struct {
	ID           string                `db:"id"`
	TemplateID   string                `db:"template_id"`
	Class        messagetemplate.Class `db:"class"`
	Title        string                `db:"title"`
	Body         string                `db:"body"`
	Link         *string               `db:"link"`
	Audience     Audience              `db:"audience"`
	Role         *string               `db:"role"`
	TagID        *string               `db:"tag_id"`
	AreaCode     string                `db:"area_code"`
	State        State                 `db:"state"`
	SendAt       time.Time             `db:"send_at"`
	PeopleCount  int                   `db:"people_count"` // expanded so far
	SenderID     string                `db:"sender_id"`
	CreatedAt    time.Time             `db:"created_at"`
	RecalledAt   *time.Time            `db:"recalled_at"`
	RecallReason *string               `db:"recall_reason"`
	CompletedAt  *time.Time            `db:"completed_at"`
	Version      int                   `db:"version"`

	Channels []Channel `db:"-"`

	ChannelList string    `db:"channel_list"` // Channels, as the table has them
	PeopleList  string    `db:"people_list"`
	Digest      []byte    `db:"digest"`
	Cleared     bool      `db:"cleared"` // all of a recalled one was taken back
	Step        int       `db:"step"`
	After       string    `db:"after"`
	AfterArea   string    `db:"after_area"`
	SteppedAt   time.Time `db:"stepped_at"`
}

// IsEntity makes Message a federation entity.
func (*Message) IsEntity() {}

// step is the payload of the events that take a message one batch further.
type step struct {
	MessageID string `json:"messageId"`
	Step      int    `json:"step"` // the batch that is to be done
}

// Progressed is the payload of platform.message.progressed.
type Progressed struct {
	MessageID string `json:"messageId"`
}

const (
	steppedSubject    = "platform.message.stepped"
	progressedSubject = "platform.message.progressed"
	durable           = "platform-message"
)
