package community_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/resolvers/community"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
)

const (
	here     = "510104017001"
	nextDoor = "510104017002"
	street   = "510104017000"
	district = "510104000000"
)

// stage is the whole subgraph, over a real database and real JetStream.
type stage struct {
	t        *testing.T
	resolver *community.Resolver
	executor *executor.Executor
	signer   *token.Signer

	citizen, neighbour, worker, nextDoorWorker, leader context.Context
}

func open(t *testing.T) *stage {
	t.Helper()
	db := embeddedtest.Open(t, migrations.FS)
	pool, err := database.Open(t.Context(), db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	url, _ := embeddedtest.Nats(t)
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	bus, err := event.Open(t.Context(), conn, 1)
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.NewKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, signer: token.NewSigner(key, time.Now)}
	s.resolver = community.New(community.Deps{DB: pool, Bus: bus, Verifier: token.NewVerifier(key, time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	s.executor = executor.New(s.resolver.Executable())
	s.executor.SetErrorPresenter(fault.Present)
	s.executor.SetRecoverFunc(fault.Recover)

	listeners := conn.NumSubscriptions()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	relay := &outbox.Relay{DB: pool, URL: db.AppURL, Subgraph: "community", Publisher: bus, Log: slog.New(slog.DiscardHandler)}
	go func() { defer close(done); _ = relay.Run(ctx) }()
	ran := make(chan error, 1)
	go func() { ran <- s.resolver.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := <-ran; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	// What is published on the same connection after this reaches both listeners.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for conn.NumSubscriptions() < listeners+2 {
		select {
		case <-tick.C:
		case err := <-ran:
			t.Fatalf("Run ended with %v", err)
		}
	}

	s.citizen, s.neighbour = person(t, access.Citizen, here), person(t, access.Citizen, here)
	s.worker, s.nextDoorWorker = person(t, access.Worker, here, access.CommunityWorker), person(t, access.Worker, nextDoor, access.CommunityWorker)
	s.leader = person(t, access.Worker, district, access.Leader)
	return s
}

func person(t *testing.T, kind access.Kind, area string, roles ...access.Role) context.Context {
	return access.With(t.Context(), &access.Principal{Kind: kind, ID: uuid.NewString(), AreaCode: area, Roles: roles})
}

// answer is a response; data stays as it was written.
type answer struct {
	data map[string]any
	code string // of the first error
}

// at walks into the answer's data.
func (a answer) at(path ...any) any {
	var value any = a.data
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

// ask runs an operation as the principal of the context, with fresh loaders.
func (s *stage) ask(ctx context.Context, query string, variables map[string]any) answer {
	s.t.Helper()
	next := s.start(s.resolver.Context(ctx), query, variables)
	return s.read(next)
}

func (s *stage) start(ctx context.Context, query string, variables map[string]any) func() *graphql.Response {
	s.t.Helper()
	ctx = graphql.StartOperationTrace(ctx)
	operation, errs := s.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	if errs != nil {
		s.t.Fatalf("%s: %v", query, errs)
	}
	handler, ctx := s.executor.DispatchOperation(ctx, operation)
	return func() *graphql.Response { return handler(ctx) }
}

func (s *stage) read(next func() *graphql.Response) answer {
	s.t.Helper()
	response := next()
	if response == nil {
		s.t.Fatal("no response")
	}
	var a answer
	if len(response.Errors) > 0 {
		a.code, _ = response.Errors[0].Extensions["code"].(string)
	}
	if response.Data != nil {
		if err := json.Unmarshal(response.Data, &a.data); err != nil {
			s.t.Fatal(err)
		}
	}
	return a
}

// must is ask, without errors.
func (s *stage) must(ctx context.Context, query string, variables map[string]any) answer {
	s.t.Helper()
	a := s.ask(ctx, query, variables)
	if a.code != "" {
		s.t.Fatalf("%s: %s", query, a.code)
	}
	return a
}

const submit = `mutation($input: SubmitFeedbackInput!) { submitFeedback(input: $input) { feedbackCase { id version number state } } }`

func (s *stage) submitted(ctx context.Context, area string) string {
	s.t.Helper()
	a := s.must(ctx, submit, map[string]any{"input": map[string]any{"areaId": area, "class": "SAFETY", "title": "消防通道被占", "content": "消防通道停了车"}})
	return a.at("submitFeedback", "feedbackCase", "id").(string)
}
