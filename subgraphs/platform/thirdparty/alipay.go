package thirdparty

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AlipayURL is the gateway of Alipay's open platform.
const AlipayURL = "https://openapi.alipay.com/gateway.do"

// AlipaySettings are those of an application.
type AlipaySettings struct {
	AppID     string
	Key       *rsa.PrivateKey   // the application's, signs what is asked (RSA2)
	Public    *rsa.PublicKey    // Alipay's, checks what is answered
	URL       string            // "" is AlipayURL
	Transport http.RoundTripper // nil is the usual one
	Now       func() time.Time
	Simulated bool // whether a simulator answers
}

// alipay asks alipay.system.oauth.token, and for certified identities what
// stands in alipay_certify.go.
type alipay struct {
	settings AlipaySettings
	client   *http.Client
}

// NewAlipay makes the provider of Alipay sign-ins.
func NewAlipay(s AlipaySettings) (Provider, error) {
	if s.URL == "" {
		s.URL = AlipayURL
	}
	if s.AppID == "" || s.Key == nil || s.Public == nil {
		return nil, errors.New("thirdparty: Alipay needs an application's ID, its private key and Alipay's public key")
	}
	if err := checkBase(s.URL); err != nil {
		return nil, fmt.Errorf("thirdparty: Alipay: %w", err)
	}
	return &alipay{s, newClient(s.Transport)}, nil
}

const (
	alipayMethod = "alipay.system.oauth.token"
	alipayAnswer = "alipay_system_oauth_token_response"
)

// beijing is the zone of Alipay's timestamps.
var beijing = time.FixedZone("CST", 8*60*60)

// Subject implements Provider: the open_id, or for older applications the user_id.
func (a *alipay) Subject(ctx context.Context, code string) (string, error) {
	token, err := a.exchange(ctx, code)
	switch {
	case err != nil:
		return "", err
	case token.OpenID != "":
		return "open:" + token.OpenID, nil
	case token.UserID != "":
		return "user:" + token.UserID, nil
	}
	return "", errors.New("thirdparty: Alipay names nobody")
}

// exchange exchanges the code for a token.
func (a *alipay) exchange(ctx context.Context, code string) (token alipayToken, err error) {
	return token, a.call(ctx, alipayMethod, alipayAnswer, url.Values{"grant_type": {"authorization_code"}, "code": {code}}, &token)
}

// call asks the method; the answer's bytes are Alipay's own, as signed.
func (a *alipay) call(ctx context.Context, method, name string, form url.Values, into any) error {
	for key, value := range map[string]string{
		"app_id": a.settings.AppID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
		"timestamp": a.settings.Now().In(beijing).Format(time.DateTime), "version": "1.0",
	} {
		form.Set(key, value)
	}
	sum := sha256.Sum256([]byte(signedText(form)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.settings.Key, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("thirdparty: Alipay: signing: %w", err)
	}
	form.Set("sign", base64.StdEncoding.EncodeToString(signature))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.settings.URL+"?charset=utf-8", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("thirdparty: Alipay: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	body, err := ask(a.client, request)
	if err != nil {
		return fmt.Errorf("thirdparty: Alipay: %w", err)
	}
	return a.read(body, name, into)
}

// alipayToken is what an answer to the exchange holds.
type alipayToken struct {
	OpenID      string `json:"open_id,omitempty"`
	UserID      string `json:"user_id,omitempty"`
	AccessToken string `json:"access_token,omitempty"`
	alipayRefusal
}

// alipayRefusal is what each answer may hold.
type alipayRefusal struct {
	Code       string `json:"code"`
	Message    string `json:"msg"`
	SubCode    string `json:"sub_code"`
	SubMessage string `json:"sub_msg"`
}

func (a *alipay) read(body []byte, name string, into any) error {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return fmt.Errorf("thirdparty: Alipay: reading the answer: %w", err)
	}
	inner, good := whole[name]
	if !good {
		inner = whole["error_response"]
	}
	var refusal alipayRefusal
	if err := json.Unmarshal(inner, &refusal); err != nil {
		return errors.New("thirdparty: Alipay: the answer holds nothing")
	}
	if !good || refusal.Code != "" && refusal.Code != "10000" {
		if refusal.SubCode == "isv.code-invalid" || refusal.SubCode == "isv.code-is-used" {
			return fmt.Errorf("%w: Alipay %.64q", ErrCode, refusal.SubCode)
		}
		return fmt.Errorf("thirdparty: Alipay answers %.16q %.64q", refusal.Code, refusal.SubCode)
	}
	// What names a person counts only with Alipay's signature of these very bytes.
	var text string
	if err := json.Unmarshal(whole["sign"], &text); err != nil {
		return errors.New("thirdparty: Alipay: the answer is not signed")
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	sum := sha256.Sum256(inner)
	if err != nil || rsa.VerifyPKCS1v15(a.settings.Public, crypto.SHA256, sum[:], signature) != nil {
		return errors.New("thirdparty: Alipay: the answer's signature does not fit")
	}
	if err := json.Unmarshal(inner, into); err != nil {
		return errors.New("thirdparty: Alipay: the answer cannot be read")
	}
	return nil
}

// signedText is what RSA2 signs of a request: all parameters but the signature,
// in the order of their names, joined as they are.
func signedText(form url.Values) string {
	var names []string
	for name := range form {
		if name != "sign" && form.Get(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + form.Get(name)
	}
	return strings.Join(names, "&")
}

// ParsePrivateKey reads an RSA private key: PEM or base64 of PKCS #8 or PKCS #1,
// as Alipay's tools write it.
func ParsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	der := decoded(text)
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if key, ok := parsed.(*rsa.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, errors.New("thirdparty: no RSA private key")
}

// ParsePublicKey reads an RSA public key: PEM or base64 of PKIX.
func ParsePublicKey(text []byte) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(decoded(text))
	if key, ok := parsed.(*rsa.PublicKey); ok && err == nil {
		return key, nil
	}
	return nil, errors.New("thirdparty: no RSA public key")
}

func decoded(text []byte) []byte {
	if block, _ := pem.Decode(text); block != nil {
		return block.Bytes
	}
	der, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	return der
}
