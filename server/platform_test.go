package main

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/server/embedded"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/server/transport"
)

// stage is the whole platform with demonstration data, over real PostgreSQL,
// Redis and JetStream; its subgraphs are in the process, and once more behind HTTP.
type stage struct {
	*whole
	cast     *demonstration.Cast
	owner    *sqlx.DB
	overHTTP *graph.Engine
	service  *service
}

// TestPlatform raises the stage once; each part of it has a file of its own.
func TestPlatform(t *testing.T) {
	s := raise(t)
	t.Run("Manifests", s.testManifests)
	t.Run("Oracle", s.testOracle)
	t.Run("Statements", s.testStatements)
	t.Run("Revocation", s.testRevocation)
	t.Run("GatewayRules", s.testGatewayRules)
	t.Run("Hostile", s.testHostile)
	t.Run("Refusals", s.testRefusals)
}

func raise(t testing.TB) *stage {
	t.Helper()
	return raiseOn(t, embeddedtest.Open(t), t.TempDir())
}

// installationOn is what runs on a database, with a folder for its keys, and
// its own Redis, JetStream and files.
func installationOn(t testing.TB, d *embeddedtest.Database, dir string) installation {
	t.Helper()
	redisURL, _ := embeddedtest.Redis(t)
	natsURL, _ := embeddedtest.Nats(t)
	return installation{
		State: &embedded.State{Dir: dir, DatabaseURL: d.OwnerURL, DatabaseAppURL: d.AppURL,
			RedisURL: redisURL, NatsURL: natsURL, FilesURL: "file://" + t.TempDir()},
		Development: true, Scale: "demo", Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	}
}

// raiseOn raises a stage on a database, which may be loaded already.
func raiseOn(t testing.TB, d *embeddedtest.Database, dir string) *stage {
	t.Helper()
	in := installationOn(t, d, dir)
	w, err := newWhole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &stage{whole: w, cast: demonstration.New(demonstration.Demo, w.ground.now()), owner: d.Owner, service: w.service(in)}
	urls := map[string]string{}
	for _, subgraph := range w.super.Subgraphs {
		r := w.running[subgraph.Name]
		server := httptest.NewServer(transport.NewSubgraph(transport.SubgraphOptions{
			Schema: r.Executable(), Context: r.Context, Authenticator: authenticator{verifier: w.ground.verifier}}))
		t.Cleanup(server.Close)
		urls[subgraph.ID] = server.URL + "/graphql"
	}
	d2, err := dispatch.NewHTTP(urls, dispatch.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d2.CloseIdle)
	if s.overHTTP, err = graph.New(w.super, d2, graph.Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// people are those who ask in the tests; nobody is nil.
func (s *stage) people() map[string]*access.Principal {
	citizen := s.cast.Citizen(7)
	community := s.cast.Communities()[0]
	people := map[string]*access.Principal{
		"nobody":  nil,
		"citizen": {Kind: access.Citizen, ID: citizen.ID, Name: citizen.Name, AreaCode: citizen.CommunityCode, Session: "test"},
	}
	for name, worker := range map[string]demonstration.Worker{
		"community worker": s.cast.CommunityWorker(community),
		"district leader":  s.cast.Chief(community[:6] + "000000"),
		"city leader":      s.cast.Chief("510100000000"),
	} {
		p := &access.Principal{Kind: access.Worker, ID: worker.ID, Name: worker.Name, AreaCode: worker.AreaCode, UnitID: worker.UnitID, Session: "test"}
		for _, role := range worker.Roles {
			p.Roles = append(p.Roles, access.Role(role))
		}
		people[name] = p
	}
	return people
}

// as is the context and the call of a principal, in the process and over HTTP alike.
func (s *stage) as(t testing.TB, p *access.Principal) (context.Context, graph.Call) {
	t.Helper()
	call := graph.Call{View: p.View()}
	if p == nil {
		return t.Context(), call
	}
	token, _, err := s.ground.signer.Access(p)
	if err != nil {
		t.Fatal(err)
	}
	call.Header = map[string][]string{"Authorization": {"Bearer " + token}}
	return access.With(t.Context(), p), call
}

// testManifests: every operation of every manifest is planned, in both ways.
func (s *stage) testManifests(t *testing.T) {
	for _, client := range s.manifests.Clients() {
		for _, operation := range s.manifests.Operations(client) {
			for name, engine := range map[string]*graph.Engine{"in process": s.engine, "over HTTP": s.overHTTP} {
				if _, refused := engine.Prepare(operation.Body, operation.Name); len(refused) > 0 {
					t.Errorf("%s/%s %s: %v", client, operation.Name, name, refused)
				}
			}
		}
	}
}
