package access_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func worker(area string, roles ...access.Role) *access.Principal {
	return &access.Principal{Kind: access.Worker, ID: "w", AreaCode: area, Roles: roles}
}

func TestWhoMayNot(t *testing.T) {
	const here, next = "510104017001", "510104017002"
	citizen := &access.Principal{Kind: access.Citizen, ID: "c", AreaCode: here}
	for _, c := range []struct {
		name   string
		who    *access.Principal
		action access.Action
		area   string
		want   fault.Code
	}{
		{"nobody", nil, access.FeedbackView, here, fault.Unauthenticated},
		{"a citizen of the same community", citizen, access.FeedbackView, here, fault.Forbidden},
		{"the next community's worker", worker(next, access.CommunityWorker), access.FeedbackHandle, here, fault.NotFound},
		{"a leader does not handle", worker("510100000000", access.Leader), access.FeedbackHandle, here, fault.Forbidden},
		{"a worker with no area", worker("", access.CommunityWorker), access.FeedbackView, here, fault.NotFound},
		{"the street's supervisor", worker("510104017000", access.Supervisor), access.FeedbackView, here, ""},
		{"the community's worker", worker(here, access.CommunityWorker), access.FeedbackHandle, here, ""},
	} {
		_, err := access.RequireArea(access.With(t.Context(), c.who), c.action, c.area)
		if got := fault.CodeOf(err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestScopePrefixOfNobodyMatchesNothing(t *testing.T) {
	for _, p := range []*access.Principal{nil, {Kind: access.Citizen, AreaCode: "510104017001"}, {Kind: access.Worker}} {
		if got := p.Prefix(); got != "-" {
			t.Errorf("%+v: prefix %q opens rows", p, got)
		}
	}
}
