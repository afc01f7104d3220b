package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

var riddle = regexp.MustCompile(`^(.+)加(.+)(加|减)(.+)等于多少`)

// solve asks for a captcha without a picture, and answers it as a reader would.
func (w *world) solve(scene string) string {
	w.t.Helper()
	type made struct{ RequestCaptcha struct{ ID, Question string } }
	c := get[made](w, nil, `mutation { requestCaptcha(input: {scene: `+scene+`, kind: QUESTION}) { id question } }`, "").RequestCaptcha
	parts := riddle.FindStringSubmatch(c.Question)
	if parts == nil {
		w.t.Fatalf("the question reads %q", c.Question)
	}
	words := strings.Fields("零 一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十")
	number := func(word string) int {
		for i, known := range words {
			if known == word {
				return i
			}
		}
		w.t.Fatalf("%q is no number", word)
		return 0
	}
	sum, last := number(parts[1])+number(parts[2]), number(parts[4])
	if parts[3] == "减" {
		last = -last
	}
	return fmt.Sprintf(`{"id": %q, "answer": %q}`, c.ID, strconv.Itoa(sum+last))
}

func TestCaptchaBeforeTheSixthCodeOfANumberAndTheSixtyFirstOfAnAddress(t *testing.T) {
	w := newWorld(t, func(d *platform.Deps) {
		limits := sms.Usual
		limits.Gap = limit.Rule{Times: 1000, Within: limits.Gap.Within} // else this took minutes
		d.Limits = &limits
	})
	ask := func(mobile, address, captcha string) string {
		ctx := access.WithRemote(t.Context(), access.Remote{Address: address})
		return w.askIn(ctx, nil, `mutation($i: RequestSmsCodeInput!) { requestSmsCode(input: $i) { retryAfterSeconds } }`,
			fmt.Sprintf(`{"i": {"mobile": %q, "scene": "SIGN_IN", "captcha": %s}}`, mobile, captcha)).code()
	}
	const mobile = "13700000001"
	for i := range 5 {
		if got := ask(mobile, fmt.Sprintf("198.51.100.%d", i), "null"); got != "" {
			t.Fatalf("code %d of the number: %q", i+1, got)
		}
	}
	if got := ask(mobile, "198.51.100.9", "null"); got != "CAPTCHA_REQUIRED" {
		t.Errorf("the sixth of the number: %q", got)
	}
	if got := ask("13700000002", "198.51.100.9", "null"); got != "" {
		t.Errorf("another number: %q", got)
	}
	solved := w.solve("SMS_CODE")
	if got := ask(mobile, "198.51.100.9", solved); got != "" {
		t.Errorf("the sixth, with a captcha: %q", got)
	}
	if got := ask(mobile, "198.51.100.9", solved); got != "INVALID_INPUT" {
		t.Errorf("the same captcha again: %q", got)
	}
	if got := ask(mobile, "198.51.100.9", w.solve("PASSWORD")); got != "INVALID_INPUT" {
		t.Errorf("a captcha of another scene: %q", got)
	}
	for i := range 60 {
		if got := ask(fmt.Sprintf("136000000%02d", i), "203.0.113.7", "null"); got != "" {
			t.Fatalf("code %d of the address: %q", i+1, got)
		}
	}
	if got := ask("13600000099", "203.0.113.7", "null"); got != "CAPTCHA_REQUIRED" {
		t.Errorf("the sixty-first of the address: %q", got)
	}
	if got := ask("13600000099", "203.0.113.7", w.solve("SMS_CODE")); got != "" {
		t.Errorf("the sixty-first, with a captcha: %q", got)
	}
}

// Without another gateway codes go through the lane of codes, and in
// development mode the inbox shows them.
func TestCodesGoThroughTheirLane(t *testing.T) {
	w := newWorld(t, func(d *platform.Deps) { d.SMS = nil })
	if got := w.ask(nil, `mutation { requestSmsCode(input: {mobile: "13700000001", scene: SIGN_IN}) { retryAfterSeconds } }`, "").code(); got != "" {
		t.Fatal(got)
	}
	recorder := httptest.NewRecorder()
	w.InboxHandler().ServeHTTP(recorder, httptest.NewRequest("GET", "/development/inbox?format=json&mobile=%2B8613700000001", nil))
	var inbox []sms.Kept
	w.must(json.Unmarshal(recorder.Body.Bytes(), &inbox))
	if len(inbox) != 1 || len(inbox[0].Code) != 6 {
		t.Fatalf("the inbox shows %+v", inbox)
	}
	if got := w.ask(nil, signInByCode, fmt.Sprintf(`{"m": "13700000001", "c": %q}`, inbox[0].Code)).code(); got != "" {
		t.Errorf("the code that was shown: %q", got)
	}
	closed := newWorld(t, func(d *platform.Deps) { d.SMS, d.Development = nil, false })
	if got := closed.ask(nil, `mutation { requestSmsCode(input: {mobile: "13700000001", scene: SIGN_IN}) { retryAfterSeconds } }`, "").code(); got != "TEMPORARILY_UNAVAILABLE" {
		t.Errorf("in production with nothing configured: %q", got)
	}
}
