package sms_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

func TestSimulatorShowsTheCodeInTheLogAndTheInbox(t *testing.T) {
	_, client := embeddedtest.Redis(t)
	var log bytes.Buffer
	simulator := &sms.Simulator{Redis: client, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now}
	for i := range 250 {
		mobile := fmt.Sprintf("+8613800000%03d", i)
		if err := simulator.Send(t.Context(), sms.Message{Mobile: mobile, Scene: sms.SignIn, Code: fmt.Sprintf("%06d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(log.String(), "code=000249") {
		t.Error("the log does not show the code")
	}
	ask := func(url string) *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		simulator.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", url, nil))
		return recorder
	}
	var list []sms.Kept
	if err := json.Unmarshal(ask("/development/inbox?format=json").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 200 || list[0].Code != "000249" || list[199].Code != "000050" {
		t.Errorf("%d messages, the first %+v", len(list), list[0])
	}
	for _, url := range []string{"/development/inbox?format=json&mobile=+8613800000200", "/development/inbox?format=json&mobile=%2B8613800000200"} {
		if err := json.Unmarshal(ask(url).Body.Bytes(), &list); err != nil || len(list) != 1 || list[0].Code != "000200" {
			t.Errorf("%s: %v %v", url, list, err)
		}
	}
	page := ask("/development/inbox")
	if body := page.Body.String(); page.Code != 200 || !strings.Contains(body, "<b>000249</b>") || !strings.Contains(body, "请勿告诉他人") {
		t.Errorf("%d %.300s", page.Code, body)
	}
	recorder := httptest.NewRecorder()
	simulator.Handler().ServeHTTP(recorder, httptest.NewRequest("POST", "/development/inbox", nil))
	if recorder.Code != 405 {
		t.Errorf("POST: %d", recorder.Code)
	}
}
