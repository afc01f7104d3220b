package feedback_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

const (
	fileOne = "0199f000-0000-7000-8000-000000000001"
	fileTwo = "0199f000-0000-7000-8000-000000000002"
)

func TestSubmittingWithPictures(t *testing.T) {
	o := open(t)
	mine := access.From(o.citizen).ID
	c, err := o.Submit(o.citizen, feedback.SubmitFeedbackInput{
		AreaID: here, Class: feedback.Facility, Title: "  路灯不亮 ", Content: "小区门口的路灯三天不亮了",
		Pictures: []string{"image/png:" + mine + ":" + fileOne, "image/jpeg:" + mine + ":" + fileTwo},
	})
	if err != nil {
		t.Fatal(err)
	}
	read, err := o.Case(o.worker, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if read.Title != "路灯不亮" || read.State != feedback.Submitted || read.Version != 1 {
		t.Errorf("read %+v", read)
	}
	if diff := cmp.Diff([]string{fileOne, fileTwo}, []string(read.FileIDs)); diff != "" {
		t.Error(diff)
	}
	if !regexp.MustCompile(`^YJ20261124-\d{6,}$`).MatchString(read.Number) {
		t.Errorf("number %s", read.Number)
	}
}

func TestBadSubmissionsNameTheirField(t *testing.T) {
	o := open(t)
	mine, other := access.From(o.citizen).ID, access.From(o.neighbour).ID
	good := feedback.SubmitFeedbackInput{AreaID: here, Class: feedback.Other, Title: "标题标题", Content: "内容内容内容"}
	before := o.everything()
	for name, c := range map[string]struct {
		field string
		spoil func(*feedback.SubmitFeedbackInput)
	}{
		"a street":          {"input.areaId", func(in *feedback.SubmitFeedbackInput) { in.AreaID = "510104017000" }},
		"no such community": {"input.areaId", func(in *feedback.SubmitFeedbackInput) { in.AreaID = "510104999999" }},
		"no code":           {"input.areaId", func(in *feedback.SubmitFeedbackInput) { in.AreaID = "' OR 1=1" }},
		"no class":          {"input.class", func(in *feedback.SubmitFeedbackInput) { in.Class = "GOSSIP" }},
		"blank title":       {"input.title", func(in *feedback.SubmitFeedbackInput) { in.Title = " 　" }},
		"long title":        {"input.title", func(in *feedback.SubmitFeedbackInput) { in.Title = strings.Repeat("长", 61) }},
		"NUL":               {"input.content", func(in *feedback.SubmitFeedbackInput) { in.Content = "内容\x00内容内容" }},
		"not UTF-8":         {"input.content", func(in *feedback.SubmitFeedbackInput) { in.Content = "内容\xff内容内容" }},
		"long content":      {"input.content", func(in *feedback.SubmitFeedbackInput) { in.Content = strings.Repeat("长", 2001) }},
		"another's picture": {"input.pictures", func(in *feedback.SubmitFeedbackInput) { in.Pictures = []string{"image/png:" + other + ":" + fileOne} }},
		"no receipt":        {"input.pictures", func(in *feedback.SubmitFeedbackInput) { in.Pictures = []string{fileOne} }},
		"not a picture": {"input.pictures", func(in *feedback.SubmitFeedbackInput) {
			in.Pictures = []string{"application/pdf:" + mine + ":" + fileOne}
		}},
		"ten pictures": {"input.pictures", func(in *feedback.SubmitFeedbackInput) { in.Pictures = make([]string, 10) }},
		"the same one, twice": {"input.pictures", func(in *feedback.SubmitFeedbackInput) {
			in.Pictures = []string{"image/png:" + mine + ":" + fileOne, "image/png:" + mine + ":" + fileOne}
		}},
	} {
		in := good
		c.spoil(&in)
		_, err := o.Submit(o.citizen, in)
		var refused *fault.Fault
		if !errors.As(err, &refused) || refused.Code != fault.InvalidInput || refused.Field != c.field {
			t.Errorf("%s: got %v, want a refusal of %s", name, err, c.field)
		}
	}
	for _, stranger := range []struct {
		code fault.Code
		err  error
	}{{fault.Forbidden, second(o.Submit(o.worker, good))}, {fault.Unauthenticated, second(o.Submit(t.Context(), good))}} {
		wantCode(t, stranger.err, stranger.code)
	}
	if o.everything() != before {
		t.Error("something changed")
	}
}

func second[A any](_ A, err error) error { return err }

func TestTwentyADay(t *testing.T) {
	o := open(t)
	for range 20 {
		o.submitted(here)
	}
	in := feedback.SubmitFeedbackInput{AreaID: nextDoor, Class: feedback.Other, Title: "第二十一件", Content: "今天的第二十一件"}
	wantCode(t, second(o.Submit(o.citizen, in)), fault.RateLimited)
	wantCode(t, second(o.Submit(o.neighbour, in)), "")
	o.later(day)
	wantCode(t, second(o.Submit(o.citizen, in)), "")
}

func TestDuplicates(t *testing.T) {
	o := open(t)
	c, original, away := o.submitted(here), o.submitted(here), o.submitted(nextDoor)
	already := o.must(o.submitted(here), feedback.MarkDuplicate)
	before := o.everything()
	for what, id := range map[string]string{"itself": c.ID, "next door": away.ID, "a duplicate": already.ID, "nothing": "x", "unknown": fileOne} {
		_, err := o.MarkDuplicate(o.worker, feedback.MarkDuplicateInput{ID: c.ID, ExpectedVersion: c.Version, OriginalID: id})
		if fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", what, err)
		}
	}
	if o.everything() != before {
		t.Error("something changed")
	}
	marked, err := o.MarkDuplicate(o.worker, feedback.MarkDuplicateInput{ID: c.ID, ExpectedVersion: c.Version, OriginalID: original.ID})
	if err != nil {
		t.Fatal(err)
	}
	if *marked.DuplicateOf != original.Number {
		t.Errorf("points at %s", *marked.DuplicateOf)
	}
}

