package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// testRevocation: an access token ends with its session, not fifteen minutes later.
func (s *stage) testRevocation(t *testing.T) {
	c := s.cast.Citizen(99)
	p := &access.Principal{Kind: access.Citizen, ID: c.ID, Session: "0199aaaa-0000-7000-8000-000000000001"}
	token, _, err := s.ground.signer.Access(p)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.service.Handler)
	defer server.Close()
	status := func() int {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query":"{viewer{id}}"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/graphql-response+json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if got := status(); got != http.StatusOK {
		t.Fatalf("before: status %d", got)
	}
	ctx := access.AsSystem(t.Context(), "test")
	err = s.ground.db.Write(ctx, func(tx *sqlx.Tx) error {
		return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: sessionEnded, Payload: map[string]string{"sessionId": p.Session}})
	})
	if err != nil {
		t.Fatal(err)
	}
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for status() != http.StatusUnauthorized {
		select {
		case <-deadline.Done():
			t.Fatal("the token of an ended session still counts")
		case <-ticker.C:
		}
	}
	// A process that starts now learns of it too.
	late := &revocation{}
	go func() { _ = late.run(deadline, s.ground.bus, s.ground.now) }()
	for !late.has(p.Session) {
		select {
		case <-deadline.Done():
			t.Fatal("a process that starts later does not know the ended session")
		case <-ticker.C:
		}
	}
}
