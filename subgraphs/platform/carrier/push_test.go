package carrier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestAppleTokensAreSignedAndKept(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	authorization, err := AppleKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "KEY1", "TEAM1", func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	header, err := authorization(t.Context())
	if err != nil || !strings.HasPrefix(header, "bearer ") {
		t.Fatal(header, err)
	}
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(header[7:], claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil })
	if err != nil || parsed.Header["kid"] != "KEY1" || parsed.Header["alg"] != "ES256" || claims["iss"] != "TEAM1" || claims["iat"] != float64(at.Unix()) {
		t.Errorf("%v %v %v", parsed.Header, claims, err)
	}
	at = at.Add(30 * time.Minute)
	if again, _ := authorization(t.Context()); again != header {
		t.Error("signed anew after half an hour: APNs refuses that")
	}
	at = at.Add(20 * time.Minute)
	if again, _ := authorization(t.Context()); again == header {
		t.Error("still the same after 50 minutes")
	}
	for _, bad := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := AppleKey([]byte(bad), "K", "T", time.Now); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

func TestHuaweiTokensAreGotOnceAndUsed(t *testing.T) {
	asked, pushed := 0, ""
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.FormValue("client_id") != "app1" || r.FormValue("client_secret") != "s" || r.FormValue("grant_type") != "client_credentials" {
			t.Errorf("asked by %v", r.Form)
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","expires_in":3600}`, asked)
	})
	mux.HandleFunc("POST /v1/app1/messages:send", func(w http.ResponseWriter, r *http.Request) {
		pushed = r.Header.Get("Authorization")
		_, _ = fmt.Fprint(w, `{"code":"80000000","requestId":"r"}`)
	})
	service := httptest.NewServer(mux)
	defer service.Close()
	at := time.Now()
	p := NewPusher(map[string]Service{Huawei: {URL: service.URL, App: "app1", Authorization: HuaweiClient(service.URL+"/token", "app1", "s", func() time.Time { return at })}}, false)
	for range 2 {
		if ref, err := p.Push(t.Context(), Huawei, Notice{Key: "k", Token: "phone", Title: "停水"}); err != nil || ref != "r" || pushed != "Bearer t1" {
			t.Fatal(ref, err, pushed)
		}
	}
	at = at.Add(time.Hour)
	if _, err := p.Push(t.Context(), Huawei, Notice{Key: "k", Token: "phone"}); err != nil || pushed != "Bearer t2" || asked != 2 {
		t.Error(err, pushed, asked)
	}
	if _, err := p.Push(t.Context(), Xiaomi, Notice{Key: "k", Token: "phone"}); Refused(err) == nil || !Refused(err).Permanent {
		t.Errorf("a service that is not configured: %v", err)
	}
	service.Close()
	at = at.Add(2 * time.Hour)
	if _, err := p.Push(t.Context(), Huawei, Notice{Key: "k", Token: "phone"}); Refused(err) == nil || Refused(err).Permanent || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a token nothing was taken, and it can be tried again: %v", err)
	}
}
