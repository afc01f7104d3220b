package inbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
)

// The size of a city: communities, and items of each one's post, worker and history.
const (
	communities = 3000
	perPost     = 40
	perWorker   = 20
	perDone     = 100
)

// city fills the inboxes of a city: 480,000 items.
func city(b *testing.B) (*inbox.Service, []context.Context) {
	b.Helper()
	d := embeddedtest.Open(b, migrations.FS)
	pool, err := database.Open(b.Context(), d.AppURL)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pool.Close() })
	for _, statement := range []string{
		`INSERT INTO platform.workflow_definition (key, version, state, name, module, body, created_by, created_at) VALUES ('bench', 1, 'PUBLISHED', '压测', 'APPROVAL', '{}', 'platform', now())`,
		`INSERT INTO platform.workflow_instance (id, definition_key, definition_version, module, title, area_code, state, status, initiator_kind, initiator_id, variables, trail, decided, round, participants, created_at, updated_at, version)
		 SELECT ('00000000-0000-7000-9000-' || lpad(i::text, 12, '0'))::uuid, 'bench', 1, 'APPROVAL', '用印申请', '510104017001', 'REVIEW', 'RUNNING', 'worker', '-', '{}', '{}', false, 1, '{}', now(), now(), 1 FROM generate_series(1, 3000) i`,
		fmt.Sprintf(`INSERT INTO platform.inbox_item (id, addressee, list, instance_id, module, title, label, link, area_code, at, due_at, scope_area)
		 SELECT gen_random_uuid(), CASE WHEN k <= %[2]d THEN 'r:COMMUNITY_WORKER:' || area ELSE 'w:00000000-0000-7000-8000-' || lpad(c::text, 12, '0') END,
		   CASE WHEN k <= %[2]d + %[3]d THEN 'TODO' ELSE 'DONE' END, ('00000000-0000-7000-9000-' || lpad(c::text, 12, '0'))::uuid,
		   (ARRAY['FEEDBACK', 'APPROVAL', 'PURCHASE'])[1 + k %% 3], '用印申请', '街道审批', 'workflow/1', area, now() - k * interval '1 hour' - c * interval '1 second', now() + (k - 30) * interval '1 hour', CASE WHEN k <= %[2]d THEN area ELSE '' END
		 FROM (SELECT c, (510104000000 + c)::text AS area FROM generate_series(1, %[1]d) c) x CROSS JOIN generate_series(1, %[2]d + %[3]d + %[4]d) k`, communities, perPost, perWorker, perDone),
		`INSERT INTO platform.inbox_read (worker_id, item_id, at) SELECT substr(addressee, 3)::uuid, id, now() FROM platform.inbox_item WHERE addressee LIKE 'w:%' AND list = 'TODO'`,
		`VACUUM ANALYZE platform.inbox_item`, `VACUUM ANALYZE platform.inbox_read`,
	} {
		if _, err := d.Owner.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	workers := make([]context.Context, 1000)
	for i := range workers {
		workers[i] = access.With(b.Context(), &access.Principal{Kind: access.Worker, ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", i*communities/1000+1),
			AreaCode: fmt.Sprint(510104000000 + i*communities/1000 + 1), Roles: []access.Role{access.CommunityWorker}})
	}
	return &inbox.Service{DB: pool, Now: time.Now}, workers
}

// BenchmarkInbox reads the first page and the counts for 1,000 workers at once,
// each with a second to think, as people have who look at a list.
func BenchmarkInbox(b *testing.B) {
	s, workers := city(b)
	for name, read := range map[string]func(context.Context) error{
		"newest": func(ctx context.Context) error {
			items, _, err := s.List(ctx, inbox.Filter{}, keyset.Page{Size: 20})
			if err == nil && len(items) != 20 {
				err = fmt.Errorf("%d items", len(items))
			}
			return err
		},
		"most urgent of a module": func(ctx context.Context) error {
			_, _, err := s.List(ctx, inbox.Filter{Module: "APPROVAL", Order: inbox.DueFirst}, keyset.Page{Size: 20})
			return err
		},
		"counts": func(ctx context.Context) error { _, err := s.Counts(ctx); return err },
	} {
		b.Run(name, func(b *testing.B) { crowd(b, workers, read) })
		b.Run(name+", one after the other", func(b *testing.B) {
			for i := range b.N {
				if err := read(workers[i%len(workers)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// crowd lets all workers read, b.N times together, and reports the 95th percentile.
func crowd(b *testing.B, workers []context.Context, read func(context.Context) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	for i, ctx := range workers {
		group.Go(func() {
			timer := time.NewTimer(time.Duration(i) * time.Second / time.Duration(len(workers))) // they do not all come in the same instant
			defer timer.Stop()
			for left.Add(-1) >= 0 {
				<-timer.C
				start := time.Now()
				if err := read(ctx); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(start))
				mu.Unlock()
				timer.Reset(time.Second)
			}
		})
	}
	group.Wait()
	if len(took) > 0 {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	}
}
