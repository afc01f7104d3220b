package message_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizentag"
	"github.com/citizencloud/citizencloud/subgraphs/platform/message"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

func tagged(areaID, tagID string) message.AudienceInput {
	return message.AudienceInput{Kind: message.WithTag, AreaID: &areaID, TagID: &tagID}
}

func TestAMessageReachesWhoHoldsTheTag(t *testing.T) {
	o := open(t)
	tags := &citizentag.Service{DB: o.DB, Now: o.clock}
	people, nextDoor := o.citizens(here, 5), o.citizens(next, 1)
	tag, err := tags.Create(o.ann, "独居老人", "六十五岁以上独自居住")
	o.must(err)
	soon, later := o.clock().Add(time.Hour), o.clock().Add(30*24*time.Hour)
	_, err = tags.Give(o.ann, tag.ID, people[:3], "入户走访", later)
	o.must(err)
	tag, err = tags.Give(o.ann, tag.ID, people[3:4], "电话核实", soon)
	if o.must(err); tag.HolderCount != 4 {
		t.Errorf("%d hold it", tag.HolderCount)
	}
	tag, err = tags.Take(o.ann, tag.ID, people[:1])
	if o.must(err); tag.HolderCount != 3 {
		t.Errorf("%d hold it", tag.HolderCount)
	}

	for name, try := range map[string]func() error{
		"people next door": func() error { _, err := tags.Give(o.ann, tag.ID, nextDoor, "猜测", later); return err },
		"for ever": func() error {
			_, err := tags.Give(o.ann, tag.ID, people, "走访", o.clock().AddDate(3, 0, 0))
			return err
		},
		"in the past":        func() error { _, err := tags.Give(o.ann, tag.ID, people, "走访", o.clock()); return err },
		"without a source":   func() error { _, err := tags.Give(o.ann, tag.ID, people, " ", later); return err },
		"the same name":      func() error { _, err := tags.Create(o.ann, "独居老人", "又一个"); return err },
		"the same one twice": func() error { _, err := tags.Take(o.ann, tag.ID, []string{people[0], people[0]}); return err },
		"sent without area": func() error {
			_, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), message.AudienceInput{Kind: message.WithTag, TagID: &tag.ID}, message.InApp))
			return err
		},
		"sent by another tag": func() error {
			_, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), tagged(here, people[0]), message.InApp))
			return err
		},
	} {
		if err := try(); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = tags.Give(o.ben, tag.ID, nextDoor, "走访", later)
	o.refused(err, fault.NotFound)
	_, err = tags.Create(o.worker(city, access.AuditAdmin), "标签", "说明")
	o.refused(err, fault.Forbidden)
	_, err = tags.Create(citizen(t.Context(), people[0]), "标签", "说明")
	o.refused(err, fault.Forbidden)
	if list, _, err := tags.List(o.ben, keyset.Page{Size: 10}); err != nil || len(list) != 0 {
		t.Errorf("next door sees %d tags: %v", len(list), err)
	}
	own, err := tags.OfEach(citizen(t.Context(), people[1]), []string{people[1], people[2]})
	if o.must(err); len(own[0]) != 1 || own[0][0].Source != "入户走访" || len(own[1]) != 0 {
		t.Errorf("a citizen sees of themself and another: %+v", own)
	}
	if seen, err := tags.OfEach(o.ben, people); err != nil || len(seen[1]) != 0 {
		t.Errorf("next door sees a citizen's tags: %+v %v", seen, err)
	}

	o.later(2 * time.Hour) // one has expired
	m, err := o.Send(o.ann, inputOf(o.template(messagetemplate.Community), tagged(here, tag.ID), message.InApp))
	o.must(err)
	o.expand(m)
	o.deliver()
	if got := o.figures(o.ann, m, message.InApp); got.Delivered != 2 {
		t.Errorf("%+v", got)
	}
	if n := o.number(`SELECT count(*) FROM platform.notification WHERE recipient_id IN ($1, $2)`, people[1], people[2]); n != 2 {
		t.Errorf("%d of the two were told", n)
	}
	_, err = tags.Disable(o.ann, tag.ID)
	o.must(err)
	_, err = o.Send(o.ann, inputOf(o.template(messagetemplate.Community), tagged(here, tag.ID), message.InApp))
	o.refused(err, fault.InvalidInput)
	_, err = tags.Give(o.ann, tag.ID, people, "走访", o.clock().Add(time.Hour))
	o.refused(err, fault.Conflict)
}
