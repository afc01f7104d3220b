package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// An application's token runs what a review granted, as the client that the
// application is, within its rate; and ends with the session that it came from.
func TestApplicationsRunWhatTheyWereGranted(t *testing.T) {
	_, redis := embeddedtest.Redis(t)
	at := time.Now()
	now := func() time.Time { return at }
	meter := &clientapp.Meter{Redis: redis, Now: now}
	own := "workbench"
	partner := &clientapp.ClientApp{ID: "1", State: clientapp.Live, GrantedOperations: []string{"Area"}, DailyQuota: 4, RatePerSecond: 3}
	workbench := &clientapp.ClientApp{ID: "2", State: clientapp.Live, OwnClient: &own, RatePerSecond: 1}
	for _, c := range []struct {
		app               *clientapp.ClientApp
		client, operation string
		registered        bool
		refused           string
	}{
		{partner, "partner", "Area", true, ""},
		{partner, "partner", "Services", true, guard.CodeForbidden},
		{partner, "partner", "Area", false, guard.CodeForbidden}, // another text under a granted name
		{partner, "app", "Area", true, guard.CodeForbidden},
		{partner, "", "Area", true, guard.CodeForbidden},
		{workbench, "workbench", "WorkerList", true, ""},
		{workbench, "workbench", "WorkerDetail", true, ""},
		{workbench, "partner", "Area", true, guard.CodeForbidden},
		{partner, "partner", "Area", true, ""},
		{partner, "partner", "Area", true, ""},
		{partner, "partner", "Area", true, guard.CodeRateLimited},
	} {
		got := ""
		if refused := (riding{c.app, meter}).Admit(t.Context(), c.client, c.operation, c.registered); refused != nil {
			got = refused.Code
		}
		if got != c.refused {
			t.Errorf("application %s as %q, %s (%v): %q, want %q", c.app.ID, c.client, c.operation, c.registered, got, c.refused)
		}
	}
	keys, err := personal.NewKeys(bytes.Repeat([]byte{2}, personal.MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	citizen := &access.Principal{Kind: access.Citizen, ID: "c", Session: "s", Client: "partner"}
	apps := &applications{provider: oidc.New(oidc.Parts{Keys: keys, Now: now}), meter: meter, now: now, seen: map[string]seenBearer{
		"cca.known": {&oidc.Bearer{Principal: citizen, App: partner, Until: at.Add(time.Minute)}, at.Add(bearerMemory)},
	}}
	ended := &revocation{}
	a := authenticator{apps: apps, ended: ended}
	ctx, identity, err := a.Authenticate(t.Context(), "Bearer cca.known")
	if err != nil || access.From(ctx) != citizen || identity.Application == nil || identity.View != citizen.View() {
		t.Fatalf("%+v %v", identity, err)
	}
	if _, _, err := a.Authenticate(t.Context(), "Bearer cca.forged"); err == nil {
		t.Error("a forged token counts")
	}
	ended.add("s", at.Add(time.Hour), at)
	if _, _, err := a.Authenticate(t.Context(), "Bearer cca.known"); err == nil {
		t.Error("a token counts after its session")
	}
}
