// Package thirdparty asks other platforms who somebody is: the mini-program or
// application shows a code that WeChat or Alipay gave it, and the provider says
// whose it is. A Provider speaks the platform's own interface over HTTP; in
// development the Simulator answers in its place, in the same shapes.
//
// Start reading at Provider; wechat.go and alipay.go are the two there are.
package thirdparty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Name names a provider.
type Name string

// The providers.
const (
	WeChat Name = "WECHAT"
	Alipay Name = "ALIPAY"
)

// Label is the name that people know it by.
func (n Name) Label() string {
	if n == Alipay {
		return "支付宝"
	}
	return "微信"
}

// Provider says who somebody is there.
type Provider interface {
	// Subject exchanges the code for the provider's lasting name of the person.
	// A code that does not count is ErrCode.
	Subject(ctx context.Context, code string) (string, error)
}

// ErrCode says that the code was used before, has expired, or never was one.
var ErrCode = errors.New("thirdparty: the code does not count")

// Providers are those that are open in this installation.
type Providers map[Name]Provider

// maxCode bounds a code, in bytes; the platforms' have 32.
const maxCode = 128

// Subject is the provider's Subject with its failures as they are told to
// people; field is the input that holds the code.
func (p Providers) Subject(ctx context.Context, name Name, field, code string) (string, error) {
	provider := p[name]
	if provider == nil {
		return "", fault.New(fault.Unavailable, "%s登录尚未开通，请使用其他登录方式", name.Label())
	}
	if code == "" || len(code) > maxCode {
		return "", fault.Invalid(field, "%s授权已失效，请重新授权", name.Label())
	}
	subject, err := provider.Subject(ctx, code)
	switch {
	case errors.Is(err, ErrCode):
		return "", fault.Invalid(field, "%s授权已失效，请重新授权", name.Label()).Because(err)
	case err != nil:
		return "", fault.New(fault.Unavailable, "%s暂时无法连接，请稍后重试", name.Label()).Because(err)
	case subject == "" || len(subject) > maxSubject:
		return "", fault.New(fault.Unavailable, "%s暂时无法连接，请稍后重试", name.Label()).Because(errors.New("thirdparty: no subject in the answer"))
	}
	return subject, nil
}

const (
	maxSubject = 128
	// timeout bounds one exchange: somebody waits for it.
	timeout   = 5 * time.Second
	maxAnswer = 1 << 16
)

// newClient is for the platforms' interfaces, which never send anyone elsewhere.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask sends the request and gives the answer's body. Errors name no address:
// it may hold a secret.
func ask(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err
		}
		return nil, fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, errors.New("the answer is too long")
	}
	return body, nil
}

func checkBase(base string) error {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.RawQuery != "" {
		return errors.New("the address must be an http(s) URL without a query")
	}
	return nil
}
