package platform

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
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

// newMessages puts together what sends to many, with the simulated providers of
// short messages that it hands them to.
func newMessages(d Deps) (*message.Service, []*carrier.Simulator) {
	var service *message.Service
	receive := func(ctx context.Context, receipts []carrier.Receipt) { service.Receive(ctx, receipts) }
	simulators := []*carrier.Simulator{carrier.NewSimulator("first", 2*time.Second, receive), carrier.NewSimulator("second", 2*time.Second, receive)}
	router, err := carrier.NewRouter(64, 16, carrier.Share{Provider: simulators[0], Weight: 3}, carrier.Share{Provider: simulators[1], Weight: 1})
	if err != nil {
		panic(err) // only for numbers that are not those above
	}
	service = message.New(message.Service{DB: d.DB, Keys: d.Keys, Templates: &messagetemplate.Service{DB: d.DB, Now: d.Now}, Texts: router,
		Pushes: carrier.NewPusher(nil, nil), Live: d.Bus, Now: d.Now, Log: d.Log})
	return service, simulators
}
