package workflow_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

// The places of the tests.
const (
	city      = "510100000000"
	district  = "510104000000"
	street    = "510104017000"
	here      = "510104017001"
	next      = "510104017002"
	elsewhere = "510107061001"
)

// office is a database with workflows, and the workers who have to do with them.
type office struct {
	*workflow.Service
	inbox *inbox.Service
	t     testing.TB
	db    *embeddedtest.Database
	pool  *database.DB

	mu  sync.Mutex
	now time.Time

	ann, ben, next, far      context.Context // community workers: two here, next door, elsewhere
	cid, dan, eve, fay, gus  context.Context // supervisors of street (two) and district, leaders of district and city
	admin, security, citizen context.Context
}

func open(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, db: embeddedtest.Open(t, migrations.FS), now: time.Date(2026, 11, 24, 10, 0, 0, 0, workday.Zone)} // a Tuesday
	pool, err := database.Open(t.Context(), o.db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	o.pool = pool
	o.restart()
	o.ann, o.ben = o.worker(here, access.CommunityWorker), o.worker(here, access.CommunityWorker)
	o.next, o.far = o.worker(next, access.CommunityWorker), o.worker(elsewhere, access.CommunityWorker)
	o.cid, o.dan = o.worker(street, access.Supervisor), o.worker(street, access.Supervisor)
	o.eve, o.fay = o.worker(district, access.Supervisor), o.worker(district, access.Leader)
	o.gus = o.worker(city, access.Leader)
	o.admin, o.security = o.worker(city, access.SystemAdmin), o.worker(city, access.SecurityAdmin)
	o.citizen = access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: uuid.NewString(), AreaCode: here})
	if err := o.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

