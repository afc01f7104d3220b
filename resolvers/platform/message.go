package platform

import (
	"context"
	"net/http"
	"time"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizentag"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

func messageTemplateConnection(list []*messagetemplate.MessageTemplate, info *keyset.PageInfo) *executable.MessageTemplateConnection {
	edges := make([]*executable.MessageTemplateEdge, len(list))
	for i, t := range list {
		edges[i] = &executable.MessageTemplateEdge{Cursor: keyset.Cursor(t.ID), Node: *t}
	}
	return &executable.MessageTemplateConnection{Edges: edges, PageInfo: *info}
}

func messageConnection(list []*message.Message, info *keyset.PageInfo) *executable.MessageConnection {
	edges := make([]*executable.MessageEdge, len(list))
	for i, m := range list {
		edges[i] = &executable.MessageEdge{Cursor: keyset.Cursor(m.ID), Node: *m}
	}
	return &executable.MessageConnection{Edges: edges, PageInfo: *info}
}

func citizenTagConnection(list []*citizentag.Tag, info *keyset.PageInfo) *executable.CitizenTagConnection {
	edges := make([]*executable.CitizenTagEdge, len(list))
	for i, t := range list {
		edges[i] = &executable.CitizenTagEdge{Cursor: keyset.Cursor(t.ID), Node: *t}
	}
	return &executable.CitizenTagConnection{Edges: edges, PageInfo: *info}
}

// Carriers are those who carry messages out of the platform. What is not given
// is simulated in development mode; else nothing is sent by it.
type Carriers struct {
	Texts  []carrier.Share            // providers of short messages
	Pushes map[string]carrier.Service // by name, see carrier.APNs and the others
	// Gateways are those of Texts that tell receipts over HTTP.
	Gateways       []*carrier.Gateway
	ReceiptTimeout time.Duration // zero is message.ReceiptTimeout
}

const (
	slots    = 64 // messages that one provider is handed at once
	reserved = 16 // of them, for codes alone
)

// newMessages puts together what sends to many, and the lane of codes; with the
// simulated providers of short messages, whose receipts somebody has to run.
func newMessages(d Deps, inbox *sms.Simulator) (*message.Service, carrier.Codes, []*carrier.Simulator) {
	var service *message.Service
	var simulators []*carrier.Simulator
	shares := d.Carriers.Texts
	switch {
	case len(shares) > 0:
	case d.Development:
		receive := func(ctx context.Context, receipts []carrier.Receipt) { _ = service.Receive(ctx, receipts) }
		for i, name := range []string{"first", "second"} {
			s := carrier.NewSimulator(name, 2*time.Second, receive)
			simulators, shares = append(simulators, s), append(shares, carrier.Share{Provider: carrier.Shown{Provider: s, Inbox: inbox}, Weight: 3 - 2*i})
		}
	default:
		shares = []carrier.Share{{Provider: carrier.Nobody{}, Weight: 1}}
	}
	router, err := carrier.NewRouter(slots, reserved, shares...)
	if err != nil {
		panic(err) // whoever configures shares checks them
	}
	service = message.New(message.Service{DB: d.DB, Keys: d.Keys, Templates: &messagetemplate.Service{DB: d.DB, Now: d.Now}, Texts: router,
		Pushes: carrier.NewPusher(d.Carriers.Pushes, d.Development), ReceiptTimeout: d.Carriers.ReceiptTimeout, Live: d.Bus, Now: d.Now, Log: d.Log})
	return service, carrier.Codes{Router: router}, simulators
}

// ReceiptHandler takes what the gateways of short messages tell became of
// messages: POST /messages/receipts/{provider}.
func (r *Resolver) ReceiptHandler() http.Handler {
	return carrier.Receipts(r.deps.Carriers.Gateways, r.messages.Receive, r.deps.Now)
}
