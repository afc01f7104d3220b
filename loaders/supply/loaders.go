// Package supply batches what the resolvers of the subgraph supply ask for one
// by one: however many rows an answer has, each kind of thing is one call of
// the store.
//
// Start reading at Loaders. They belong to one request, whose principal all
// loads of a batch share.
package supply

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/demand"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// Sources are the concepts that loaders read from.
type Sources struct {
	Participants *participant.Participants
	Services     *communityservice.Services
	Demands      *demand.Demands
}

// Loaders are one request's.
type Loaders struct {
	Participant        *batch.Loader[string, *participant.Participant]
	ParticipantHistory *batch.Loader[string, []*participant.ParticipantEvent]
	Service            *batch.Loader[string, *communityservice.CommunityService]
	ServiceHistory     *batch.Loader[string, []*communityservice.CommunityServiceEvent]
	Distributions      *batch.Loader[communityservice.DistributionPage, *communityservice.DistributionConnection]
	Shelf              *batch.Loader[communityservice.Shelf, *communityservice.CommunityServiceConnection]
	Demand             *batch.Loader[string, *demand.Demand]
	DemandHistory      *batch.Loader[string, []*demand.DemandEvent]
	Board              *batch.Loader[demand.Board, *demand.DemandConnection]
	// Own is the caller's participants; there is one key, true.
	Own *batch.Loader[bool, []*participant.Participant]
	// OwnDemands are pages of the caller's demands.
	OwnDemands *batch.Loader[demand.OwnPage, *demand.DemandConnection]
}

// New makes a request's loaders.
func (s Sources) New() *Loaders {
	return &Loaders{
		Participant:        batch.New(s.Participants.Find),
		ParticipantHistory: batch.New(s.Participants.History),
		Service:            batch.New(s.Services.Find),
		ServiceHistory:     batch.New(s.Services.History),
		Distributions:      batch.New(s.Services.Distributions),
		Shelf:              batch.New(s.Services.Shelves),
		Demand:             batch.New(s.Demands.Find),
		DemandHistory:      batch.New(s.Demands.History),
		Board:              batch.New(s.Demands.Boards),
		Own: batch.New(func(ctx context.Context, _ []bool) (map[bool][]*participant.Participant, error) {
			own, err := s.Participants.Own(ctx)
			return map[bool][]*participant.Participant{true: own}, err
		}),
		OwnDemands: batch.New(func(ctx context.Context, pages []demand.OwnPage) (map[demand.OwnPage]*demand.DemandConnection, error) {
			found := make(map[demand.OwnPage]*demand.DemandConnection, len(pages))
			for _, page := range pages { // as many as the operation has aliases
				own, err := s.Demands.Own(ctx, page)
				if err != nil {
					return nil, err
				}
				found[page] = own
			}
			return found, nil
		}),
	}
}

type contextKey struct{}

// With puts loaders into the request's context.
func (s Sources) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, s.New())
}

// From gives the context's loaders, or fresh ones, which batch nothing.
func (s Sources) From(ctx context.Context) *Loaders {
	if loaders, ok := ctx.Value(contextKey{}).(*Loaders); ok {
		return loaders
	}
	return s.New()
}
