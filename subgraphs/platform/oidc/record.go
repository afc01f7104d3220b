package oidc

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
)

// recordNow writes into the audit log what was done at the provider's pages and
// endpoints, which are no mutations of the graph.
func (p *Provider) recordNow(ctx context.Context, action string, who *access.Principal, target audit.Target, after map[string]any) error {
	state, err := json.Marshal(after)
	if err != nil {
		return err
	}
	remote := access.RemoteOf(ctx)
	r := audit.Record{
		ID: uuid.Must(uuid.NewV7()).String(), At: p.now().UTC(), Subgraph: "platform", Action: action, Result: audit.Done, Client: "sso",
		Address: remote.Address, Changes: []audit.Entry{{Target: target, After: state}},
	}
	if who != nil {
		r.Actor = audit.Actor{Kind: who.Kind, ID: who.ID, Roles: who.Roles, Unit: who.UnitID, Assignment: who.AssignmentID, Area: who.AreaCode, Session: who.Session}
		if who.Kind == access.Worker {
			r.Actor.Name = who.Name
		}
	}
	return p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return audit.Append(asSystem(ctx), tx, "platform", r) })
}

// record is recordNow for what happened already: a failure is logged.
func (p *Provider) record(ctx context.Context, action string, who *access.Principal, kind, id string, after map[string]any) {
	if err := p.recordNow(ctx, action, who, audit.Target{Kind: kind, ID: id}, after); err != nil {
		p.Log.ErrorContext(ctx, "not recorded in the audit log", "action", action, "error", err)
	}
}
