package carrier

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

const secret = "a secret of the operator"

func TestGatewaySignsAndReadsTheAnswer(t *testing.T) {
	status, answer := http.StatusOK, `{"ref":"r-1"}`
	var got map[string]string
	operator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if sign([]byte(secret), r.Header.Get("X-Timestamp"), body) != r.Header.Get("X-Signature") {
			t.Error("the signature is not the body's")
		}
		got = nil
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer operator.Close()
	g, err := NewGateway("east", operator.URL, secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	text := Text{Key: "k1", Mobile: "+8613800000001", Text: "停水"}
	if ref, err := g.Submit(t.Context(), text); err != nil || ref != "r-1" || got["key"] != "k1" || got["mobile"] != text.Mobile || got["text"] != "停水" {
		t.Errorf("%q %v, sent %v", ref, err, got)
	}
	for _, c := range []struct {
		status             int
		answer             string
		refused, permanent bool
		reason             string
	}{
		{422, `{"reason":"BAD_NUMBER"}`, true, true, "BAD_NUMBER"},
		{429, ``, true, false, "HTTP_429"},
		{400, `{"reason":"<script>alert(1)</script>"}`, true, false, "HTTP_400"},
		{500, `{"reason":"DOWN"}`, false, false, ""},
		{302, ``, false, false, ""},
	} {
		status, answer = c.status, c.answer
		_, err := g.Submit(t.Context(), text)
		refusal := Refused(err)
		if err == nil || (refusal != nil) != c.refused || refusal != nil && (refusal.Permanent != c.permanent || refusal.Reason != c.reason) {
			t.Errorf("%d %s: %v", c.status, c.answer, err)
		}
	}
	operator.Close()
	if _, err := g.Submit(t.Context(), text); err == nil || Refused(err) != nil || strings.Contains(err.Error(), "+86138") {
		t.Errorf("nobody there: %v", err)
	}
	for _, c := range [][2]string{{"ftp://a", secret}, {"https://", secret}, {"https://a", "short"}} {
		if _, err := NewGateway("x", c[0], c[1], time.Now); err == nil {
			t.Errorf("%v is accepted", c)
		}
	}
}

func TestReceiptsAreBelievedOnlyWithTheSignature(t *testing.T) {
	now := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	g, err := NewGateway("east", "https://east.example", secret, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	var told []Receipt
	var failing error
	mux := http.NewServeMux()
	mux.Handle("POST /messages/receipts/{provider}", Receipts([]*Gateway{g}, func(_ context.Context, receipts []Receipt) error {
		told = append(told, receipts...)
		return failing
	}, func() time.Time { return now }))
	body := `{"receipts":[{"key":"k1","delivered":true,"reason":"x"},{"key":"k2","reason":"a reason in words"}]}`
	post := func(provider, body, key string, at time.Time) int {
		t.Helper()
		timestamp := strconv.FormatInt(at.Unix(), 10)
		r := httptest.NewRequest(http.MethodPost, "/messages/receipts/"+provider, strings.NewReader(body))
		r.Header.Set("X-Timestamp", timestamp)
		r.Header.Set("X-Signature", sign([]byte(key), timestamp, []byte(body)))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	if code := post("east", body, secret, now); code != http.StatusNoContent || len(told) != 2 ||
		told[0] != (Receipt{Provider: "east", Key: "k1", Delivered: true}) || told[1] != (Receipt{Provider: "east", Key: "k2", Reason: "HTTP_200"}) {
		t.Fatalf("%d %+v", code, told)
	}
	told = nil
	for name, c := range map[string]struct {
		provider, body, key string
		at                  time.Time
		want                int
	}{
		"another's secret":  {"east", body, "another secret of somebody", now, http.StatusUnauthorized},
		"an old one":        {"east", body, secret, now.Add(-6 * time.Minute), http.StatusUnauthorized},
		"one of the future": {"east", body, secret, now.Add(6 * time.Minute), http.StatusUnauthorized},
		"nobody's":          {"west", body, secret, now, http.StatusNotFound},
		"no JSON":           {"east", "receipts", secret, now, http.StatusBadRequest},
		"too many":          {"east", `{"receipts":[` + strings.Repeat(`{},`, mostReceipts) + `{}]}`, secret, now, http.StatusBadRequest},
		"too large":         {"east", strings.Repeat(" ", receiptBytes+1), secret, now, http.StatusRequestEntityTooLarge},
	} {
		if code := post(c.provider, c.body, c.key, c.at); code != c.want || told != nil {
			t.Errorf("%s: %d, told %v", name, code, told)
		}
	}
	failing = fmt.Errorf("the database is away")
	if code := post("east", body, secret, now); code != http.StatusServiceUnavailable {
		t.Errorf("not kept, but the provider is told %d", code)
	}
}
