package bearer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/citizencloud/citizencloud/graph/guard"
)

// issuer signs tokens, and shows its keys.
type issuer struct {
	t       *testing.T
	private map[string]crypto.Signer // by key ID
	shown   []jwkset.JWKMarshal
}

func (i *issuer) add(id string, key crypto.Signer) {
	jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id}})
	if err != nil {
		i.t.Fatal(err)
	}
	i.private[id], i.shown = key, append(i.shown, jwk.Marshal())
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, private: map[string]crypto.Signer{}}
	one, err1 := rsa.GenerateKey(rand.Reader, 2048)
	two, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, three, err3 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	i.add("rsa", one)
	i.add("ec", two)
	i.add("ed", three)
	return i
}

func (i *issuer) keys() []byte {
	text, err := json.Marshal(map[string]any{"keys": i.shown})
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func (i *issuer) file() string {
	path := filepath.Join(i.t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, i.keys(), 0o600); err != nil {
		i.t.Fatal(err)
	}
	return path
}

func (i *issuer) sign(method jwt.SigningMethod, id string, header, changed map[string]any) string {
	c := jwt.MapClaims{"iss": "https://issuer.example.cn", "aud": "gateway", "sub": "u1", "exp": now.Add(time.Hour).Unix(), "scope": "read:books write:books"}
	for name, value := range changed {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = id
	for name, value := range header {
		if token.Header[name] = value; value == nil {
			delete(token.Header, name)
		}
	}
	var key any = i.private[id]
	switch method.(type) {
	case *jwt.SigningMethodHMAC:
		der, _ := json.Marshal(i.shown[0])
		key = der
	}
	if method == jwt.SigningMethodNone {
		key = jwt.UnsafeAllowNoneSignatureType
	}
	text, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func authenticator(t *testing.T, keys string) *Authenticator {
	t.Helper()
	a, err := New(t.Context(), Options{Keys: keys, Issuer: "https://issuer.example.cn", Audience: "gateway", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTokens(t *testing.T) {
	i := newIssuer(t)
	a := authenticator(t, i.file())
	good := i.sign(jwt.SigningMethodRS256, "rsa", nil, nil)
	other := newIssuer(t)
	for _, test := range []struct {
		name, header string
		counts       bool
	}{
		{"RSA", "Bearer " + good, true},
		{"PSS", "bearer " + i.sign(jwt.SigningMethodPS384, "rsa", nil, nil), true},
		{"elliptic curve", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, nil), true},
		{"Ed25519", "Bearer " + i.sign(jwt.SigningMethodEdDSA, "ed", nil, nil), true},
		{"without a key ID", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", map[string]any{"kid": nil}, nil), true},
		{"a clock that is off a little", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"exp": now.Add(-5 * time.Second).Unix()}), true},
		{"several audiences", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"aud": []string{"other", "gateway"}}), true},
		{"expired", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"exp": now.Add(-time.Minute).Unix()}), false},
		{"never expires", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"exp": nil}), false},
		{"not yet", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"nbf": now.Add(time.Minute).Unix()}), false},
		{"another audience", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"aud": "bank"}), false},
		{"no audience", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"aud": nil}), false},
		{"another issuer", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", nil, map[string]any{"iss": "https://evil.example"}), false},
		{"another's key under our key's name", "Bearer " + other.sign(jwt.SigningMethodES256, "ec", nil, nil), false},
		{"no signature", "Bearer " + i.sign(jwt.SigningMethodNone, "rsa", nil, nil), false},
		{"the public key as a secret", "Bearer " + i.sign(jwt.SigningMethodHS256, "rsa", nil, nil), false},
		{"a key of another kind", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", map[string]any{"kid": "rsa"}, nil), false},
		{"a key ID that is no string", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", map[string]any{"kid": 7}, nil), false},
		{"critical, and unknown", "Bearer " + i.sign(jwt.SigningMethodES256, "ec", map[string]any{"crit": []string{"x"}, "x": 1}, nil), false},
		{"changed", "Bearer " + good[:len(good)-6] + "AAAAAA", false},
		{"too long", "Bearer " + strings.Repeat("a", maxToken+1), false},
		{"no token", "Bearer ", false},
		{"another scheme", "Basic " + base64.StdEncoding.EncodeToString([]byte("a:b")), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 { // the second time it was seen before
				_, identity, err := a.Authenticate(t.Context(), test.header)
				var refusal *guard.Refusal
				switch {
				case !test.counts && (!errors.As(err, &refusal) || refusal.Code != guard.CodeUnauthenticated):
					t.Errorf("it counts: %v", err)
				case test.counts && (err != nil || !identity.Claims.Authenticated() || !identity.Claims.HasScope("read:books") || identity.Claims.HasScope("read") || identity.View != viewPrefix+test.header):
					t.Errorf("%+v, %v", identity, err)
				}
			}
		})
	}
	_, identity, err := a.Authenticate(t.Context(), "")
	if err != nil || identity.Claims.Authenticated() || identity.Claims.HasScope("read:books") || identity.Claims.HasPolicy("x") {
		t.Errorf("nobody: %+v, %v", identity, err)
	}
}

