package captcha

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image/png"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

func open(t *testing.T) (*Service, *redis.Client) {
	t.Helper()
	_, client := embeddedtest.Redis(t)
	keys, err := personal.NewKeys(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return New(client, Limits{Asked: limit.Rule{Times: 40, Within: time.Minute}, Wrong: limit.Rule{Times: 3, Within: time.Minute}}, keys), client
}

// solve reads a question as a person would.
func solve(t *testing.T, text string) string {
	t.Helper()
	sum, sign, word := 0, 1, ""
	for _, r := range strings.TrimSuffix(text, "等于多少？请填写数字") + "加" {
		if r != '加' && r != '减' {
			word += string(r)
			continue
		}
		n := -1
		for i, numeral := range numerals {
			if numeral == word {
				n = i
			}
		}
		if n < 0 {
			t.Fatalf("%q in %q is no number", word, text)
		}
		sum, word, sign = sum+sign*n, "", 1
		if r == '减' {
			sign = -1
		}
	}
	return strconv.Itoa(sum)
}

func TestAQuestionIsAnsweredOnce(t *testing.T) {
	s, client := open(t)
	ctx := t.Context()
	for range 20 {
		made, err := s.Make(ctx, SMSCode, Question)
		if err != nil || made.Text == nil || made.Image != nil {
			t.Fatal(made, err)
		}
		answer := &Answer{made.ID, " " + solve(t, *made.Text) + " "}
		if kept := client.Get(ctx, at(made.ID)).Val(); kept == "" || strings.Contains(kept, strings.TrimSpace(answer.Text)) && len(kept) < 64 {
			t.Errorf("Redis holds %q", kept)
		}
		if err := s.Check(ctx, SMSCode, "input.captcha", answer); err != nil {
			t.Errorf("%s %s: %v", *made.Text, answer.Text, err)
		}
		if got := fault.CodeOf(s.Check(ctx, SMSCode, "input.captcha", answer)); got != fault.InvalidInput {
			t.Errorf("an answer counts twice: %q", got)
		}
	}
}

func TestPicturesArePictures(t *testing.T) {
	s, _ := open(t)
	made, err := s.Make(t.Context(), Password, Picture)
	if err != nil || made.Image == nil || made.Text != nil {
		t.Fatal(made, err)
	}
	text, ok := strings.CutPrefix(*made.Image, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("%.40s %v", *made.Image, err)
	}
	drawn, err := png.Decode(bytes.NewReader(raw))
	if err != nil || drawn.Bounds().Dx() != 240 || drawn.Bounds().Dy() != 80 {
		t.Fatal(drawn.Bounds(), err)
	}
	image, answer, err := picture()
	if err != nil || len(answer) != length || strings.Trim(answer, "0123456789") != "" || image == *made.Image {
		t.Error(answer, err)
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	s, client := open(t)
	ctx := t.Context()
	if got := fault.CodeOf(s.Check(ctx, SMSCode, "f", nil)); got != fault.CaptchaRequired {
		t.Errorf("no answer: %q", got)
	}
	fresh := func() (Captcha, *Answer) {
		made, err := s.Make(ctx, SMSCode, Question)
		if err != nil {
			t.Fatal(err)
		}
		return made, &Answer{made.ID, solve(t, *made.Text)}
	}
	made, answer := fresh()
	if got := fault.CodeOf(s.Check(ctx, Password, "f", answer)); got != fault.InvalidInput {
		t.Errorf("another scene: %q", got)
	}
	if got := fault.CodeOf(s.Check(ctx, SMSCode, "f", answer)); got != fault.InvalidInput {
		t.Errorf("after a try in another scene: %q", got)
	}
	made, answer = fresh()
	if s.Check(ctx, SMSCode, "f", &Answer{made.ID, "x"}) == nil || s.Check(ctx, SMSCode, "f", answer) == nil {
		t.Error("a second try counts")
	}
	made, answer = fresh()
	client.PExpire(ctx, at(made.ID), 0)
	if s.Check(ctx, SMSCode, "f", answer) == nil {
		t.Error("an expired one counts")
	}
	for _, id := range []string{"", "x", "{}", made.ID + "\r\nDEL x", strings.Repeat("9", 1<<16)} {
		if got := fault.CodeOf(s.Check(ctx, SMSCode, "f", &Answer{id, "1"})); got != fault.InvalidInput {
			t.Errorf("%.20q: %q", id, got)
		}
	}
	_, answer = fresh()
	_, other := fresh()
	if s.Check(ctx, SMSCode, "f", &Answer{answer.ID, strings.Repeat(other.Text, 1<<15)}) == nil {
		t.Error("a huge answer counts")
	}
}

func TestOfTwoAnswersAtOnceOneCounts(t *testing.T) {
	s, _ := open(t)
	made, err := s.Make(t.Context(), SMSCode, Question)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	right := make(chan bool, 16)
	for range 16 {
		group.Go(func() {
			right <- s.Check(t.Context(), SMSCode, "f", &Answer{made.ID, solve(t, *made.Text)}) == nil
		})
	}
	group.Wait()
	close(right)
	n := 0
	for ok := range right {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d answers counted", n)
	}
}

func TestAnAddressIsLimited(t *testing.T) {
	s, _ := open(t)
	ctx := func(i int) context.Context {
		return access.WithRemote(t.Context(), access.Remote{Address: fmt.Sprintf("203.0.113.%d", i)})
	}
	for i := range 4 {
		made, err := s.Make(ctx(1), SMSCode, Question)
		if err != nil {
			t.Fatal(err)
		}
		want := fault.InvalidInput
		if i == 3 {
			want = fault.RateLimited
		}
		if got := fault.CodeOf(s.Check(ctx(1), SMSCode, "f", &Answer{made.ID, "wrong"})); got != want {
			t.Errorf("wrong answer %d: %q, want %q", i+1, got, want)
		}
	}
	made, _ := s.Make(ctx(2), SMSCode, Question)
	if err := s.Check(ctx(2), SMSCode, "f", &Answer{made.ID, solve(t, *made.Text)}); err != nil {
		t.Errorf("another address: %v", err)
	}
	for i := range 41 {
		_, err := s.Make(ctx(3), SMSCode, Question)
		if (fault.CodeOf(err) == fault.RateLimited) != (i == 40) {
			t.Errorf("captcha %d: %v", i+1, err)
		}
	}
}
