package platform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
)

// notify makes a notification for the principal, past the bus.
func (w *world) notify(to *access.Principal, title string) string {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	w.sql(`INSERT INTO platform.notification (id, request_id, recipient_kind, recipient_id, topic, title, body, created_at)
		VALUES ($1, $1, $2, $3, 'SYSTEM', $4, '正文', now())`, id, string(to.Kind), to.ID, title)
	return id
}

func TestWhoMayNotReadNotifications(t *testing.T) { eachWall(t, whoMayNotReadNotifications) }

func whoMayNotReadNotifications(t *testing.T, w *world) {
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	w.settle(p, here)
	id := w.notify(p, "一")
	for name, who := range map[string]*access.Principal{
		"the community's worker": w.worker(here), "a worker with the citizen's ID": {Kind: access.Worker, ID: p.ID, AreaCode: here, Roles: []access.Role{access.CommunityWorker}},
	} {
		for _, field := range []string{`notifications { edges { node { title } } }`, `unreadNotificationCount`} {
			a := w.ask(who, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { nickname `+field+` } } }`,
				fmt.Sprintf(`{"r": [{"__typename": "Citizen", "id": %q}]}`, p.ID))
			if a.code() != "FORBIDDEN" {
				t.Errorf("%s reads %s: %s %v", name, field, a.Data, a.Errors)
			}
		}
	}
	for name, who := range map[string]*access.Principal{"nobody": nil, "another citizen": other, "a worker": w.worker(here)} {
		a := w.ask(who, `query($r: [_Any!]!) { _entities(representations: $r) { ... on Notification { title } } }`,
			fmt.Sprintf(`{"r": [{"__typename": "Notification", "id": %q}]}`, id))
		if string(a.Data) != `{"_entities":[null]}` {
			t.Errorf("%s reads a notification by ID: %s", name, a.Data)
		}
	}
	if a := w.ask(other, `mutation($i: [ID!]) { markNotificationsRead(input: {ids: $i}) { markedCount } }`, fmt.Sprintf(`{"i": [%q]}`, id)); string(a.Data) != `{"markNotificationsRead":{"markedCount":0}}` {
		t.Errorf("another citizen marks: %s %v", a.Data, a.Errors)
	}
	if n := w.number(`SELECT count(*) FROM platform.notification WHERE read_at IS NOT NULL`); n != 0 {
		t.Error("a notification was marked by somebody else")
	}
}

func TestNotificationsPagesAndMarks(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	var ids []string
	for i := range 7 {
		ids = append(ids, w.notify(p, fmt.Sprint(i)))
	}
	type list struct {
		Viewer struct {
			UnreadNotificationCount int
			Notifications           struct {
				Edges    []struct{ Node struct{ ID, Title string } }
				PageInfo struct {
					HasNextPage bool
					EndCursor   *string
				}
			}
		}
	}
	const query = `query($a: String, $u: Boolean) { viewer { unreadNotificationCount notifications(first: 3, after: $a, unreadOnly: $u) {
		edges { node { id title } } pageInfo { hasNextPage endCursor } } } }`
	var seen []string
	variables := `{}`
	for {
		got := get[list](w, p, query, variables).Viewer.Notifications
		for _, edge := range got.Edges {
			seen = append(seen, edge.Node.Title)
		}
		if !got.PageInfo.HasNextPage {
			break
		}
		variables = fmt.Sprintf(`{"a": %q}`, *got.PageInfo.EndCursor)
	}
	if fmt.Sprint(seen) != "[6 5 4 3 2 1 0]" {
		t.Errorf("seen %v", seen)
	}
	const mark = `mutation($i: MarkNotificationsReadInput!) { markNotificationsRead(input: $i) { markedCount unreadCount } }`
	for input, want := range map[string]string{
		`{}`: "INVALID_INPUT", `{"ids": []}`: "INVALID_INPUT", `{"all": true, "ids": ["x"]}`: "INVALID_INPUT",
	} {
		if a := w.ask(p, mark, `{"i": `+input+`}`); a.code() != want {
			t.Errorf("%s: %v", input, a.Errors)
		}
	}
	if a := w.ask(p, mark, fmt.Sprintf(`{"i": {"ids": [%q, %q, "rubbish"]}}`, ids[0], ids[6])); string(a.Data) != `{"markNotificationsRead":{"markedCount":2,"unreadCount":5}}` {
		t.Errorf("%s %v", a.Data, a.Errors)
	}
	if got := get[list](w, p, query, `{"u": true}`).Viewer; got.UnreadNotificationCount != 5 || got.Notifications.Edges[0].Node.Title != "5" {
		t.Errorf("%+v", got)
	}
	if a := w.ask(p, mark, `{"i": {"all": true}}`); string(a.Data) != `{"markNotificationsRead":{"markedCount":5,"unreadCount":0}}` {
		t.Errorf("%s %v", a.Data, a.Errors)
	}
	if a := w.ask(p, query, `{"a": "rubbish"}`); a.code() != "INVALID_INPUT" {
		t.Errorf("a bad cursor: %v", a.Errors)
	}
}

// listen subscribes the principal and gives the titles that come.
func (w *world) listen(ctx context.Context, p *access.Principal) <-chan string {
	w.t.Helper()
	ctx = access.With(graphql.StartOperationTrace(ctx), p)
	operation, errs := w.executor.CreateOperationContext(ctx, &graphql.RawParams{Query: `subscription { notificationReceived { id topic title link } }`})
	if errs != nil {
		w.t.Fatal(errs)
	}
	responses, ctx := w.executor.DispatchOperation(ctx, operation)
	titles, started := make(chan string, 16), make(chan struct{})
	go func() {
		defer close(titles)
		close(started)
		for {
			response := responses(ctx)
			if response == nil {
				return
			}
			var data struct{ NotificationReceived struct{ Title string } }
			_ = json.Unmarshal(response.Data, &data)
			if len(response.Errors) > 0 {
				titles <- fmt.Sprint(response.Errors[0].Extensions["code"])
				return
			}
			titles <- data.NotificationReceived.Title
		}
	}()
	<-started
	return titles
}

func (w *world) wait(titles <-chan string) string {
	w.t.Helper()
	select {
	case title := <-titles:
		return title
	case <-time.After(10 * time.Second):
		w.t.Fatal("nothing came")
		return ""
	}
}

// request publishes a request for a notification, as another subgraph's relay does.
func (w *world) request(r notification.Request) {
	w.t.Helper()
	payload, err := json.Marshal(r)
	w.must(err)
	w.must(w.bus.Publish(w.t.Context(), []event.Event{{ID: uuid.NewString(), Subject: "community.notification.requested", At: time.Now(), Payload: payload}}))
}

func TestARequestReachesItsRecipientsAtOnceAndNobodyElse(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	mine, others := w.listen(ctx, p), w.listen(ctx, other)
	handler, neighbour := w.listen(ctx, w.worker(here)), w.listen(ctx, w.worker(next))
	w.listening(4)
	w.consumerReady()

	once := notification.Request{RequestID: uuid.NewString(), Recipient: notification.Addressee{CitizenID: p.ID}, Topic: "feedback", Title: "已受理", Body: "处理中", Link: "feedback/1"}
	w.request(once)
	w.request(once) // delivered twice: notified once
	w.request(notification.Request{RequestID: uuid.NewString(), Recipient: notification.Addressee{AreaCode: here, Action: access.FeedbackHandle}, Topic: "feedback", Title: "新的反馈"})
	w.request(notification.Request{RequestID: uuid.NewString(), Recipient: notification.Addressee{CitizenID: other.ID}, Title: "最后"})
	w.flushUntil(func() bool { return w.number(`SELECT count(*) FROM platform.notification`) == 3 })
	if got := w.wait(mine); got != "已受理" {
		t.Errorf("the citizen got %q", got)
	}
	if got := w.wait(handler); got != "新的反馈" {
		t.Errorf("the handler got %q", got)
	}
	if got := w.wait(others); got != "最后" {
		t.Errorf("the other citizen got %q", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	for name, titles := range map[string]<-chan string{"the citizen": mine, "the handler": handler, "the neighbour": neighbour, "the other citizen": others} {
		for title := range titles {
			t.Errorf("%s also got %q", name, title)
		}
	}
	if a := w.ask(p, `{ viewer { notifications { edges { node { topic link title } } } } }`, ""); string(a.Data) !=
		`{"viewer":{"notifications":{"edges":[{"node":{"topic":"FEEDBACK","link":"feedback/1","title":"已受理"}}]}}}` {
		t.Errorf("%s", a.Data)
	}
}

// listening waits until so many subscriptions listen to the bus.
func (w *world) listening(n int) {
	w.t.Helper()
	w.flushUntil(func() bool { return w.Listeners() >= n })
}

// consumerReady waits until the durable consumer of requests is there: events
// before it are not for it.
func (w *world) consumerReady() {
	w.t.Helper()
	w.flushUntil(func() bool { return w.consumes("platform-notification") })
}

// flushUntil relays the outbox until the condition holds.
func (w *world) flushUntil(holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			w.t.Fatal("it never came true")
		case <-tick.C:
			w.flush()
		}
	}
	w.flush()
}

func TestSigningOutEndsTheSubscription(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	_, again := w.signIn("13800000001")
	ended, lasting := w.listen(t.Context(), p), w.listen(t.Context(), again)
	w.listening(2)
	get[any](w, p, `mutation { signOut { endedSessions } }`, "")
	w.flush()
	select {
	case title, open := <-ended:
		if open {
			t.Errorf("got %q", title)
		}
	case <-time.After(10 * time.Second):
		t.Error("the subscription outlives the session")
	}
	select {
	case title, open := <-lasting:
		t.Errorf("the other session got %q (open %v)", title, open)
	default:
	}
}

func TestNobodyListens(t *testing.T) {
	w := newWorld(t)
	if got := w.wait(w.listen(t.Context(), nil)); got != "UNAUTHENTICATED" {
		t.Errorf("got %q", got)
	}
}

func TestRequestsThatCannotBeFulfilledAreDoneWith(t *testing.T) {
	w := newWorld(t)
	service := &notification.Service{DB: w.db, Now: w.clock.now, Log: discard}
	for name, payload := range map[string]string{
		"rubbish": `[1]`, "no ID": `{"title": "x", "recipient": {"citizenId": "00000000-0000-7000-8000-000000000000"}}`,
		"nobody":       `{"requestId": "00000000-0000-7000-8000-000000000000", "title": "x", "recipient": {}}`,
		"two":          `{"requestId": "00000000-0000-7000-8000-000000000000", "title": "x", "recipient": {"citizenId": "00000000-0000-7000-8000-000000000000", "workerId": "00000000-0000-7000-8000-000000000000"}}`,
		"no such form": `{"requestId": "00000000-0000-7000-8000-000000000000", "title": "x", "recipient": {"citizenId": "1' OR '1'='1"}}`,
		"no title":     `{"requestId": "00000000-0000-7000-8000-000000000000", "title": " ", "recipient": {"citizenId": "00000000-0000-7000-8000-000000000000"}}`,
	} {
		if err := service.Fulfil(t.Context(), event.Event{ID: "1", Subject: "x.notification.requested", Payload: json.RawMessage(payload)}); err != nil {
			t.Errorf("%s would come again for ever: %v", name, err)
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.notification`); n != 0 {
		t.Errorf("%d notifications", n)
	}
}
