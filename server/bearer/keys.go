package bearer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// How keys are got from a URL.
const (
	keysTimeout = 5 * time.Second
	// keysEvery is how often they are renewed; a key that was withdrawn counts as long.
	keysEvery = 5 * time.Minute
	// keysSoonest is how soon a token with an unknown key makes them be asked for
	// again: whoever invents key IDs must not make us call for each.
	keysSoonest = 30 * time.Second
	maxKeys     = 1 << 20
)

// keys find the key of a token.
type keys interface {
	KeyfuncCtx(ctx context.Context) jwt.Keyfunc
}

func newKeys(ctx context.Context, o Options) (keys, error) {
	if !strings.HasPrefix(o.Keys, "http://") && !strings.HasPrefix(o.Keys, "https://") {
		text, err := os.ReadFile(o.Keys)
		if err != nil {
			return nil, fmt.Errorf("bearer: reading the JWK set: %w", err)
		}
		found, err := keyfunc.NewJWKSetJSON(text)
		if err != nil {
			return nil, fmt.Errorf("bearer: the JWK set %s cannot be used: %w", o.Keys, err)
		}
		return found, nil
	}
	found, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{o.Keys}, keyfunc.Override{
		Client:      &http.Client{Timeout: keysTimeout, Transport: bounded{http.DefaultTransport}},
		HTTPTimeout: keysTimeout, RefreshInterval: keysEvery,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(keysSoonest), 1), RateLimitWaitMax: 100 * time.Millisecond,
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(_ context.Context, err error) {
				if o.Refused != nil {
					o.Refused(err)
				}
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("bearer: the JWK set %s cannot be used: %w", o.Keys, err)
	}
	return found, nil
}

// bounded reads no more of an answer than a JWK set may have.
type bounded struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.ContentLength > maxKeys {
		return nil, errors.Join(errors.New("bearer: the JWK set is too large"), response.Body.Close())
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxKeys), response.Body}
	return response, nil
}
