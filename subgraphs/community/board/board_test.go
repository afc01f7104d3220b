package board_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/board"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
)

const (
	here     = "510104017001"
	nextDoor = "510104017002"
	street   = "510104017000"
	district = "510104000000"
	farAway  = "510107001004"
)

// room is a hub over a real database and real JetStream.
type room struct {
	hub          *board.Hub
	desk         *feedback.Desk
	computations atomic.Int64
	citizen      context.Context
	worker       context.Context
	leader       context.Context // of the district
}

func open(t *testing.T) *room {
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
	r := &room{desk: &feedback.Desk{DB: pool, Clock: time.Now}}
	source := &announcing{Bus: bus, listening: make(chan struct{})}
	r.hub = &board.Hub{DB: pool, Source: source, Log: slog.New(slog.DiscardHandler), Clock: func() time.Time {
		r.computations.Add(1) // the hub asks for the time once a computation
		return time.Now()
	}}
	r.citizen = access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: uuid.NewString()})
	r.worker, r.leader = worker(t.Context(), here, access.CommunityWorker), worker(t.Context(), district, access.Leader)

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.hub.Run(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("the hub ended: %v", err)
		}
	})
	relay := &outbox.Relay{DB: pool, URL: db.AppURL, Subgraph: "community", Publisher: bus, Log: slog.New(slog.DiscardHandler)}
	running.Go(func() { _ = relay.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	<-source.listening
	return r
}

// announcing says when the hub listens.
type announcing struct {
	*event.Bus
	listening chan struct{}
}

func (a *announcing) Live(ctx context.Context, subject string) (<-chan event.Event, error) {
	defer close(a.listening)
	return a.Bus.Live(ctx, subject)
}

func worker(ctx context.Context, area string, role access.Role) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Worker, ID: uuid.NewString(), AreaCode: area, Roles: []access.Role{role}})
}

