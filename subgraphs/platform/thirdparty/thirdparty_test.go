package thirdparty

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

func simulated(t *testing.T) Providers {
	t.Helper()
	simulator, err := NewSimulator()
	if err != nil {
		t.Fatal(err)
	}
	providers, err := simulator.Providers(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return providers
}

func TestACodeNamesAPersonOnce(t *testing.T) {
	providers := simulated(t)
	for name, want := range map[Name]string{WeChat: "open:oli", Alipay: "open:ali"} {
		got, err := providers.Subject(t.Context(), name, "input.code", "li.1")
		if err != nil || got != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if again, _ := providers.Subject(t.Context(), name, "input.code", "li.2"); again != want {
			t.Errorf("%s: another code of the same person: %q", name, again)
		}
		for _, code := range []string{"li.1", "", "li", "li.1&appid=other", strings.Repeat("x", 200), "li.1\r\nHost: elsewhere"} {
			if _, err := providers.Subject(t.Context(), name, "input.code", code); fault.CodeOf(err) != fault.InvalidInput {
				t.Errorf("%s %.20q: %v", name, code, err)
			}
		}
	}
	if _, err := (Providers{}).Subject(t.Context(), WeChat, "input.code", "li.3"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a provider that is not open: %v", err)
	}
}

func TestOfTwoUsesAtOnceOneCounts(t *testing.T) {
	providers := simulated(t)
	var group sync.WaitGroup
	counted := make(chan string, 16)
	for range 16 {
		group.Go(func() {
			if subject, err := providers[WeChat].Subject(t.Context(), "li.1"); err == nil {
				counted <- subject
			}
		})
	}
	group.Wait()
	if len(counted) != 1 {
		t.Errorf("%d uses counted", len(counted))
	}
}

// played is WeChat as answers of a test.
func played(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) Providers {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	provider, err := NewWeChat(WeChatSettings{AppID: "wx1", Secret: "s&cret", URL: server.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return Providers{WeChat: provider}
}

func TestWeChatIsAskedAsItWants(t *testing.T) {
	providers := played(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/sns/jscode2session" || q.Get("appid") != "wx1" || q.Get("secret") != "s&cret" || q.Get("js_code") != "the code" || q.Get("grant_type") != "authorization_code" {
			t.Errorf("asked %s", r.URL)
		}
		fmt.Fprint(w, `{"session_key":"k","unionid":"u1","openid":"o1"}`)
	})
	if got, err := providers.Subject(t.Context(), WeChat, "f", "the code"); got != "union:u1" || err != nil {
		t.Error(got, err)
	}
}

func TestWhatWeChatMayAnswer(t *testing.T) {
	for body, want := range map[string]fault.Code{
		`{"errcode":40029,"errmsg":"invalid code"}`:   fault.InvalidInput,
		`{"errcode":40163,"errmsg":"code been used"}`: fault.InvalidInput,
		`{"errcode":-1,"errmsg":"system error"}`:      fault.Unavailable,
		`{"errcode":45011,"errmsg":"too often"}`:      fault.Unavailable,
		`{}`:                                          fault.Unavailable, `null`: fault.Unavailable, ``: fault.Unavailable, `<html>`: fault.Unavailable, `{"openid":1}`: fault.Unavailable,
		`{"openid":"` + strings.Repeat("o", 1<<17) + `"}`: fault.Unavailable, `{"openid":"` + strings.Repeat("o", 200) + `"}`: fault.Unavailable,
	} {
		providers := played(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		if _, err := providers.Subject(t.Context(), WeChat, "f", "c"); fault.CodeOf(err) != want {
			t.Errorf("%.60s: %v", body, err)
		}
	}
	elsewhere := played(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/?"+r.URL.RawQuery, http.StatusFound)
	})
	_, err := elsewhere.Subject(t.Context(), WeChat, "f", "c")
	if fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error(), "s&cret") || strings.Contains(err.Error(), "cret") {
		t.Errorf("a redirection: %v", err)
	}
	away, _ := NewWeChat(WeChatSettings{AppID: "a", Secret: "verysecret", URL: "http://127.0.0.1:1"})
	if _, err := away.Subject(t.Context(), "c"); err == nil || strings.Contains(err.Error(), "verysecret") {
		t.Errorf("away: %v", err)
	}
}

func TestAlipaysAnswerCountsOnlySigned(t *testing.T) {
	ours, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	others, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(key *rsa.PrivateKey, name, inner string) string {
		sum := sha256.Sum256([]byte(inner))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		sign, _ := json.Marshal(base64.StdEncoding.EncodeToString(signature))
		return `{"` + name + `":` + inner + `,"sign":` + string(sign) + `}`
	}
	const inner = `{"user_id":"2088", "access_token":"t"}`
	good := signed(ours, alipayAnswer, inner)
	for name, c := range map[string]struct {
		body string
		want fault.Code
	}{
		"good":            {good, ""},
		"another's key":   {signed(others, alipayAnswer, inner), fault.Unavailable},
		"changed":         {strings.Replace(good, "2088", "2089", 1), fault.Unavailable},
		"not signed":      {`{"` + alipayAnswer + `":` + inner + `}`, fault.Unavailable},
		"a used code":     {signed(ours, "error_response", `{"code":"40002","sub_code":"isv.code-invalid"}`), fault.InvalidInput},
		"another trouble": {signed(ours, "error_response", `{"code":"20000","sub_code":"isp.unknow-error"}`), fault.Unavailable},
		"nobody":          {signed(ours, alipayAnswer, `{}`), fault.Unavailable},
		"rubbish":         {`[]`, fault.Unavailable},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("method") != alipayMethod || r.PostForm.Get("timestamp") != "2026-03-01 08:00:00" {
				t.Errorf("asked %v", r.PostForm)
			}
			signature, _ := base64.StdEncoding.DecodeString(r.PostForm.Get("sign"))
			sum := sha256.Sum256([]byte(signedText(r.PostForm)))
			if rsa.VerifyPKCS1v15(&ours.PublicKey, crypto.SHA256, sum[:], signature) != nil {
				t.Error("what is asked is not signed")
			}
			fmt.Fprint(w, c.body)
		}))
		provider, err := NewAlipay(AlipaySettings{AppID: "2021", Key: ours, Public: &ours.PublicKey, URL: server.URL + "/gateway.do",
			Now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }})
		if err != nil {
			t.Fatal(err)
		}
		subject, err := (Providers{Alipay: provider}).Subject(t.Context(), Alipay, "f", "c")
		if got := fault.CodeOf(err); got != c.want || c.want == "" && subject != "user:2088" {
			t.Errorf("%s: %q %v", name, subject, err)
		}
		server.Close()
	}
}

func TestKeysAreRead(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	for _, text := range [][]byte{
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), []byte(base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key)) + "\n"),
	} {
		if got, err := ParsePrivateKey(text); err != nil || !got.Equal(key) {
			t.Error(err)
		}
	}
	if got, err := ParsePublicKey([]byte(base64.StdEncoding.EncodeToString(public))); err != nil || !got.Equal(&key.PublicKey) {
		t.Error(err)
	}
	for _, text := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", base64.StdEncoding.EncodeToString(public)} {
		if _, err := ParsePrivateKey([]byte(text)); err == nil {
			t.Errorf("%.20q is taken for a private key", text)
		}
	}
}