func TestPicturesAddUpToNine(t *testing.T) {
	o := open(t)
	mine := access.From(o.citizen).ID
	receipts := func(from, to int) (list []string) {
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprintf("image/png:%s:0199f000-0000-7000-8000-%012d", mine, i))
		}
		return list
	}
	c, err := o.Submit(o.citizen, feedback.SubmitFeedbackInput{AreaID: here, Class: feedback.Other, Title: "八张图片", Content: "一共有八张图片", Pictures: receipts(0, 8)})
	if err != nil {
		t.Fatal(err)
	}
	c = o.must(c, feedback.Take, feedback.RequestInfo)
	in := feedback.SupplyInfoInput{ID: c.ID, ExpectedVersion: c.Version, Content: "再补两张", Pictures: receipts(8, 10)}
	wantCode(t, second(o.SupplyInfo(o.citizen, in)), fault.InvalidInput)
	in.Pictures = receipts(8, 9)
	wantCode(t, second(o.SupplyInfo(o.citizen, in)), "")
}

// Each change sends its event, and tells exactly whom it concerns.
func TestWhoIsTold(t *testing.T) {
	o := open(t)
	mine, theirs := access.From(o.citizen).ID, access.From(o.worker).ID
	c := o.submitted(here)
	for _, step := range []struct {
		action feedback.FeedbackAction // "" for submitting
		to     map[string]any          // nil for nobody
	}{
		{"", map[string]any{"areaCode": here, "action": "feedback.handle"}},
		{feedback.Assign, map[string]any{"areaCode": here, "action": "feedback.handle"}},
		{feedback.Return, map[string]any{"areaCode": here, "action": "feedback.handle"}},
		{feedback.Take, map[string]any{"citizenId": mine}},
		{feedback.RequestInfo, map[string]any{"citizenId": mine}},
		{feedback.SupplyInfo, map[string]any{"workerId": theirs}},
		{feedback.Reply, map[string]any{"citizenId": mine}},
		{feedback.Rate, nil},
		{feedback.Reopen, map[string]any{"areaCode": here, "action": "feedback.handle"}},
		{feedback.Take, map[string]any{"citizenId": mine}},
		{feedback.Reply, map[string]any{"citizenId": mine}},
		{feedback.Close, nil},
	} {
		from := c.State
		if step.action != "" {
			c = o.must(c, step.action)
		}
		events := slices.DeleteFunc(o.events(), func(e sent) bool { return e.Subject == feedback.SubjectWorkflow }) // see TestTheWorkflowIsToldOfEachStep
		if events[0].Subject != "community.feedback.changed" || events[0].field("caseId") != c.ID || events[0].field("state") != string(c.State) {
			t.Errorf("%s: event %+v", step.action, events[0])
		}
		if step.action != "" && events[0].field("from") != string(from) {
			t.Errorf("%s: from %v, want %s", step.action, events[0].field("from"), from)
		}
		if step.to == nil {
			if len(events) != 1 {
				t.Errorf("%s told somebody: %v", step.action, events[1:])
			}
			continue
		}
		if len(events) != 2 || events[1].Subject != "community.notification.requested" {
			t.Errorf("%s: %v", step.action, events)
			continue
		}
		if diff := cmp.Diff(step.to, events[1].field("recipient")); diff != "" {
			t.Errorf("%s: %s", step.action, diff)
		}
		if events[1].field("link") != "feedback/"+c.ID || events[1].field("requestId") == "" {
			t.Errorf("%s: %+v", step.action, events[1])
		}
	}
}
