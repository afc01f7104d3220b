package feedback_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// The places of the tests: two communities of one street, one of another street
// of the same district, one of another district.
const (
	here      = "510104017001"
	nextDoor  = "510104017002"
	elsewhere = "510104018001"
	farAway   = "510107001004"
)

// office is a database with a desk, and the people who come to it.
type office struct {
	*feedback.Desk
	t  testing.TB
	db *embeddedtest.Database

	mu  sync.Mutex
	now time.Time

	citizen, neighbour                                          context.Context
	worker, colleague, nextDoorWorker                           context.Context
	street, otherStreet, district, otherDistrict, city, auditor context.Context
}

func open(t testing.TB) *office {
	t.Helper()
	db := embeddedtest.Open(t, migrations.FS)
	return at(t, db, db.AppURL)
}

// eachWall runs the test with both walls, and with the checks in Go alone: as
// the owner, whom row-level security does not bind.
func eachWall(t *testing.T, test func(t *testing.T, o *office)) {
	t.Run("both", func(t *testing.T) { test(t, open(t)) })
	t.Run("Go alone", func(t *testing.T) {
		db := embeddedtest.Open(t, migrations.FS)
		test(t, at(t, db, db.OwnerURL))
	})
}

func at(t testing.TB, db *embeddedtest.Database, url string) *office {
	t.Helper()
	pool, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	o := &office{t: t, db: db, now: time.Date(2026, 11, 24, 10, 0, 0, 0, workday.Zone)} // a Tuesday
	o.Desk = &feedback.Desk{DB: pool, Receipts: receipts{}, Clock: o.clock}
	ctx := t.Context()
	o.citizen, o.neighbour = citizen(ctx), citizen(ctx)
	o.worker, o.colleague = worker(ctx, here, access.CommunityWorker), worker(ctx, here, access.CommunityWorker)
	o.nextDoorWorker = worker(ctx, nextDoor, access.CommunityWorker)
	o.street, o.otherStreet = worker(ctx, "510104017000", access.Supervisor), worker(ctx, "510104018000", access.Supervisor)
	o.district, o.otherDistrict = worker(ctx, "510104000000", access.Supervisor), worker(ctx, "510107000000", access.Supervisor)
	o.city, o.auditor = worker(ctx, "510100000000", access.Leader), worker(ctx, "510100000000", access.AuditAdmin)
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

// later moves the clock.
func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

const day = 24 * time.Hour

func citizen(ctx context.Context) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Citizen, ID: uuid.NewString(), AreaCode: here})
}

func worker(ctx context.Context, area string, role access.Role) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Worker, ID: uuid.NewString(), AreaCode: area, Roles: []access.Role{role}})
}

// receipts are "media:owner:file".
type receipts struct{}

func (receipts) Receipt(text, owner string) (token.Receipt, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 || parts[1] != owner {
		return token.Receipt{}, errors.New("not a receipt of this owner")
	}
	return token.Receipt{FileID: parts[2], Owner: owner, Media: parts[0]}, nil
}

func (o *office) submitted(area string) *feedback.FeedbackCase {
	o.t.Helper()
	c, err := o.Submit(o.citizen, feedback.SubmitFeedbackInput{AreaID: area, Class: feedback.Environment, Title: "楼道堆放杂物", Content: "三单元楼道里堆满了杂物，走不过去。"})
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

// act takes one action on the case with plausible input.
func (o *office) act(ctx context.Context, c *feedback.FeedbackCase, action feedback.FeedbackAction) (*feedback.FeedbackCase, error) {
	id, v := c.ID, c.Version
	switch action {
	case feedback.Assign:
		return o.Assign(ctx, feedback.AssignFeedbackInput{ID: id, ExpectedVersion: v})
	case feedback.Take:
		return o.Take(ctx, feedback.TakeFeedbackInput{ID: id, ExpectedVersion: v})
	case feedback.Return:
		return o.Return(ctx, feedback.ReturnFeedbackInput{ID: id, ExpectedVersion: v, Reason: "不属于本网格"})
	case feedback.RequestInfo:
		return o.RequestInfo(ctx, feedback.RequestInfoInput{ID: id, ExpectedVersion: v, Question: "请问是几单元？"})
	case feedback.SupplyInfo:
		return o.SupplyInfo(ctx, feedback.SupplyInfoInput{ID: id, ExpectedVersion: v, Content: "三单元二楼"})
	case feedback.Reply:
		return o.Reply(ctx, feedback.ReplyFeedbackInput{ID: id, ExpectedVersion: v, Content: "已清理完毕，感谢您的反馈。"})
	case feedback.Reject:
		return o.Reject(ctx, feedback.RejectFeedbackInput{ID: id, ExpectedVersion: v, Reason: "不属于社区职责范围"})
	case feedback.MarkDuplicate:
		return o.MarkDuplicate(ctx, feedback.MarkDuplicateInput{ID: id, ExpectedVersion: v, OriginalID: o.submitted(c.AreaCode).ID})
	case feedback.Reopen:
		return o.Reopen(ctx, feedback.ReopenFeedbackInput{ID: id, ExpectedVersion: v, Reason: "杂物又堆回来了"})
	case feedback.Close:
		return o.Close(ctx, feedback.CloseFeedbackInput{ID: id, ExpectedVersion: v})
	case feedback.Rate:
		return o.Rate(ctx, feedback.RateFeedbackInput{ID: id, ExpectedVersion: v, Rating: 5})
	default:
		o.t.Fatalf("no such action: %s", action)
		return nil, nil
	}
}

// must takes the actions in order, each by who usually does.
func (o *office) must(c *feedback.FeedbackCase, actions ...feedback.FeedbackAction) *feedback.FeedbackCase {
	o.t.Helper()
	for _, action := range actions {
		next, err := o.act(o.usual(action), c, action)
		if err != nil {
			o.t.Fatalf("%s in state %s: %v", action, c.State, err)
		}
		c = next
	}
	return c
}

// usual is who usually takes the action.
func (o *office) usual(action feedback.FeedbackAction) context.Context {
	switch action {
	case feedback.SupplyInfo, feedback.Reopen, feedback.Close, feedback.Rate:
		return o.citizen
	default:
		return o.worker
	}
}

// everything is all rows of the case's tables, seen by the owner.
func (o *office) everything() string {
	o.t.Helper()
	tx, err := o.db.Owner.BeginTxx(o.t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var all []string
	for _, query := range []string{
		`SELECT row_to_json(c)::text FROM community.feedback_case c ORDER BY id`,
		`SELECT row_to_json(e)::text FROM community.feedback_event e ORDER BY id`,
		`SELECT row_to_json(t)::text FROM community.feedback_tally t WHERE cases <> 0 ORDER BY area_code, class, state`,
		`SELECT row_to_json(o)::text FROM community.outbox o ORDER BY seq`,
	} {
		var rows []string
		if err := tx.Select(&rows, query); err != nil {
			o.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return strings.Join(all, "\n")
}

// sent is one row of the outbox.
type sent struct {
	Subject string `db:"subject"`
	Payload string `db:"payload"`
}

func (e sent) field(name string) any {
	var fields map[string]any
	_ = json.Unmarshal([]byte(e.Payload), &fields)
	return fields[name]
}

// events empties the outbox.
func (o *office) events() []sent {
	o.t.Helper()
	var events []sent
	err := o.db.Owner.Select(&events, `WITH gone AS (DELETE FROM community.outbox RETURNING seq, subject, payload) SELECT subject, payload FROM gone ORDER BY seq`)
	if err != nil {
		o.t.Fatal(err)
	}
	return events
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("got %q (%v), want %s", got, err, code)
	}
}
