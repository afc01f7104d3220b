// Package register asks the population register 人口库 whether a name and a
// number belong together: a Register speaks to the authority's gateway over
// HTTP (package signed); in development the Simulator answers in its place, in
// the same shape, and says so.
//
// Start reading at Register.
package register

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/signed"
)

// Register says whether a name and a number belong together.
type Register interface {
	// Compare asks for one document. Errors: ErrMismatch, ErrNotFound; any
	// other is that the register is away.
	Compare(ctx context.Context, d document.Document) (Result, error)
}

// Result is what is kept of a match.
type Result struct {
	Reference string // the register's, for questions later
	Simulated bool
}

// The answers that are no match.
var (
	ErrMismatch = errors.New("register: the name is not that of the number")
	ErrNotFound = errors.New("register: there is no such number")
)

// Nobody is the register where none is configured.
type Nobody struct{}

// Compare implements Register: it is away.
func (Nobody) Compare(context.Context, document.Document) (Result, error) {
	return Result{}, errors.New("register: none is configured")
}

// timeout bounds one comparison: somebody waits for it.
const timeout = 5 * time.Second

// gateway asks POST <base>/comparisons.
type gateway struct{ client *signed.Client }

// NewGateway makes the register behind the authority's gateway: POST of
// {"kind","name","number"} to <base>/comparisons answers
// {"result":"MATCH|MISMATCH|NOT_FOUND","reference"}.
func NewGateway(base, secret string, now func() time.Time) (Register, error) {
	return newGateway(base, secret, nil, now)
}

func newGateway(base, secret string, transport http.RoundTripper, now func() time.Time) (Register, error) {
	client, err := signed.New(base, secret, timeout, transport, now)
	if err != nil {
		return nil, err
	}
	return gateway{client}, nil
}

type question struct {
	Kind   document.Kind `json:"kind"`
	Name   string        `json:"name"`
	Number string        `json:"number"`
}

type answer struct {
	Result    string `json:"result"`
	Reference string `json:"reference"`
	Simulated bool   `json:"simulated,omitempty"`
}

const maxReference = 100

// Compare implements Register.
func (g gateway) Compare(ctx context.Context, d document.Document) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var a answer
	if err := g.client.Post(ctx, "/comparisons", question{d.Kind, d.Name, d.Number}, &a); err != nil {
		return Result{}, err
	}
	result := Result{Reference: a.Reference[:min(len(a.Reference), maxReference)], Simulated: a.Simulated}
	switch a.Result {
	case "MATCH":
		return result, nil
	case "MISMATCH":
		return result, ErrMismatch
	case "NOT_FOUND":
		return result, ErrNotFound
	}
	return Result{}, errors.New("register: an answer that is none")
}
