package platform

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
)

// newRealNames puts the service of real names together. What judges is
// simulated in development alone; where nothing is configured else, nobody does.
func newRealNames(d Deps, citizens *citizen.Service, files *file.Service) *realname.Service {
	settings := realname.Usual
	if d.RealName != nil {
		settings = *d.RealName
	}
	if d.Register == nil {
		d.Register = register.Nobody{}
		if simulator, err := register.NewSimulator(d.Now); d.Development && err == nil {
			d.Register = simulator
		}
	}
	if d.Face == nil {
		d.Face = face.Nobody{}
		if simulator, err := face.NewSimulator(d.Now); d.Development && err == nil {
			d.Face = simulator
		}
	}
	return realname.New(realname.Parts{
		DB: d.DB, Redis: d.Redis, Keys: d.Keys, Citizens: citizens, Files: files, Register: d.Register, Face: d.Face, Others: d.Others,
		Verifier: d.Verifier, Settings: settings, Now: d.Now, Log: d.Log,
	})
}

func verificationConnection(page realname.Page, key func(*realname.IdentityVerification) []string) *executable.IdentityVerificationConnection {
	edges := make([]*executable.IdentityVerificationEdge, len(page.Verifications))
	for i, v := range page.Verifications {
		edges[i] = &executable.IdentityVerificationEdge{Cursor: keyset.Cursor(key(v)...), Node: *v}
	}
	return &executable.IdentityVerificationConnection{Edges: edges, PageInfo: *page.Info}
}

func counterConnection(page realname.CountersPage) *executable.RealNameCounterConnection {
	edges := make([]*executable.RealNameCounterEdge, len(page.Counters))
	for i, c := range page.Counters {
		edges[i] = &executable.RealNameCounterEdge{Cursor: keyset.Cursor(c.AreaCode, c.ID), Node: *c}
	}
	return &executable.RealNameCounterConnection{Edges: edges, PageInfo: *page.Info}
}

// forWorkers gives the value to workers alone.
func forWorkers[T any](p *access.Principal, value *T) *T {
	if p == nil || p.Kind != access.Worker {
		return nil
	}
	return value
}
