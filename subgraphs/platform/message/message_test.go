package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

func TestAMessageReachesTheAreaAndNobodyElse(t *testing.T) {
	o := open(t)
	mine := o.citizens(here, 3)
	o.citizens(next, 2)
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), area(here), message.SMS, message.InApp))
	o.must(err)
	if m.State != message.Expanding || m.Body != "三号院将停水。" {
		t.Fatalf("%+v", m)
	}
	o.expand(m)
	o.deliver()
	if got := o.figures(o.ann, m, message.InApp); got.Total != 3 || got.Delivered != 3 {
		t.Errorf("inside: %+v", got)
	}
	if got := o.figures(o.ann, m, message.SMS); got.Total != 3 || got.Sending != 3 {
		t.Errorf("before receipts: %+v", got)
	}
	o.first.Flush(t.Context())
	o.second.Flush(t.Context())
	o.first.Flush(t.Context())
	if got := o.figures(o.ann, m, message.SMS); got.Delivered != 3 || o.first.Taken()+o.second.Taken() != 3 {
		t.Errorf("after receipts: %+v, %d and %d taken", got, o.first.Taken(), o.second.Taken())
	}
	o.must(o.Tick(t.Context()))
	if m, err = o.ByID(o.ann, m.ID); err != nil || m.State != message.Completed || m.PeopleCount != 3 {
		t.Errorf("%+v %v", m, err)
	}
	id := ""
	o.must(o.db.Owner.Get(&id, `SELECT id FROM platform.notification WHERE recipient_id = $1`, mine[0]))
	first, err := o.Clicked(citizen(t.Context(), mine[0]), id)
	if o.must(err); !first {
		t.Error("the first click does not count")
	}
	if again, err := o.Clicked(citizen(t.Context(), mine[0]), id); err != nil || again {
		t.Errorf("the second click: %v %v", again, err)
	}
	_, err = o.Clicked(citizen(t.Context(), mine[1]), id)
	o.refused(err, fault.NotFound)
	if got := o.figures(o.ann, m, message.InApp); got.Read != 1 || got.Clicked != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhoMayNotSend(t *testing.T) {
	o := open(t)
	here1, next1 := o.citizens(here, 1), o.citizens(next, 1)
	template := o.template(messagetemplate.Community)
	role := string(access.CommunityWorker)
	street, next := street, next
	for name, to := range map[string]message.AudienceInput{
		"another community": area(next), "the street above": area(street), "everyone": {Kind: message.Everyone},
		"workers next door": {Kind: message.WithRole, AreaID: &next, Role: &role},
	} {
		if _, err := o.Send(o.ann, inputOf(template, to, message.InApp)); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := o.Send(o.ann, inputOf(template, message.AudienceInput{Kind: message.Person, CitizenIDs: []string{here1[0], next1[0]}}, message.InApp))
	o.refused(err, fault.InvalidInput)
	_, err = o.Send(o.ben, inputOf(template, area(next), message.InApp)) // the template is of here
	o.refused(err, fault.InvalidInput)
	_, err = o.Send(citizen(t.Context(), here1[0]), inputOf(template, area(here), message.InApp))
	o.refused(err, fault.Forbidden)
	_, err = o.Send(t.Context(), inputOf(template, area(here), message.InApp))
	o.refused(err, fault.Unauthenticated)
	_, err = o.Send(o.worker(here, access.AuditAdmin), inputOf(template, area(here), message.InApp))
	o.refused(err, fault.Forbidden)

	m, err := o.Send(o.ann, inputOf(template, message.AudienceInput{Kind: message.Person, CitizenIDs: here1}, message.InApp))
	o.must(err)
	_, err = o.ByID(o.ben, m.ID)
	o.refused(err, fault.NotFound)
	_, err = o.Recall(o.ben, m.ID, "误发", 1)
	o.refused(err, fault.NotFound)
	_, err = o.Statistics(o.ben, m)
	o.refused(err, fault.NotFound)
	list, _, err := o.List(o.ben, "", keyset.Page{Size: 10})
	if o.must(err); len(list) != 0 {
		t.Errorf("next door sees %d messages", len(list))
	}
	if list, _, err = o.List(o.chief, "", keyset.Page{Size: 10}); err != nil || len(list) != 1 {
		t.Errorf("the street sees %d messages: %v", len(list), err)
	}
	if n := o.number(`SELECT count(*) FROM platform.message`); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestTheSameRequestSendsOnce(t *testing.T) {
	o := open(t)
	o.citizens(here, 1)
	in := inputOf(o.template(messagetemplate.Community), area(here), message.InApp)
	first, err := o.Send(o.ann, in)
	o.must(err)
	again, err := o.Send(o.ann, in)
	if o.must(err); again.ID != first.ID {
		t.Error("sent twice")
	}
	in.Variables[0].Value = "四号院"
	_, err = o.Send(o.ann, in)
	o.refused(err, fault.Conflict)
	o.expand(first)
	o.must(o.Step(t.Context(), first.ID, 0)) // the event comes again
	if n := o.number(`SELECT count(*) FROM platform.message_delivery`); n != 1 {
		t.Errorf("%d deliveries", n)
	}
}

func TestBatchesAreExpandedOneByOne(t *testing.T) {
	o := open(t)
	o.citizens(here, 1100)
	o.citizens(next, 950)
	m, err := o.Send(o.mayor, inputOf(o.template(messagetemplate.Emergency, o.mayor), message.AudienceInput{Kind: message.Everyone}, message.InApp))
	o.must(err)
	for want := range 3 {
		if n := o.number(`SELECT people_count FROM platform.message WHERE id = $1`, m.ID); n != want*1000 {
			t.Fatalf("%d people before batch %d", n, want)
		}
		o.must(o.Step(t.Context(), m.ID, want))
	}
	if n := o.number(`SELECT count(DISTINCT recipient_id) FROM platform.message_delivery`); n != 2050 {
		t.Errorf("%d people", n)
	}
	s, err := o.Send(o.chief, inputOf(o.template(messagetemplate.Affairs, o.mayor), area(street), message.InApp))
	o.must(err)
	o.expand(s)
	if n := o.number(`SELECT count(*) FROM platform.message_delivery WHERE message_id = $1`, s.ID); n != 2050 {
		t.Errorf("the street: %d people", n)
	}
}

func TestChoicesCapsAndQuietHours(t *testing.T) {
	o := open(t)
	ids := o.citizens(here, 2)
	if _, err := o.SetPreference(citizen(t.Context(), ids[0]), messagetemplate.Promotion, false); err != nil {
		t.Fatal(err)
	}
	_, err := o.SetPreference(citizen(t.Context(), ids[0]), messagetemplate.Emergency, false)
	o.refused(err, fault.InvalidInput)
	_, err = o.SetPreference(o.ann, messagetemplate.Promotion, false)
	o.refused(err, fault.Forbidden)

	o.later(12*time.Hour + 30*time.Minute) // 22:30
	promotion, emergency := o.template(messagetemplate.Promotion), o.template(messagetemplate.Emergency)
	one, err := o.Send(o.ann, inputOf(promotion, area(here), message.SMS, message.InApp))
	o.must(err)
	o.expand(one)
	two, err := o.Send(o.ann, inputOf(promotion, area(here), message.SMS))
	o.must(err)
	o.expand(two)
	urgent, err := o.Send(o.ann, inputOf(emergency, area(here), message.SMS))
	o.must(err)
	o.expand(urgent)
	o.deliver()
	if got := o.figures(o.ann, one, message.SMS); got.OptedOut != 1 || got.Waiting != 1 {
		t.Errorf("at night: %+v", got)
	}
	if got := o.figures(o.ann, one, message.InApp); got.Delivered != 1 {
		t.Errorf("within the platform: %+v", got)
	}
	if got := o.figures(o.ann, two, message.SMS); got.Capped != 1 || got.OptedOut != 1 {
		t.Errorf("beyond the cap: %+v", got)
	}
	if got := o.figures(o.ann, urgent, message.SMS); got.Sending != 2 {
		t.Errorf("an emergency: %+v", got)
	}
	o.later(9*time.Hour + 29*time.Minute) // 7:59
	if o.deliver(); o.figures(o.ann, one, message.SMS).Waiting != 1 {
		t.Error("too early")
	}
	o.later(time.Minute)
	if o.deliver(); o.figures(o.ann, one, message.SMS).Sending != 1 {
		t.Error("not sent in the morning")
	}
}

func TestScheduledMessagesWait(t *testing.T) {
	o := open(t)
	o.citizens(here, 1)
	in := inputOf(o.template(messagetemplate.Community), area(here), message.InApp)
	at := o.clock().Add(time.Hour)
	in.SendAt = &at
	m, err := o.Send(o.ann, in)
	o.must(err)
	o.must(o.Tick(t.Context()))
	if got, err := o.ByID(o.ann, m.ID); err != nil || got.State != message.Scheduled {
		t.Errorf("%+v %v", got, err)
	}
	o.later(time.Hour)
	o.must(o.Tick(t.Context()))
	if got, err := o.ByID(o.ann, m.ID); err != nil || got.State != message.Sending || got.PeopleCount != 1 {
		t.Errorf("%+v %v", got, err)
	}
	far := o.clock().Add(100 * 24 * time.Hour)
	in = inputOf(in.TemplateID, area(here), message.InApp)
	in.SendAt = &far
	_, err = o.Send(o.ann, in)
	o.refused(err, fault.InvalidInput)
}

func TestRecallStopsAndTakesBack(t *testing.T) {
	o := open(t)
	ids := o.citizens(here, 3)
	in := inputOf(o.template(messagetemplate.Community), area(here), message.InApp, message.SMS)
	m, err := o.Send(o.ann, in)
	o.must(err)
	o.expand(m)
	if _, err := o.DeliverInside(t.Context()); err != nil { // the short messages are not handed over yet
		t.Fatal(err)
	}
	if n := o.number(`SELECT count(*) FROM platform.notification`); n != 3 {
		t.Fatalf("%d notifications", n)
	}
	_, err = o.Recall(citizen(t.Context(), ids[0]), m.ID, "误发", 1)
	o.refused(err, fault.Forbidden)
	m, err = o.Recall(o.ann, m.ID, "误发", m.Version)
	o.must(err)
	o.deliver()
	if o.first.Taken()+o.second.Taken() != 0 {
		t.Error("sent after it was called back")
	}
	o.expand(m)
	if n := o.number(`SELECT count(*) FROM platform.notification`); n != 0 {
		t.Errorf("%d notifications are left", n)
	}
	if got := o.figures(o.ann, m, message.SMS); got.Recalled != 3 || got.Waiting != 0 {
		t.Errorf("%+v", got)
	}
	_, err = o.Recall(o.ann, m.ID, "再次", m.Version)
	o.refused(err, fault.Conflict)
	if n := o.number(`SELECT count(*) FROM platform.message WHERE cleared_at IS NOT NULL AND state = 'RECALLED'`); n != 1 {
		t.Error("not cleared")
	}
}

func TestNumbersStandNowhereInPlain(t *testing.T) {
	o := open(t)
	o.citizens(here, 1)
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), area(here), message.SMS))
	o.must(err)
	o.expand(m)
	o.deliver()
	for _, table := range []string{"message", "message_delivery", "outbox"} {
		var rows []string
		o.must(o.db.Owner.Select(&rows, `SELECT to_jsonb(x)::text FROM platform.`+table+` x`))
		for _, row := range rows {
			if strings.Contains(row, "138000") {
				t.Errorf("%s: %s", table, row)
			}
		}
	}
}
