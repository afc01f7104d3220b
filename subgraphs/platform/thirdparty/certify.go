package thirdparty

import (
	"context"
	"errors"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Person is who somebody says to be: a resident's name and number (GB 11643).
type Person struct{ Name, Number string }

// Codes are what the platform gave the client.
type Codes struct {
	SignIn string // that of signing in
	// Consent is what WeChat's page gives on which its user agrees to the
	// comparison; Alipay asks when it gives the other one.
	Consent string
}

// Certificate is what the platform says of its user.
type Certificate struct {
	// Certified says that the platform knows its user under this name and number.
	Certified bool
	Reference string // the platform's, for questions later
	Simulated bool
}

// Certifier says whether a platform's user is who they say to be. Both
// platforms' providers are certifiers where the application has the interface.
type Certifier interface {
	// Certify exchanges the codes, and compares the person with what the platform
	// knows of whose they are. One that does not count is ErrCode.
	Certify(ctx context.Context, codes Codes, who Person) (Certificate, error)
}

// Certify is the provider's Certify with its failures as they are told to
// people; field is the input that holds the code.
func (p Providers) Certify(ctx context.Context, name Name, field string, codes Codes, who Person) (Certificate, error) {
	certifier, ok := p[name].(Certifier)
	if !ok {
		return Certificate{}, fault.New(fault.Unavailable, "%s实名核验尚未开通，请使用其他方式", name.Label())
	}
	if codes.SignIn == "" || len(codes.SignIn) > maxCode || len(codes.Consent) > maxCode {
		return Certificate{}, fault.Invalid(field, "%s授权已失效，请重新授权", name.Label())
	}
	found, err := certifier.Certify(ctx, codes, who)
	switch {
	case errors.Is(err, ErrCode):
		return Certificate{}, fault.Invalid(field, "%s授权已失效，请重新授权", name.Label()).Because(err)
	case err != nil:
		return Certificate{}, fault.New(fault.Unavailable, "%s暂时无法连接，请稍后重试", name.Label()).Because(err)
	}
	return found, nil
}
