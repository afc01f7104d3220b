// Package notification holds the messages inside of the platform 站内通知: each
// for one citizen or worker, who alone sees it. Other subgraphs ask for them by
// events <subgraph>.notification.requested; a new one reaches who listens at once.
//
// Start reading at Notification and Request; making them is in deliver.go,
// reading in service.go, listening in hub.go. The SQL is in store.go.
package notification

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Topic is what a notification is about; people may one day opt out by it.
type Topic string

// The topics.
const (
	Feedback    Topic = "FEEDBACK"
	Activity    Topic = "ACTIVITY"
	CityService Topic = "SERVICE"
	Supply      Topic = "SUPPLY"
	Account     Topic = "ACCOUNT"
	System      Topic = "SYSTEM"
)

var topics = map[string]Topic{
	"FEEDBACK": Feedback, "ACTIVITY": Activity, "SERVICE": CityService, "SUPPLY": Supply, "ACCOUNT": Account, "SYSTEM": System,
}

// Recipient is who gets a notification: a citizen or a worker.
type Recipient struct {
	Kind access.Kind `db:"recipient_kind"`
	ID   string      `db:"recipient_id"`
}

// Notification is one message to one recipient.
type Notification struct {
	ID    string `db:"id"`
	Topic Topic  `db:"topic"`
	Title string `db:"title"`
	Body  string `db:"body"`
	// Link is where a client goes on a tap, such as "feedback/<id>"; nil for nowhere.
	Link      *string    `db:"link"`
	CreatedAt time.Time  `db:"created_at"`
	ReadAt    *time.Time `db:"read_at"` // nil while unread
}

// IsEntity makes Notification a federation entity.
func (*Notification) IsEntity() {}

// Request is the payload of <subgraph>.notification.requested.
type Request struct {
	// RequestID is chosen by who asks; the same one asked twice notifies once.
	RequestID string    `json:"requestId"`
	Recipient Addressee `json:"recipient"`
	Topic     string    `json:"topic"` // a Topic, in any case; others count as System
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Link      string    `json:"link"`
}

// Addressee names one citizen, one worker, or all workers of units of exactly
// an area who may do the action.
type Addressee struct {
	CitizenID string        `json:"citizenId,omitempty"`
	WorkerID  string        `json:"workerId,omitempty"`
	AreaCode  string        `json:"areaCode,omitempty"`
	Action    access.Action `json:"action,omitempty"`
}

// Created is the payload of platform.notification.created.
type Created struct {
	NotificationID string      `json:"notificationId"`
	RecipientKind  access.Kind `json:"recipientKind"`
	RecipientID    string      `json:"recipientId"`
	Topic          Topic       `json:"topic"`
	Title          string      `json:"title"`
	Body           string      `json:"body"`
	Link           string      `json:"link,omitempty"`
	CreatedAt      time.Time   `json:"createdAt"`
}

// notification is the created notification as its recipient sees it.
func (c Created) notification() *Notification {
	n := &Notification{ID: c.NotificationID, Topic: c.Topic, Title: c.Title, Body: c.Body, CreatedAt: c.CreatedAt}
	if c.Link != "" {
		n.Link = &c.Link
	}
	return n
}

// The longest texts, in characters; longer ones are cut.
const (
	maxTitle = 60
	maxBody  = 500
	maxLink  = 200
)

// tidy gives the request as it is stored, and false when it can never be
// fulfilled: no ID, no title, or not exactly one addressee.
func (r Request) tidy() (Request, Topic, bool) {
	r.Title, r.Body = cut(strings.TrimSpace(r.Title), maxTitle), cut(strings.TrimSpace(r.Body), maxBody)
	topic, known := topics[strings.ToUpper(r.Topic)]
	if !known {
		topic = System
	}
	a, named := r.Recipient, 0
	for _, ok := range []bool{input.ID(a.CitizenID), input.ID(a.WorkerID), division.Valid(a.AreaCode) && a.Action != ""} {
		if ok {
			named++
		}
	}
	return r, topic, input.ID(r.RequestID) && r.Title != "" && named == 1 && len(r.Link) <= maxLink
}

func cut(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}
