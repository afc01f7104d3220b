package message_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
	"github.com/citizencloud/citizencloud/subgraphs/platform/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// The places of the tests.
const (
	city      = "510100000000"
	street    = "510104017000"
	here      = "510104017001"
	next      = "510104017002"
	elsewhere = "510107061001"
)

// office sends messages on a real database, through simulators.
type office struct {
	*message.Service
	templates *messagetemplate.Service
	t         testing.TB
	db        *embeddedtest.Database
	keys      *personal.Keys
	first     *carrier.Simulator
	second    *carrier.Simulator
	router    *carrier.Router

	mu  sync.Mutex
	now time.Time

	ann, ben, chief, mayor context.Context // workers here and next door, of the street and of the city
	people                 int
}

func open(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, db: embeddedtest.Open(t, migrations.FS), now: time.Date(2026, 3, 3, 10, 0, 0, 0, workday.Zone)}
	pool, err := database.Open(t.Context(), o.db.AppURL)
	o.must(err)
	t.Cleanup(func() { _ = pool.Close() })
	o.keys, err = personal.NewKeys(bytes.Repeat([]byte{3}, 32))
	o.must(err)
	receive := func(ctx context.Context, receipts []carrier.Receipt) { _ = o.Receive(ctx, receipts) }
	o.first = carrier.NewSimulator("first", time.Second, receive)
	o.second = carrier.NewSimulator("second", time.Second, receive)
	o.router, err = carrier.NewRouter(8, 2, carrier.Share{Provider: o.first, Weight: 3}, carrier.Share{Provider: o.second, Weight: 1})
	o.must(err)
	o.templates = &messagetemplate.Service{DB: pool, Now: o.clock}
	o.Service = message.New(message.Service{DB: pool, Keys: o.keys, Templates: o.templates, Texts: o.router, Pushes: carrier.NewPusher(nil, true),
		Now: o.clock, Log: slog.New(slog.DiscardHandler)})
	o.ann, o.ben = o.worker(here, access.CommunityWorker), o.worker(next, access.CommunityWorker)
	o.chief, o.mayor = o.worker(street, access.Supervisor), o.worker(city, access.Leader)
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) refused(err error, code fault.Code) {
	o.t.Helper()
	if fault.CodeOf(err) != code {
		o.t.Errorf("%v, want %s", err, code)
	}
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

func (o *office) worker(area string, role access.Role) context.Context {
	o.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	o.sql(`INSERT INTO platform.org_unit (id, name, kind, area_code) VALUES ($1, '机构', 'COMMUNITY', $2)`, id, area)
	o.sql(`INSERT INTO platform.worker (id, login, name, password_hash, area_code) VALUES ($1, $2, '工作者', '-', $3)`, id, "w"+id, area)
	o.sql(`INSERT INTO platform.assignment (id, worker_id, unit_id, area_code, post, roles, is_primary, valid_from)
		VALUES ($1, $1, $1, $2, '岗位', ARRAY[$3], true, '2025-01-01')`, id, area, string(role))
	return access.With(o.t.Context(), &access.Principal{Kind: access.Worker, ID: id, AreaCode: area, Roles: []access.Role{role}})
}

// citizens make so many accounts with numbers in the area.
func (o *office) citizens(area string, n int) []string {
	o.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		o.people++
		ids[i] = uuid.Must(uuid.NewV7()).String()
		mobile := fmt.Sprintf("+86138%07d1", o.people)
		o.sql(`INSERT INTO platform.citizen (id, nickname, mobile, mobile_index, area_code) VALUES ($1, '市民', $2, $3, $4)`,
			ids[i], o.keys.Seal("citizen.mobile/"+ids[i], mobile), []byte(mobile), area)
	}
	return ids
}

func citizen(ctx context.Context, id string) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Citizen, ID: id, AreaCode: here})
}

func (o *office) sql(statement string, args ...any) {
	o.t.Helper()
	_, err := o.db.Owner.ExecContext(o.t.Context(), statement, args...)
	o.must(err)
}

func (o *office) number(query string, args ...any) (n int) {
	o.t.Helper()
	o.must(o.db.Owner.GetContext(o.t.Context(), &n, query, args...))
	return n
}

// template is an approved one of the class, written here, or by the author.
func (o *office) template(class messagetemplate.Class, author ...context.Context) string {
	o.t.Helper()
	by := append(author, o.ann)[0]
	made, err := o.templates.Create(by, messagetemplate.Input{Key: "t-" + uuid.NewString()[:8], Name: "停水", Class: class, Title: "停水通知", Body: "{{where}}将停水。",
		Variables: []*messagetemplate.MessageVariable{{Name: "where", Label: "地点", Kind: messagetemplate.Text, MaxLength: 20}}})
	o.must(err)
	_, err = o.templates.Submit(by, made.ID)
	o.must(err)
	reviewer := o.chief
	if len(author) > 0 {
		reviewer = o.worker(city, access.Leader)
	}
	_, err = o.templates.Review(reviewer, made.ID, true, nil)
	o.must(err)
	return made.ID
}

func inputOf(template string, to message.AudienceInput, channels ...message.Channel) message.Input {
	return message.Input{RequestID: uuid.NewString(), TemplateID: template, Variables: []messagetemplate.Value{{Name: "where", Value: "三号院"}}, Audience: to, Channels: channels}
}

func area(code string) message.AudienceInput {
	return message.AudienceInput{Kind: message.InArea, AreaID: &code}
}

// expand does all steps that are waiting, without the bus.
func (o *office) expand(m *message.Message) {
	o.t.Helper()
	for {
		step := o.number(`SELECT step FROM platform.message WHERE id = $1`, m.ID)
		o.must(o.Step(o.t.Context(), m.ID, step))
		if o.number(`SELECT step FROM platform.message WHERE id = $1`, m.ID) == step {
			return
		}
	}
}

// deliver makes all deliveries that are due.
func (o *office) deliver() {
	o.t.Helper()
	for _, work := range []func(context.Context) (int, error){o.DeliverInside, o.DeliverOutside} {
		for {
			n, err := work(o.t.Context())
			o.must(err)
			if n == 0 {
				break
			}
		}
	}
}

// figures are the message's through the channel.
func (o *office) figures(ctx context.Context, m *message.Message, channel message.Channel) message.ChannelStatistics {
	o.t.Helper()
	m, err := o.ByID(ctx, m.ID)
	o.must(err)
	list, err := o.Statistics(ctx, m)
	o.must(err)
	for _, s := range list {
		if s.Channel == channel {
			return *s
		}
	}
	return message.ChannelStatistics{}
}

// expandAgain sends the urgent kind once more to everybody here.
func (o *office) expandAgain() {
	o.t.Helper()
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Emergency), area(here), message.SMS))
	o.must(err)
	o.expand(m)
}

// deliverWith hands over with so many workers until nothing is due.
func (o *office) deliverWith(workers int) {
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for {
				n, err := o.DeliverOutside(o.t.Context())
				if err != nil {
					o.t.Error(err)
				}
				if n == 0 || err != nil {
					return
				}
			}
		})
	}
	wait.Wait()
}
