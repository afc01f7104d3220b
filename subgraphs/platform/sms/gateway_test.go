package sms_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

const secret = "a secret of the gateway"

func TestGatewaySignsWhatItHandsOver(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	var got map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("1800000000." + string(body)))
		if r.Header.Get("X-Timestamp") != "1800000000" || r.Header.Get("X-Signature") != hex.EncodeToString(mac.Sum(nil)) {
			http.Error(w, "forged", http.StatusForbidden)
			return
		}
		_ = json.Unmarshal(body, &got)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	gateway, err := sms.NewGateway(server.URL, secret, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Send(t.Context(), sms.Message{Mobile: "+8613800000001", Scene: sms.StepUp, Code: "123456"}); err != nil {
		t.Fatal(err)
	}
	if got["mobile"] != "+8613800000001" || got["scene"] != "STEP_UP" || !strings.Contains(got["text"], "123456") {
		t.Errorf("%v", got)
	}
	other, err := sms.NewGateway(server.URL, secret+"!", func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Send(t.Context(), sms.Message{}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a refusal: %v", err)
	}
	server.Close()
	if err := gateway.Send(t.Context(), sms.Message{}); err == nil {
		t.Error("a gateway that is away accepts")
	}
}

func TestGatewaysThatAreNone(t *testing.T) {
	for _, address := range []string{"", "gateway", "ftp://gateway/", "https://", "http://a b/"} {
		if _, err := sms.NewGateway(address, secret, time.Now); err == nil {
			t.Errorf("%q is taken for a gateway", address)
		}
	}
	if _, err := sms.NewGateway("https://gateway.example/send", "short", time.Now); err == nil {
		t.Error("a short secret is taken")
	}
}

func TestNobodySendsNothing(t *testing.T) {
	if got := fault.CodeOf(sms.Nobody{}.Send(context.Background(), sms.Message{Code: "123456"})); got != fault.Unavailable {
		t.Errorf("%q", got)
	}
}
