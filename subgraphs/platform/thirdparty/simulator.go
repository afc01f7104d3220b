package thirdparty

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/pattern"
)

// Simulator answers as WeChat and Alipay do, for development: a code is
// "<person>.<anything>", counts once, and names the person. It checks what the
// platforms check: the application's secret, and the request's signature.
type Simulator struct {
	key  *rsa.PrivateKey // stands for the application's key and for Alipay's
	mu   sync.Mutex
	used map[string]bool
}

// NewSimulator makes one.
func NewSimulator() (*Simulator, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("thirdparty: the simulator's key: %w", err)
	}
	return &Simulator{key: key, used: map[string]bool{}}, nil
}

const (
	simulatedID     = "simulated"
	simulatedSecret = "simulated-secret"
)

// Providers are WeChat and Alipay as the simulator plays them: the true
// providers, whose requests it answers without a network.
func (s *Simulator) Providers(now func() time.Time) (Providers, error) {
	weChat, err := NewWeChat(WeChatSettings{AppID: simulatedID, Secret: simulatedSecret, Transport: s, Simulated: true})
	if err != nil {
		return nil, err
	}
	alipay, err := NewAlipay(AlipaySettings{AppID: simulatedID, Key: s.key, Public: &s.key.PublicKey, Transport: s, Now: now, Simulated: true})
	if err != nil {
		return nil, err
	}
	return Providers{WeChat: weChat, Alipay: alipay}, nil
}

// RoundTrip implements http.RoundTripper: it answers GET /sns/jscode2session,
// POST /gateway.do, and what certifies (simulator_certify.go).
func (s *Simulator) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	status, body := http.StatusOK, []byte(nil)
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/sns/jscode2session":
		body = s.weChat(r.URL.Query())
	case r.Method == http.MethodPost && r.URL.Path == "/gateway.do" && r.ParseForm() == nil:
		body = s.alipay(r.PostForm)
	case r.Method == http.MethodPost && r.URL.Path == "/cgi-bin/stable_token":
		body = s.weChatToken(r)
	case r.Method == http.MethodPost && r.URL.Path == "/intp/realname/checkrealnameinfo":
		body = s.weChatCheck(r)
	default:
		status = http.StatusNotFound
	}
	return &http.Response{
		Status: fmt.Sprint(status, " ", http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

var codes = pattern.New(`^([0-9A-Za-z_-]{1,64})\.[0-9A-Za-z_-]{1,64}$`)

// take uses the code up. person is "" where it is none.
func (s *Simulator) take(provider Name, code string) (person string, used bool) {
	parts := codes.FindStringSubmatch(code)
	if parts == nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[string(provider)+code] {
		return parts[1], true
	}
	s.used[string(provider)+code] = true
	return parts[1], false
}

func (s *Simulator) weChat(query url.Values) []byte {
	refuse := func(code int, message string) []byte {
		return encoded(map[string]any{"errcode": code, "errmsg": message})
	}
	switch {
	case query.Get("appid") != simulatedID:
		return refuse(40013, "invalid appid")
	case query.Get("secret") != simulatedSecret:
		return refuse(40125, "invalid appsecret")
	case query.Get("grant_type") != "authorization_code":
		return refuse(40002, "invalid grant_type")
	}
	person, used := s.take(WeChat, query.Get("js_code"))
	switch {
	case person == "":
		return refuse(weChatInvalidCode, "invalid code")
	case used:
		return refuse(weChatUsedCode, "code been used")
	}
	return encoded(map[string]any{"openid": "o" + person, "session_key": base64.StdEncoding.EncodeToString(make([]byte, 16))})
}

func (s *Simulator) alipay(form url.Values) []byte {
	answer := func(name string, body any) []byte {
		inner := encoded(body)
		sum := sha256.Sum256(inner)
		signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
		if err != nil {
			return nil
		}
		return encoded(map[string]any{name: json.RawMessage(inner), "sign": base64.StdEncoding.EncodeToString(signature)})
	}
	refuse := func(code, message, subCode string) []byte {
		return answer("error_response", alipayRefusal{Code: code, Message: message, SubCode: subCode})
	}
	signature, err := base64.StdEncoding.DecodeString(form.Get("sign"))
	sum := sha256.Sum256([]byte(signedText(form)))
	switch {
	case err != nil || rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], signature) != nil:
		return refuse("40002", "Invalid Arguments", "isv.invalid-signature")
	case form.Get("app_id") != simulatedID:
		return refuse("40002", "Invalid Arguments", "isv.invalid-app-id")
	case form.Get("method") == alipayShareMethod:
		return answer(alipayShareAnswer, s.alipayShare(form.Get("auth_token")))
	case form.Get("method") != alipayMethod:
		return refuse("40001", "Missing Method", "isv.missing-method")
	}
	person, used := s.take(Alipay, form.Get("code"))
	if person == "" || used {
		return refuse("40002", "Invalid Arguments", "isv.code-invalid")
	}
	return answer(alipayAnswer, map[string]any{"open_id": "a" + person, "access_token": "publicpB" + person, "expires_in": 1296000,
		"refresh_token": "publicpR" + person, "re_expires_in": 2592000, "auth_start": "2026-01-01 00:00:00"})
}

func encoded(body any) []byte {
	text, _ := json.Marshal(body) // texts and numbers always marshal
	return text
}
