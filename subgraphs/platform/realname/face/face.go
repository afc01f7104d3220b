// Package face asks a face provider 人脸核身 whether somebody alive, and the one
// that a document names, is in front of the device. As the providers' own
// interfaces have it: the platform begins a session and gets a one-time token
// for the client; the client takes the picture; the platform asks for the
// judgement. A Provider speaks to the provider's gateway over HTTP (package
// signed); in development the Simulator answers in its place, in the same
// shapes, and says in each answer that it did.
//
// Start reading at Provider.
package face

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/signed"
)

// Provider begins sessions and judges.
type Provider interface {
	// Begin begins a session for the person on the account and device. An error
	// is that the provider is away.
	Begin(ctx context.Context, d document.Document, on Binding) (Session, error)
	// Judge says who is in the picture that was taken in the session of the
	// token. ErrToken is a token that does not count; any other error is that
	// the provider is away, and whether the token was used up is not known.
	Judge(ctx context.Context, token string, on Binding, p Picture) (Judgement, error)
}

// Binding is whom a session is for: names of account and device that tell the
// provider nothing else about them.
type Binding struct{ Account, Device string }

// Session is one that has begun.
type Session struct {
	Reference string // the provider's
	Token     string // counts once, for the client
	ExpiresAt time.Time
	Simulated bool
}

// Picture is what the client took.
type Picture struct {
	MediaType string
	Content   []byte
}

// Judgement is what the provider found.
type Judgement struct {
	Reference string
	Live      bool // somebody alive, no picture of a picture
	Same      bool // whom the document names
	Simulated bool // nobody looked
}

// ErrToken says that the token was used before, has expired, was made for
// another account or device, or never was one.
var ErrToken = errors.New("face: the token does not count")

// Nobody is the provider where none is configured.
type Nobody struct{}

var errNobody = errors.New("face: no provider is configured")

// Begin implements Provider: it is away.
func (Nobody) Begin(context.Context, document.Document, Binding) (Session, error) {
	return Session{}, errNobody
}

// Judge implements Provider: it is away.
func (Nobody) Judge(context.Context, string, Binding, Picture) (Judgement, error) {
	return Judgement{}, errNobody
}

const (
	// timeout bounds one asking: somebody waits for it.
	timeout      = 8 * time.Second
	maxReference = 100
	maxToken     = 4096
)

type gateway struct{ client *signed.Client }

// NewGateway makes the provider behind its gateway: POST of {"kind","name",
// "number","account","device"} to <base>/sessions answers {"reference","token",
// "expiresAt"}; POST of {"token","account","device","mediaType","picture"}
// (base64) to <base>/judgements answers {"reference","token":"OK|INVALID",
// "live","same"}.
func NewGateway(base, secret string, now func() time.Time) (Provider, error) {
	return newGateway(base, secret, nil, now)
}

func newGateway(base, secret string, transport http.RoundTripper, now func() time.Time) (Provider, error) {
	client, err := signed.New(base, secret, timeout, transport, now)
	if err != nil {
		return nil, err
	}
	return gateway{client}, nil
}

type sessionQuestion struct {
	Kind    document.Kind `json:"kind"`
	Name    string        `json:"name"`
	Number  string        `json:"number"`
	Account string        `json:"account"`
	Device  string        `json:"device"`
}

type sessionAnswer struct {
	Reference string    `json:"reference"`
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
	Simulated bool      `json:"simulated,omitempty"`
}

type judgementQuestion struct {
	Token     string `json:"token"`
	Account   string `json:"account"`
	Device    string `json:"device"`
	MediaType string `json:"mediaType"`
	Picture   []byte `json:"picture"`
}

type judgementAnswer struct {
	Reference string `json:"reference"`
	Token     string `json:"token"`
	Live      bool   `json:"live"`
	Same      bool   `json:"same"`
	Simulated bool   `json:"simulated,omitempty"`
}

// Begin implements Provider.
func (g gateway) Begin(ctx context.Context, d document.Document, on Binding) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var a sessionAnswer
	if err := g.client.Post(ctx, "/sessions", sessionQuestion{d.Kind, d.Name, d.Number, on.Account, on.Device}, &a); err != nil {
		return Session{}, err
	}
	if a.Token == "" || len(a.Token) > maxToken || a.Reference == "" || len(a.Reference) > maxReference || a.ExpiresAt.IsZero() {
		return Session{}, errors.New("face: an answer that is no session")
	}
	return Session(a), nil
}

// Judge implements Provider.
func (g gateway) Judge(ctx context.Context, token string, on Binding, p Picture) (Judgement, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var a judgementAnswer
	if err := g.client.Post(ctx, "/judgements", judgementQuestion{token, on.Account, on.Device, p.MediaType, p.Content}, &a); err != nil {
		return Judgement{}, err
	}
	switch a.Token {
	case "OK":
		return Judgement{Reference: a.Reference[:min(len(a.Reference), maxReference)], Live: a.Live, Same: a.Live && a.Same, Simulated: a.Simulated}, nil
	case "INVALID":
		return Judgement{Simulated: a.Simulated}, ErrToken
	}
	return Judgement{}, errors.New("face: an answer that is no judgement")
}
