package channel

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings are those of our account at a channel that signs by RSA.
type Settings struct {
	Merchant  string // the account that citizens pay to
	App       string // the application that invokes the channel's cashier
	Serial    string // of our certificate (WeChat, UnionPay)
	Key       *rsa.PrivateKey
	Public    *rsa.PublicKey // the channel's
	Secret    []byte         // WeChat's APIv3 key, of 32 bytes
	URL       string
	NotifyURL string
	Transport http.RoundTripper // nil is the usual one
	Now       func() time.Time
}

func (s Settings) check(name Name) error {
	parsed, err := url.Parse(s.URL)
	if s.Merchant == "" || s.App == "" || s.Key == nil || s.Public == nil || err != nil || parsed.Host == "" {
		return fmt.Errorf("channel: %s needs an account, an application, its private key, the channel's public key and an address", name)
	}
	return nil
}

func (s Settings) client() *http.Client {
	return &http.Client{Transport: s.Transport, Timeout: Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// maxAnswer bounds an answer; bills are larger.
const maxAnswer = 16 << 20

// exchange sends a request and reads the whole answer. Errors name no address.
func exchange(ctx context.Context, client *http.Client, method, address string, header http.Header, body []byte) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("channel: %w", err)
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err
		}
		return nil, nil, fmt.Errorf("channel: no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, fmt.Errorf("channel: reading the answer: %w", err)
	}
	if len(text) > maxAnswer {
		return nil, nil, errors.New("channel: the answer is too long")
	}
	return response, text, nil
}

// SignRSA signs by RSA with SHA-256 (PKCS #1 v1.5), in base64.
func SignRSA(key *rsa.PrivateKey, text []byte) (string, error) {
	sum := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("channel: signing: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// VerifyRSA checks what SignRSA signed.
func VerifyRSA(key *rsa.PublicKey, text []byte, signature string) error {
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256(text)
	if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) != nil {
		return ErrSignature
	}
	return nil
}

// Joined is what Alipay and UnionPay sign of a form: all parameters but those
// named, that have a value, in the order of their names.
func Joined(form url.Values, without ...string) string {
	var names []string
	for name := range form {
		if !slices.Contains(without, name) && form.Get(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + "=" + form.Get(name)
	}
	return strings.Join(names, "&")
}

// Yuan writes an amount in fen as Alipay has it: "12.34".
func Yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// Fen reads an amount in yuan exactly: no floating point.
func Fen(yuan string) (int64, error) {
	whole, part, _ := strings.Cut(yuan, ".")
	for len(part) < 2 {
		part += "0"
	}
	fen, err := strconv.ParseInt(whole+part, 10, 64)
	if err != nil || len(part) != 2 || fen < 0 || whole == "" {
		return 0, fmt.Errorf("channel: %.32q is no amount", yuan)
	}
	return fen, nil
}

// freshness is how old a signed notice may be: an older one is perhaps played back.
const freshness = 5 * time.Minute

func fresh(now time.Time, seconds string) bool {
	at, err := strconv.ParseInt(seconds, 10, 64)
	return err == nil && now.Sub(time.Unix(at, 0)).Abs() <= freshness
}

func nonce() string { return rand.Text() }