// restart is a new process on the same database.
func (o *office) restart() {
	o.Service = workflow.New(o.pool, o.clock, slog.New(slog.DiscardHandler))
	o.inbox = &inbox.Service{DB: o.pool, Now: o.clock}
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

const day = 24 * time.Hour

// worker makes a worker with the role in the area, and signs in as such.
func (o *office) worker(area string, role access.Role) context.Context {
	o.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	o.sql(`INSERT INTO platform.org_unit (id, name, kind, area_code) VALUES ($1, '机构', 'COMMUNITY', $2)`, id, area)
	o.sql(`INSERT INTO platform.worker (id, login, name, password_hash, area_code) VALUES ($1, $2, '工作者', '-', $3)`, id, "w"+id, area)
	o.sql(`INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post, roles, is_primary, valid_from) VALUES ($1, $1, $1, $2, '岗位', ARRAY[$3], true, '2025-01-01')`, id, area, string(role))
	return access.With(o.t.Context(), &access.Principal{Kind: access.Worker, ID: id, AreaCode: area, Roles: []access.Role{role}})
}

func id(ctx context.Context) string { return access.From(ctx).ID }

func (o *office) sql(statement string, args ...any) {
	o.t.Helper()
	if _, err := o.db.Owner.ExecContext(o.t.Context(), statement, args...); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) number(query string, args ...any) (n int) {
	o.t.Helper()
	if err := o.db.Owner.GetContext(o.t.Context(), &n, query, args...); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func ptr[T any](v T) *T { return &v }

// started is an instance that ann began.
func (o *office) started(key, variables string) *workflow.WorkflowInstance {
	o.t.Helper()
	i, err := o.Start(o.ann, workflow.StartWorkflowInput{DefinitionKey: key, Title: "一件事项", Variables: &variables})
	if err != nil {
		o.t.Fatal(err)
	}
	return i
}

const seal, purchase = `{"kind": "SEAL", "reason": "盖章"}`, `{"subject": "桌椅", "amountFen": 1000000}`

// act lets the worker act on the first to-do that is the worker's, of the instance as the worker sees it.
func (o *office) act(who context.Context, instanceID, action string, more ...func(*workflow.ActOnWorkflowInput)) (*workflow.WorkflowInstance, error) {
	o.t.Helper()
	i, err := o.Instance(who, instanceID)
	if err != nil {
		return nil, err
	}
	in := workflow.ActOnWorkflowInput{InstanceID: i.ID, Action: action, ExpectedVersion: i.Version, Comment: ptr("意见")}
	for _, item := range o.list(who, inbox.Todo) {
		if item.InstanceID == i.ID {
			in.TaskID = item.TaskID
			break
		}
	}
	for _, change := range more {
		change(&in)
	}
	return o.Act(who, in)
}

func (o *office) must(who context.Context, instanceID, action string, more ...func(*workflow.ActOnWorkflowInput)) *workflow.WorkflowInstance {
	o.t.Helper()
	i, err := o.act(who, instanceID, action, more...)
	if err != nil {
		o.t.Fatalf("%s: %v", action, err)
	}
	return i
}

func to(who context.Context) func(*workflow.ActOnWorkflowInput) {
	return func(in *workflow.ActOnWorkflowInput) { in.TargetWorkerID = ptr(id(who)) }
}

func until(at time.Time) func(*workflow.ActOnWorkflowInput) {
	return func(in *workflow.ActOnWorkflowInput) { in.Until = &at }
}

// list is the worker's list.
func (o *office) list(who context.Context, list inbox.List) []*inbox.InboxItem {
	o.t.Helper()
	items, _, err := o.inbox.List(who, inbox.Filter{List: list}, keyset.Page{Size: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	return items
}

func (o *office) has(who context.Context, list inbox.List, instanceID string) bool {
	for _, item := range o.list(who, list) {
		if item.InstanceID == instanceID {
			return true
		}
	}
	return false
}

// wantTodo checks who has the instance to do.
func (o *office) wantTodo(instanceID string, who ...context.Context) {
	o.t.Helper()
	for name, ctx := range map[string]context.Context{"ann": o.ann, "ben": o.ben, "next": o.next, "far": o.far, "cid": o.cid, "dan": o.dan, "eve": o.eve, "fay": o.fay, "gus": o.gus} {
		want := false
		for _, w := range who {
			want = want || w == ctx
		}
		if got := o.has(ctx, inbox.Todo, instanceID); got != want {
			o.t.Errorf("%s has it to do: %t, want %t", name, got, want)
		}
	}
}

func wantCode(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("got %q (%v), want %s", got, err, code)
	}
}

// everything is all rows of the workflow's tables, seen by the owner.
func (o *office) everything() string {
	o.t.Helper()
	tx, err := o.db.Owner.BeginTxx(o.t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var all []string
	for _, table := range []string{"workflow_definition ORDER BY key, version", "workflow_instance ORDER BY id", "workflow_task ORDER BY id", "workflow_history ORDER BY id",
		"inbox_item ORDER BY id", "outbox ORDER BY seq"} {
		var rows []string
		name, order, _ := strings.Cut(table, " ")
		if err := tx.Select(&rows, fmt.Sprintf(`SELECT row_to_json(x)::text FROM platform.%s x %s`, name, order)); err != nil {
			o.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return strings.Join(all, "\n")
}

// events empties the outbox and gives the payloads of the subject.
func (o *office) events(subject string) []map[string]any {
	o.t.Helper()
	var rows []struct {
		Subject string `db:"subject"`
		Payload string `db:"payload"`
	}
	err := o.db.Owner.Select(&rows, `WITH gone AS (DELETE FROM platform.outbox RETURNING seq, subject, payload) SELECT subject, payload FROM gone ORDER BY seq`)
	if err != nil {
		o.t.Fatal(err)
	}
	var payloads []map[string]any
	for _, row := range rows {
		if row.Subject == subject {
			var payload map[string]any
			if err := json.Unmarshal([]byte(row.Payload), &payload); err != nil {
				o.t.Fatal(err)
			}
			payloads = append(payloads, payload)
		}
	}
	return payloads
}

// request is an event that asks for the payload.
func request(payload any) event.Event {
	text, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return event.Event{ID: uuid.NewString(), Subject: "community.workflow.requested", Payload: text}
}