func (r *room) submit(t *testing.T, area, title string) *feedback.FeedbackCase {
	t.Helper()
	c, err := r.desk.Submit(r.citizen, feedback.SubmitFeedbackInput{AreaID: area, Class: feedback.Safety, Title: title, Content: "请尽快处理一下"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// next waits for a board that satisfies the condition.
func next(t *testing.T, boards <-chan *board.Board, until func(*board.Board) bool) *board.Board {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case b, open := <-boards:
			if !open {
				t.Fatal("the subscription ended")
			}
			if until(b) {
				return b
			}
		case <-timeout:
			t.Fatal("no such board within ten seconds")
		}
	}
}

func whichever(*board.Board) bool { return true }

func total(n int) func(*board.Board) bool {
	return func(b *board.Board) bool { return b.Totals.Total == n }
}

func TestBoardCountsWhatThereIs(t *testing.T) {
	r := open(t)
	c := r.submit(t, here, "路灯坏了，电话 138 0013-8000 联系张三")
	r.submit(t, nextDoor, "井盖松动")
	r.submit(t, farAway, "别的区的事")
	c, err := r.desk.Take(r.worker, feedback.TakeFeedbackInput{ID: c.ID, ExpectedVersion: c.Version})
	if err != nil {
		t.Fatal(err)
	}
	c, err = r.desk.Reply(r.worker, feedback.ReplyFeedbackInput{ID: c.ID, ExpectedVersion: c.Version, Content: "已修好"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.desk.Rate(r.citizen, feedback.RateFeedbackInput{ID: c.ID, ExpectedVersion: c.Version, Rating: 4}); err != nil {
		t.Fatal(err)
	}
	ctx, counter := database.WithCounter(r.leader)
	b, err := r.hub.Board(ctx, street)
	if err != nil {
		t.Fatal(err)
	}
	if got := counter.Statements(); got != 5 {
		t.Errorf("%d statements, want five", got)
	}
	totals := b.Totals
	if totals.Total != 2 || totals.Open != 1 || totals.Closed != 1 || totals.SubmittedToday != 2 || totals.ClosedToday != 1 ||
		totals.Overdue != 0 || *totals.ClosedRate != 50 || *totals.Satisfaction != 100 {
		t.Errorf("totals %+v", totals)
	}
	if len(b.Trend) != 30 || b.Trend[29].Submitted != 2 || b.Trend[29].Closed != 1 || b.Trend[28].Submitted != 0 {
		t.Errorf("trend of %d days ends with %+v", len(b.Trend), b.Trend[len(b.Trend)-1])
	}
	if b.ByClass[0].Class != feedback.Safety || b.ByClass[0].Count != 2 || len(b.ByClass) != len(feedback.Classes) || len(b.ByState) != len(feedback.States) {
		t.Errorf("by class %+v", b.ByClass[0])
	}
	if len(b.Ranking) != 2 || b.Ranking[0].AreaCode != here || b.Ranking[0].Rank != 1 || b.Ranking[1].AreaCode != nextDoor || b.Ranking[1].ClosedRate != 0 {
		t.Errorf("ranking %+v", b.Ranking)
	}
	if len(b.Feed) != 6 || b.Feed[0].Kind != feedback.Rate {
		t.Errorf("feed of %d begins with %+v", len(b.Feed), b.Feed[0])
	}
	for _, item := range b.Feed {
		if item.CaseNumber == c.Number && item.Title != "路灯坏了，电话 *** ****-**** 联系张三" {
			t.Errorf("the feed shows %q", item.Title)
		}
	}
}

func TestBoardIsForTheirOwn(t *testing.T) {
	r := open(t)
	for _, c := range []struct {
		ctx  context.Context
		area string
		code fault.Code
	}{
		{r.leader, district, ""}, {r.leader, here, ""}, {r.leader, "510107000000", fault.NotFound}, {r.leader, "510100000000", fault.NotFound},
		{r.worker, here, ""}, {r.worker, nextDoor, fault.NotFound}, {r.worker, street, fault.NotFound}, {r.leader, "nonsense", fault.NotFound},
		{r.citizen, here, fault.Forbidden}, {t.Context(), here, fault.Unauthenticated},
		{worker(t.Context(), district, access.SystemAdmin), district, fault.Forbidden},
	} {
		_, err := r.hub.Board(c.ctx, c.area)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("asking for %s: %v, want %s", c.area, err, c.code)
		}
		ctx, cancel := context.WithCancel(c.ctx)
		_, err = r.hub.Subscribe(ctx, c.area)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("subscribing to %s: %v, want %s", c.area, err, c.code)
		}
		cancel()
	}
}

func TestBoardFollowsEachCommitWithinASecond(t *testing.T) {
	r := open(t)
	boards, err := r.hub.Subscribe(r.leader, district)
	if err != nil {
		t.Fatal(err)
	}
	if b := next(t, boards, whichever); b.Totals.Total != 0 {
		t.Fatalf("the present state has %d cases", b.Totals.Total)
	}
	for n := 1; n <= 3; n++ {
		r.submit(t, here, "消防通道被占")
		committed := time.Now()
		b := next(t, boards, total(n))
		if took := time.Since(committed); took > time.Second {
			t.Errorf("case %d showed after %s", n, took)
		}
		if b.Feed[0].Kind != feedback.Submit || b.Totals.SubmittedToday != n {
			t.Errorf("feed %+v, totals %+v", b.Feed[0], b.Totals)
		}
	}
}

func TestOneComputationServesAll(t *testing.T) {
	r := open(t)
	const watchers = 100
	all := make([]<-chan *board.Board, watchers)
	for i := range all {
		boards, err := r.hub.Subscribe(r.leader, district)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = boards
	}
	for _, boards := range all {
		next(t, boards, whichever)
	}
	if got := r.computations.Load(); got != 1 {
		t.Errorf("the first state took %d computations", got)
	}
	for range 5 { // a burst
		r.submit(t, here, "消防通道被占")
	}
	shared := map[*board.Board]bool{}
	for _, boards := range all {
		shared[next(t, boards, total(5))] = true
	}
	if len(shared) != 1 {
		t.Errorf("%d different boards were handed out", len(shared))
	}
	if got := r.computations.Load(); got > 6 {
		t.Errorf("%d computations for five changes and %d watchers", got, watchers)
	}
	// a latecomer gets the present state without one more
	before := r.computations.Load()
	late, err := r.hub.Subscribe(r.leader, district)
	if err != nil {
		t.Fatal(err)
	}
	next(t, late, total(5))
	if got := r.computations.Load(); got != before {
		t.Errorf("a latecomer cost %d computations", got-before)
	}
}

func TestChangesElsewhereDoNotWake(t *testing.T) {
	r := open(t)
	boards, err := r.hub.Subscribe(r.worker, here)
	if err != nil {
		t.Fatal(err)
	}
	above, err := r.hub.Subscribe(r.leader, street)
	if err != nil {
		t.Fatal(err)
	}
	next(t, boards, whichever)
	next(t, above, whichever)
	before := r.computations.Load()
	r.submit(t, nextDoor, "隔壁社区的事")
	r.submit(t, farAway, "别的区的事")
	next(t, above, total(1))
	if got := r.computations.Load() - before; got != 1 {
		t.Errorf("%d computations, want the street's only", got)
	}
	select {
	case b := <-boards:
		t.Errorf("the community's board came again: %+v", b.Totals)
	default:
	}
}

// Who reads slowly gets the latest, and holds nobody up.
func TestSlowReadersGetTheLatest(t *testing.T) {
	r := open(t)
	slow, err := r.hub.Subscribe(r.leader, district)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := r.hub.Subscribe(r.leader, district)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		r.submit(t, here, "消防通道被占")
		next(t, quick, total(n))
	}
	if b := <-slow; b.Totals.Total != 3 {
		t.Errorf("the slow reader got %d", b.Totals.Total)
	}
}

func TestLeavingEndsTheSubscription(t *testing.T) {
	r := open(t)
	ctx, cancel := context.WithCancel(r.leader)
	boards, err := r.hub.Subscribe(ctx, district)
	if err != nil {
		t.Fatal(err)
	}
	next(t, boards, whichever)
	cancel()
	timeout := time.After(5 * time.Second)
	for {
		select {
		case _, open := <-boards:
			if !open {
				// the area is watched anew afterwards
				again, err := r.hub.Subscribe(r.leader, district)
				if err != nil {
					t.Fatal(err)
				}
				next(t, again, whichever)
				return
			}
		case <-timeout:
			t.Fatal("the channel was not closed")
		}
	}
}
