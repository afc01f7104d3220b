package access_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func TestRequireRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		citizen := func(at time.Time, by access.Proof) *access.Principal {
			return &access.Principal{Kind: access.Citizen, ID: "c", Session: "s", ProvenAt: at, ProvenBy: by}
		}
		time.Sleep(time.Hour)
		for _, c := range []struct {
			name string
			who  *access.Principal
			by   []access.Proof
			want fault.Code
		}{
			{"nobody", nil, nil, fault.Unauthenticated},
			{"never proven", citizen(time.Time{}, ""), nil, fault.StepUpRequired},
			{"an hour ago", citizen(start, access.ByCode), nil, fault.StepUpRequired},
			{"just at the end", citizen(time.Now().Add(-access.Recent), access.ByCode), nil, fault.StepUpRequired},
			{"just before the end", citizen(time.Now().Add(time.Second-access.Recent), access.ByCode), nil, ""},
			{"in the future", citizen(time.Now().Add(time.Hour), access.ByCode), nil, fault.StepUpRequired},
			{"by another clock", citizen(time.Now().Add(time.Second), access.ByCode), nil, ""},
			{"by password where a code is wanted", citizen(time.Now(), access.ByPassword), []access.Proof{access.ByCode}, fault.StepUpRequired},
			{"by the code that is wanted", citizen(time.Now(), access.ByCode), []access.Proof{access.ByCode}, ""},
		} {
			_, err := access.RequireRecent(access.With(t.Context(), c.who), access.Recent, c.by...)
			if got := fault.CodeOf(err); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	})
}

func TestAProofChangesTheView(t *testing.T) {
	plain := &access.Principal{Kind: access.Citizen, ID: "c", Session: "s"}
	proven := *plain
	proven.ProvenAt = time.Now()
	if plain.View() == proven.View() {
		t.Error("who has proven who they are may be answered from another's answer")
	}
}
