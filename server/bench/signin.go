package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// signInConnections are at a time.
const signInConnections = 16

// entrance is how citizens sign in: each with a code that was sent before.
type entrance struct {
	http     *http.Client
	base     string
	citizens []demonstration.Citizen
	codes    []string
}

// measureSignIn lets citizens sign in by codes that were sent already, each
// once. The answer must be the citizen's own.
func measureSignIn(ctx context.Context, s settings, d *deployment, report *report) error {
	cast := demonstration.New(s.scale, time.Now())
	e := &entrance{http: transport(signInConnections), base: d.url, codes: make([]string, s.signIns)}
	for i := range s.signIns {
		e.citizens = append(e.citizens, cast.Citizen((i*7+int(time.Now().Unix())%1000)%cast.Citizens()))
	}
	if err := e.prepare(ctx); err != nil {
		return err
	}
	before, err := d.usage()
	if err != nil {
		return err
	}
	began := time.Now()
	r := counted(ctx, signInConnections, len(e.citizens), e.signIn)
	r.took = time.Since(began)
	after, err := d.usage()
	if err != nil {
		return err
	}
	if r.errors > 0 {
		return fmt.Errorf("signing in: %d of %d failed, the first: %w", r.errors, len(e.citizens), r.first)
	}
	spent, n := after.minus(before), time.Duration(len(r.latencies))
	report.heading("Signing in by code, the code already sent", "connections", "sign-ins", "sign-ins/s", "p50 ms", "p95 ms", "p99 ms",
		"CPU ms each: citizencloud", "PostgreSQL", "load generator")
	report.row(signInConnections, len(r.latencies), fmt.Sprintf("%.0f", r.perSecond()), milliseconds(quantile(r.latencies, .5)), milliseconds(quantile(r.latencies, .95)),
		milliseconds(quantile(r.latencies, .99)), milliseconds(spent.server/n), milliseconds(spent.database/n), milliseconds(spent.bench/n))
	return nil
}

// prepare has a code sent to each citizen and reads it from the simulator.
func (e *entrance) prepare(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range signInConnections {
		group.Go(func() error {
			for n := int(next.Add(1) - 1); n < len(e.citizens); n = int(next.Add(1) - 1) {
				mobile := e.citizens[n].Mobile
				if _, err := e.post(ctx, n, "RequestSmsCode", map[string]any{"mobile": mobile, "scene": "SIGN_IN"}); err != nil {
					return fmt.Errorf("a code for citizen %d: %w", n, err)
				}
				var err error
				if e.codes[n], err = e.code(ctx, mobile); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// code reads the newest code for the number in the development inbox.
func (e *entrance) code(ctx context.Context, mobile string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+"/development/inbox?format=json&mobile="+url.QueryEscape(mobile), nil)
	if err != nil {
		return "", err
	}
	response, err := e.http.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return "", err
	}
	var messages []struct{ Code string }
	if err := json.Unmarshal(text, &messages); err != nil || len(messages) == 0 || messages[0].Code == "" {
		return "", fmt.Errorf("no code for %s in the inbox (%v): %.200s", mobile, err, text)
	}
	return messages[0].Code, nil
}

// signIn signs citizen n in and checks who that is.
func (e *entrance) signIn(ctx context.Context, n int) error {
	body, err := e.post(ctx, n, "SignInByCode", map[string]any{"mobile": e.citizens[n].Mobile, "code": e.codes[n]})
	if err != nil {
		return err
	}
	var answer struct {
		Data struct {
			SignInByCode *struct {
				AccessToken string
				Viewer      struct{ ID string }
			}
		}
	}
	in := &answer.Data
	if err := json.Unmarshal(body, &answer); err != nil || in.SignInByCode == nil || in.SignInByCode.AccessToken == "" || in.SignInByCode.Viewer.ID != e.citizens[n].ID {
		return fmt.Errorf("citizen %d is not signed in (%v): %.300s", n, err, body)
	}
	return nil
}

// post sends the operation of the app from an address of citizen n's own.
func (e *entrance) post(ctx context.Context, n int, operation string, input map[string]any) ([]byte, error) {
	s, err := newSender(e.http, e.base+"/graphql", mediaGraphQL, clientApp, operation, map[string]any{"input": input})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {s.accept}, "X-Client-Id": {s.client},
		"X-Forwarded-For": {fmt.Sprintf("10.%d.%d.%d", 1+n>>16, n>>8&255, n&255)}}
	response, err := e.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err == nil && (response.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"errors":`))) {
		err = fmt.Errorf("status %d: %.300s", response.StatusCode, body)
	}
	return body, err
}
