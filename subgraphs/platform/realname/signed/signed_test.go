package signed_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/signed"
)

const secret = "a secret of the test"

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestForgedAnswersAreRefused(t *testing.T) {
	answer := func(with string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return signed.Answer(with, time.Now(), r, func(_ string, body []byte) any { return map[string]string{"echo": string(body)} }), nil
		}
	}
	honest := answer(secret)
	var replayed []byte
	var signature string
	for name, c := range map[string]struct {
		trip   trip
		forged bool
	}{
		"another's": {func(r *http.Request) (*http.Response, error) {
			made, _ := honest(r)
			made.Header.Set("X-Signature", strings.Repeat("0", 64))
			return made, nil
		}, true},
		"changed on the way": {func(r *http.Request) (*http.Response, error) {
			made, _ := honest(r)
			made.Body = io.NopCloser(strings.NewReader(`{"echo": "live"}`))
			return made, nil
		}, true},
		"of another request": {func(r *http.Request) (*http.Response, error) {
			made, _ := honest(r)
			text, _ := io.ReadAll(made.Body)
			if replayed == nil {
				other := r.Clone(r.Context())
				other.Header.Set("X-Timestamp", r.Header.Get("X-Timestamp"))
				replayed, signature = text, made.Header.Get("X-Signature")
			}
			made.Body = io.NopCloser(bytes.NewReader(replayed))
			made.Header.Set("X-Signature", signature)
			return made, nil
		}, false},
		"of whom the request's secret is not known": {answer("another secret, as long"), true},
	} {
		client, err := signed.New("https://judge.example.org", secret, time.Second, c.trip, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Echo string }
		err = client.Post(t.Context(), "/judgements", "first", &out)
		if name == "of another request" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := client.Post(t.Context(), "/judgements", "second", &out); !errors.Is(err, signed.ErrForged) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if (err != nil) != c.forged || strings.Contains(name, "way") && !errors.Is(err, signed.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A service that does not answer in time is away, and the error names no address.
	slow, err := signed.New("https://judge.example.org", secret, 10*time.Millisecond, trip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Post(t.Context(), "/judgements", "x", nil); err == nil || strings.Contains(err.Error(), "example.org") {
		t.Errorf("slow: %v", err)
	}
}
