package demonstration_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

func TestCastIsTheSameEachTime(t *testing.T) {
	day := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	a, b := demonstration.New(demonstration.Demo, day), demonstration.New(demonstration.Demo, day)
	if len(a.Communities()) != 60 {
		t.Fatalf("%d communities, want 60", len(a.Communities()))
	}
	ids := map[string]bool{}
	for i := range a.Citizens() {
		c := a.Citizen(i)
		if c != b.Citizen(i) {
			t.Fatalf("citizen %d differs", i)
		}
		if id, err := uuid.Parse(c.ID); err != nil || id.Version() != 7 || ids[c.ID] {
			t.Fatalf("citizen %d: bad or repeated ID %s", i, c.ID)
		}
		ids[c.ID] = true
	}
}