func TestScopes(t *testing.T) {
	i := newIssuer(t)
	a := authenticator(t, i.file())
	for _, test := range []struct {
		claims map[string]any
		want   string // of a b c d
	}{
		{map[string]any{"scope": "a  b"}, "ab"},
		{map[string]any{"scope": []any{"a", "b c", 3, nil, ""}}, "a"},
		{map[string]any{"scope": nil, "scp": []any{"c"}}, "c"},
		{map[string]any{"scope": "a", "scp": "c d"}, "acd"},
		{map[string]any{"scope": map[string]any{"a": true}}, ""},
		{map[string]any{"scope": 7}, ""},
		{map[string]any{"scope": true}, ""},
	} {
		_, identity, err := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodEdDSA, "ed", nil, test.claims))
		if err != nil {
			t.Errorf("%v: %v", test.claims, err)
			continue
		}
		got := ""
		for _, name := range []string{"a", "b", "c", "d"} {
			if identity.Claims.HasScope(name) {
				got += name
			}
		}
		if got != test.want || identity.Claims.HasPolicy("a") {
			t.Errorf("%v: scopes %q, want %q", test.claims, got, test.want)
		}
	}
	_, identity, _ := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodEdDSA, "ed", nil, map[string]any{"policies": []string{"owner"}}))
	if !identity.Claims.HasPolicy("owner") || identity.Claims.HasScope("owner") {
		t.Error("policies are not scopes")
	}
}

func TestKeysOfAnAddress(t *testing.T) {
	i := newIssuer(t)
	var asked atomic.Int32
	var away atomic.Bool
	var shown atomic.Pointer[[]byte]
	text := i.keys()
	shown.Store(&text)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(*shown.Load())
	}))
	defer server.Close()
	a := authenticator(t, server.URL)
	if _, _, err := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodES256, "ec", nil, nil)); err != nil {
		t.Fatal(err)
	}
	// A new key is found when a token names it; inventing names makes no calls.
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.add("new", key)
	text = i.keys()
	shown.Store(&text)
	if _, _, err := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodEdDSA, "new", nil, nil)); err != nil {
		t.Errorf("a token of the new key: %v", err)
	}
	before := asked.Load()
	for n := range 200 {
		if _, _, err := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodEdDSA, "ed", map[string]any{"kid": fmt.Sprint("invented", n)}, nil)); err == nil {
			t.Fatal("a token of an invented key counts")
		}
	}
	if calls := asked.Load() - before; calls > 1 {
		t.Errorf("invented keys made %d calls", calls)
	}
	// The keys that are known serve while the address does not answer.
	away.Store(true)
	if _, _, err := a.Authenticate(t.Context(), "Bearer "+i.sign(jwt.SigningMethodRS512, "rsa", nil, nil)); err != nil {
		t.Error(err)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(folder, "keys.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, keys := range []string{filepath.Join(folder, "none.json"), write("not json")} {
		if _, err := New(t.Context(), Options{Keys: keys}); err == nil {
			t.Errorf("%s was accepted", keys)
		}
	}
	// A shared secret among the keys is no way in.
	a := authenticator(t, write(`{"keys":[{"kty":"oct","kid":"secret","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}`))
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "https://issuer.example.cn", "aud": "gateway", "exp": now.Add(time.Hour).Unix()})
	token.Header["kid"] = "secret"
	text, err := token.SignedString([]byte("secret-secret-secret-secret-secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Authenticate(t.Context(), "Bearer "+text); err == nil {
		t.Error("a token signed with a shared secret counts")
	}
}
