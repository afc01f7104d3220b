package main

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
)

// appHomeStatements is what AppHome costs the database, whoever asks and
// however many rows there are. Each is one round trip, in which the scope of
// row-level security goes before it. A list that is empty saves what would
// complete its entries. A change of this number is a change of design.
const appHomeStatements = 8

// testStatements: AppHome makes a fixed number of SQL statements.
func (s *stage) testStatements(t *testing.T) {
	var body string
	for _, operation := range s.manifests.Operations("app") {
		if operation.Name == "AppHome" {
			body = operation.Body
		}
	}
	operation, refused := s.engine.Prepare(body, "AppHome")
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	most := 0
	for i := range 40 {
		c := s.cast.Citizen(i * 13)
		p := &access.Principal{Kind: access.Citizen, ID: c.ID, Name: c.Name, AreaCode: c.CommunityCode, Session: "test"}
		ctx, call := s.as(t, p)
		ctx, counter := database.WithCounter(ctx)
		response := s.engine.Execute(ctx, operation, call)
		if response.Errors > 0 {
			t.Fatalf("%s", response.Body)
		}
		response.Release()
		if n := int(counter.Statements()); n > appHomeStatements {
			t.Errorf("citizen %d: %d statements, want %d", i*13, n, appHomeStatements)
		} else {
			most = max(most, n)
		}
	}
	if most != appHomeStatements {
		t.Errorf("no citizen needs more than %d statements; the figure here says %d", most, appHomeStatements)
	}
}
