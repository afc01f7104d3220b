package message_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// sending is a message to so many people by SMS, expanded.
func (o *office) sending(people int) *message.Message {
	o.t.Helper()
	o.citizens(here, people)
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), area(here), message.SMS))
	o.must(err)
	o.expand(m)
	return m
}

// A process dies after the provider took the message and before the row says so.
func TestDyingAfterTheProviderTookItSendsOnce(t *testing.T) {
	o := open(t)
	m := o.sending(20)
	ctx, die := context.WithCancel(t.Context())
	var once sync.Once
	killing := func(_ carrier.Text, taken bool) error {
		if taken {
			once.Do(die) // what follows, and the record, fails
		}
		return nil
	}
	o.first.Fault, o.second.Fault = killing, killing
	if _, err := o.DeliverOutside(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("survived: %v", err)
	}
	o.first.Fault, o.second.Fault = nil, nil
	taken := o.first.Taken() + o.second.Taken()
	if n := o.number(`SELECT count(*) FROM platform.message_delivery WHERE accepted_at IS NOT NULL`); taken == 0 || n != 0 {
		t.Fatalf("%d taken, %d recorded: the test kills at the wrong place", taken, n)
	}
	if n, err := o.DeliverOutside(t.Context()); err != nil || n != 0 {
		t.Errorf("%d taken over before the lease ended: %v", n, err)
	}
	o.later(3 * time.Minute)
	o.deliver()
	if n := o.first.Taken() + o.second.Taken(); n != 20 {
		t.Errorf("%d short messages to 20 people", n)
	}
	o.first.Flush(t.Context())
	o.second.Flush(t.Context())
	if got := o.figures(o.ann, m, message.SMS); got.Delivered != 20 {
		t.Errorf("%+v", got)
	}
}

// An answer that is lost leaves the message with the same provider.
func TestNoAnswerIsNotAskedOfAnotherProvider(t *testing.T) {
	o := open(t)
	m := o.sending(8)
	lost := map[string]bool{}
	var mu sync.Mutex
	losing := func(text carrier.Text, taken bool) error {
		mu.Lock()
		defer mu.Unlock()
		if !taken || lost[text.Key] {
			return nil
		}
		lost[text.Key] = true
		return carrier.ErrAway
	}
	o.first.Fault, o.second.Fault = losing, losing
	o.deliver()
	if got := o.figures(o.ann, m, message.SMS); got.Sending != 8 || o.first.Taken()+o.second.Taken() != 8 || len(lost) != 8 {
		t.Errorf("%+v, %d and %d taken", got, o.first.Taken(), o.second.Taken())
	}
}

func TestAnotherProviderTakesWhatOneRefuses(t *testing.T) {
	o := open(t)
	m := o.sending(40)
	o.first.Fault = func(carrier.Text, bool) error { return &carrier.Refusal{Reason: "BUSY"} }
	o.deliver()
	if o.second.Taken() != 40 || o.first.Taken() != 0 {
		t.Errorf("%d and %d taken", o.first.Taken(), o.second.Taken())
	}
	if w := o.router.Weights(); w["first"] >= 1 || w["second"] != 1 {
		t.Errorf("weights %v", w)
	}
	o.second.Flush(t.Context())
	if got := o.figures(o.ann, m, message.SMS); got.Delivered != 40 {
		t.Errorf("%+v", got)
	}
}

func TestGivingUpAfterPausesThatGrow(t *testing.T) {
	o := open(t)
	m := o.sending(1)
	refuse := func(carrier.Text, bool) error { return &carrier.Refusal{Reason: "DOWN"} }
	o.first.Fault, o.second.Fault = refuse, refuse
	o.deliver()
	if got := o.figures(o.ann, m, message.SMS); got.Waiting != 1 {
		t.Fatalf("%+v", got)
	}
	if n := o.number(`SELECT attempts FROM platform.message_delivery`); n != 2 { // the second at once, then a pause
		t.Errorf("%d attempts at once", n)
	}
	for range 4 {
		o.later(time.Hour)
		o.deliver()
	}
	if got := o.figures(o.ann, m, message.SMS); got.TechnicalFailure != 1 {
		t.Errorf("%+v", got)
	}
	if n := o.number(`SELECT attempts FROM platform.message_delivery`); n != 6 {
		t.Errorf("%d attempts", n)
	}
}

