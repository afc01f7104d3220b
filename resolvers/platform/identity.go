package platform

import (
	"context"
	"fmt"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
)

// asking is the context in which a citizen's own fields are asked: a citizen
// who has just signed in has no token in the request yet.
func asking(ctx context.Context, c *citizen.Citizen) context.Context {
	if c.Viewer != nil {
		return access.With(ctx, c.Viewer)
	}
	return ctx
}

// self gives the signed-in citizen.
func (r *Resolver) self(ctx context.Context) (*citizen.Citizen, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	found, err := r.citizens.ByIDs(ctx, []string{p.ID})
	if err == nil && found[p.ID] == nil {
		err = fmt.Errorf("platform: the signed-in citizen cannot be seen")
	}
	return found[p.ID], err
}

func signInPayload(in *session.SignedIn) *executable.SignInPayload {
	if in == nil {
		return nil
	}
	return &executable.SignInPayload{
		AccessToken: in.AccessToken, AccessTokenExpiresAt: in.AccessTokenExpiresAt,
		RefreshToken: in.RefreshToken, RefreshTokenExpiresAt: in.RefreshTokenExpiresAt, Viewer: *in.Viewer, IsNew: in.IsNew}
}

func machine(in *executable.DeviceInput) session.Machine {
	if in == nil {
		return session.Machine{}
	}
	return session.Machine{ID: value(in.ID), Name: value(in.Name)}
}

func solved(in *executable.CaptchaAnswerInput) *captcha.Answer {
	if in == nil {
		return nil
	}
	return &captcha.Answer{ID: in.ID, Text: in.Answer}
}

func deviceConnection(page session.DevicePage) *executable.DeviceConnection {
	edges := make([]*executable.DeviceEdge, len(page.Devices))
	for i, d := range page.Devices {
		edges[i] = &executable.DeviceEdge{Cursor: keyset.Cursor(d.ID), Node: *d}
	}
	return &executable.DeviceConnection{Edges: edges, PageInfo: *page.Info}
}
