package carrier

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// silent is a provider that never answers.
type silent struct{ asked int }

func (*silent) Name() string { return "silent" }

func (s *silent) Submit(ctx context.Context, _ Text) (string, error) {
	s.asked++
	<-ctx.Done()
	return "", ctx.Err()
}

func TestACodeGoesToAnotherProviderWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away, works := &silent{}, NewSimulator("works", time.Second, nil)
		router, err := NewRouter(4, 1, Share{away, 3}, Share{works, 1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // as long as package sms waits
		defer cancel()
		start := time.Now()
		if err := (Codes{Router: router}).Send(ctx, sms.Message{Mobile: "+8613800000001", Code: "123456"}); err != nil {
			t.Fatal(err)
		}
		if away.asked != 1 || works.Taken() != 1 || time.Since(start) != codeTimeout {
			t.Errorf("asked %d, taken %d, after %v", away.asked, works.Taken(), time.Since(start))
		}
	})
}

func TestACodeThatNobodyTakes(t *testing.T) {
	router, err := NewRouter(4, 1, Share{Nobody{}, 1})
	if err != nil {
		t.Fatal(err)
	}
	err = Codes{Router: router}.Send(t.Context(), sms.Message{Mobile: "+8613800000001", Code: "123456"})
	if refused := Refused(err); refused == nil || !refused.Permanent || refused.Reason != "NO_PROVIDER" {
		t.Error(err)
	}
}

func TestTheInboxShowsCodesThatWereTaken(t *testing.T) {
	_, client := embeddedtest.Redis(t)
	inbox := &sms.Simulator{Redis: client, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	first := NewSimulator("first", time.Second, nil)
	shown := Shown{Provider: first, Inbox: inbox}
	router, err := NewRouter(4, 1, Share{shown, 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := (Codes{Router: router}).Send(t.Context(), sms.Message{Mobile: "+8613800000001", Scene: sms.SignIn, Code: "123456"}); err != nil {
		t.Fatal(err)
	}
	if _, err := router.Submit(t.Context(), "first", Text{Key: "k", Mobile: "+8613800000001", Text: "停水"}); err != nil {
		t.Fatal(err)
	}
	first.Fault = func(Text, bool) error { return errors.New("away") }
	if err := (Codes{Router: router}).Send(t.Context(), sms.Message{Mobile: "+8613800000001", Scene: sms.SignIn, Code: "654321"}); err == nil {
		t.Error("a provider that is away took a code")
	}
	kept, err := inbox.Inbox(t.Context(), "")
	if err != nil || len(kept) != 1 || kept[0].Code != "123456" || kept[0].Scene != sms.SignIn {
		t.Errorf("%+v %v", kept, err)
	}
}