func TestAReceiptChangesOnlyWhatIsUnderWay(t *testing.T) {
	o := open(t)
	m := o.sending(1)
	key := ""
	o.must(o.db.Owner.Get(&key, `SELECT id FROM platform.message_delivery`))
	o.tell(carrier.Receipt{Key: key, Delivered: true}, carrier.Receipt{Key: "nonsense", Delivered: true})
	if got := o.figures(o.ann, m, message.SMS); got.Waiting != 1 {
		t.Errorf("a receipt before sending: %+v", got)
	}
	o.deliver()
	o.tell(carrier.Receipt{Key: key, Reason: "UNREACHABLE"})
	o.tell(carrier.Receipt{Key: key, Delivered: true})
	if got := o.figures(o.ann, m, message.SMS); got.PermanentFailure != 1 || got.Delivered != 0 {
		t.Errorf("a second receipt: %+v", got)
	}
}

func TestPushesGoToTheInstallationsLastUser(t *testing.T) {
	o := open(t)
	ids := o.citizens(here, 3)
	device := "0194f6a0-0000-7000-8000-000000000001"
	o.must(o.RegisterDevice(citizen(t.Context(), ids[0]), device, carrier.Huawei, "token-of-a-phone"))
	o.must(o.RegisterDevice(citizen(t.Context(), ids[1]), device, carrier.Huawei, "token-of-a-phone"))
	o.must(o.RegisterDevice(citizen(t.Context(), ids[2]), "0194f6a0-0000-7000-8000-000000000002", carrier.APNs, "gone-phone"))
	o.refused(o.RegisterDevice(t.Context(), device, carrier.APNs, "x"), fault.Unauthenticated)
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), area(here), message.Push))
	o.must(err)
	o.expand(m)
	o.deliver()
	if got := o.figures(o.ann, m, message.Push); got.NoAddress != 1 || got.Delivered != 1 || got.PermanentFailure != 1 {
		t.Errorf("%+v", got)
	}
}

// gate is a provider that takes a message for each token that the test gives,
// first come first served, and keeps the order.
type gate struct {
	mu      sync.Mutex
	order   []string
	arrived chan struct{}
	tokens  chan struct{}
}

func (g *gate) Name() string { return "gate" }

func (g *gate) Submit(ctx context.Context, text carrier.Text) (string, error) {
	g.arrived <- struct{}{}
	select {
	case <-g.tokens:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.order = append(g.order, text.Text)
	return fmt.Sprint(len(g.order)), nil
}

// A mass sending holds all slots that it may have. Of the thousands queued only
// those under way are taken before a code that is asked for now.
func TestACodeOvertakesAMassSending(t *testing.T) {
	const slots, reserved, queued = 8, 2, 4000
	o := open(t)
	g := &gate{arrived: make(chan struct{}, queued+1), tokens: make(chan struct{})}
	router, err := carrier.NewRouter(slots, reserved, carrier.Share{Provider: g, Weight: 1})
	o.must(err)
	o.Texts = router
	o.sending(queued)
	massed := make(chan struct{})
	go func() {
		o.deliverWith(4)
		close(massed)
	}()
	for range slots - reserved {
		<-g.arrived
	}
	coded := make(chan error, 1)
	go func() {
		coded <- carrier.Codes{Router: router}.Send(t.Context(), sms.Message{Mobile: "+8613800000001", Scene: sms.SignIn, Code: "123456"})
	}()
	<-g.arrived // the code: no mass message can, as no token was given
	if n := router.Busy("gate"); n != slots-reserved+1 {
		t.Errorf("%d slots are taken", n)
	}
	for running := true; running; {
		select {
		case g.tokens <- struct{}{}:
		case <-massed:
			running = false
		}
	}
	o.must(<-coded)
	at := slices.Index(g.order, sms.Message{Code: "123456"}.Text())
	if at < 0 || at >= 2*slots || len(g.order) != queued+1 {
		t.Errorf("the code was number %d of %d", at+1, len(g.order))
	}
}
