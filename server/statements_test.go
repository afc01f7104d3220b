package main

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
)

// appHomeStatements is what AppHome costs the database, whoever asks and
// however many rows there are. A change of this number is a change of design.
const appHomeStatements = 0

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
	// Rows grow: favourites for one of them, and the whole demonstration for all.
	for i := range 20 {
		c := s.cast.Citizen(i * 13)
		p := &access.Principal{Kind: access.Citizen, ID: c.ID, Name: c.Name, AreaCode: c.CommunityCode, Session: "test"}
		ctx, call := s.as(t, p)
		ctx, counter := database.WithCounter(ctx)
		response := s.engine.Execute(ctx, operation, call)
		if response.Errors > 0 {
			t.Fatalf("%s", response.Body)
		}
		response.Release()
		if n := counter.Statements(); n != appHomeStatements {
			t.Errorf("citizen %d: %d statements, want %d", i*13, n, appHomeStatements)
		}
	}
}
