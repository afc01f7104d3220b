package message_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

// tell hands receipts in; those without a provider come from whoever has the delivery.
func (o *office) tell(receipts ...carrier.Receipt) {
	o.t.Helper()
	for i := range receipts {
		if receipts[i].Provider == "" && receipts[i].Key != "nonsense" {
			o.must(o.db.Owner.Get(&receipts[i].Provider, `SELECT provider FROM platform.message_delivery WHERE id = $1`, receipts[i].Key))
		}
	}
	o.must(o.Receive(o.t.Context(), receipts))
}

// sent is a message of the class to so many people by SMS, handed over.
func (o *office) sent(class messagetemplate.Class, people int) *message.Message {
	o.t.Helper()
	o.citizens(here, people)
	m, err := o.Send(o.ann, inputOf(o.template(class), area(here), message.SMS))
	o.must(err)
	o.expand(m)
	o.deliver()
	return m
}

func (o *office) other(name string) string {
	if name == "first" {
		return "second"
	}
	return "first"
}

func TestNoReceiptClosesAnOrdinaryMessage(t *testing.T) {
	o := open(t)
	m := o.sent(messagetemplate.Community, 2)
	o.later(message.ReceiptTimeout - time.Second)
	o.must(o.Tick(t.Context()))
	if got := o.figures(o.ann, m, message.SMS); got.Sending != 2 || got.Unknown != 0 {
		t.Fatalf("before the time is up: %+v", got)
	}
	o.later(time.Second)
	o.must(o.Tick(t.Context()))
	o.deliver()
	if got := o.figures(o.ann, m, message.SMS); got.Unknown != 2 || got.Sending != 0 || o.first.Taken()+o.second.Taken() != 2 {
		t.Fatalf("after it: %+v, %d and %d taken", got, o.first.Taken(), o.second.Taken())
	}
	if m, err := o.ByID(o.ann, m.ID); err != nil || m.State != message.Completed {
		t.Errorf("nothing is open any more: %+v %v", m, err)
	}
	key := ""
	o.must(o.db.Owner.Get(&key, `SELECT id FROM platform.message_delivery ORDER BY id LIMIT 1`))
	o.tell(carrier.Receipt{Key: key, Delivered: true})
	if got := o.figures(o.ann, m, message.SMS); got.Unknown != 1 || got.Delivered != 1 {
		t.Errorf("a receipt that is late: %+v", got)
	}
}

func TestNoReceiptOfAnEmergencyGoesToAnotherProviderOnce(t *testing.T) {
	o := open(t)
	m := o.sent(messagetemplate.Emergency, 1)
	was := o.delivery()
	o.later(message.ReceiptTimeout)
	o.must(o.Tick(t.Context()))
	if got := o.figures(o.ann, m, message.SMS); got.Unknown != 1 {
		t.Fatalf("overdue: %+v", got)
	}
	o.deliver()
	now := o.delivery()
	if now.Provider != o.other(was.Provider) || now.State != "SENDING" || o.first.Taken() != 1 || o.second.Taken() != 1 {
		t.Fatalf("was %+v, is %+v", was, now)
	}
	// The one before may not say any more that it failed, nor may a stranger say anything.
	o.tell(carrier.Receipt{Key: now.ID, Provider: was.Provider, Reason: "UNREACHABLE"}, carrier.Receipt{Key: now.ID, Provider: "stranger", Delivered: true})
	if got := o.delivery(); got.State != "SENDING" {
		t.Errorf("after receipts of others: %+v", got)
	}
	o.later(message.ReceiptTimeout)
	o.must(o.Tick(t.Context()))
	o.deliver()
	if got := o.figures(o.ann, m, message.SMS); got.Unknown != 1 || o.first.Taken()+o.second.Taken() != 2 {
		t.Errorf("a third time: %+v", got)
	}
	o.tell(carrier.Receipt{Key: now.ID, Provider: was.Provider, Delivered: true})
	if got := o.figures(o.ann, m, message.SMS); got.Delivered != 1 {
		t.Errorf("the first one told late that it arrived: %+v", got)
	}
}

func TestRecalledIsNotHandedToAnotherProvider(t *testing.T) {
	o := open(t)
	m := o.sent(messagetemplate.Emergency, 1)
	o.later(message.ReceiptTimeout)
	o.must(o.Tick(t.Context())) // it waits for another provider now
	recalled, err := o.Recall(o.ann, m.ID, "误发", m.Version)
	o.must(err)
	o.expand(recalled)
	o.deliver()
	if o.first.Taken()+o.second.Taken() != 1 {
		t.Errorf("%d and %d taken", o.first.Taken(), o.second.Taken())
	}
	if got := o.figures(o.ann, m, message.SMS); got.Unknown != 1 || got.Recalled != 0 {
		t.Errorf("it may have arrived: %+v", got)
	}
	if n := o.number(`SELECT count(*) FROM platform.message_delivery WHERE next_at IS NOT NULL`); n != 0 {
		t.Errorf("%d are open", n)
	}
}

// row is a delivery as it stands.
type row struct {
	ID       string `db:"id"`
	State    string `db:"state"`
	Provider string `db:"provider"`
}

func (o *office) delivery() (r row) {
	o.t.Helper()
	o.must(o.db.Owner.Get(&r, `SELECT id, state, provider FROM platform.message_delivery`))
	return r
}
