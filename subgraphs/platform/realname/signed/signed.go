// Package signed asks an outside service over HTTP, so that both sides know
// whom they talk to: POST of JSON, signed by the headers X-Timestamp (seconds
// since 1970) and X-Signature, the HMAC-SHA256 in hex of
// "<timestamp>.<path>.<body>"; the answer's X-Signature is that of
// "<the request's signature>.<body>", so that an answer is of this request alone.
//
// Start reading at Client; Answer is the other side, for simulators.
package signed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrForged says that an answer is not signed by the service, or is of another request.
var ErrForged = errors.New("signed: the answer's signature does not fit")

// Client asks one service.
type Client struct {
	base   string
	secret []byte
	client *http.Client
	now    func() time.Time
}

const (
	minSecret = 16 // bytes
	maxAnswer = 1 << 16
)

// New makes a client. transport is nil for the usual one; timeout bounds each asking.
func New(base, secret string, timeout time.Duration, transport http.RoundTripper, now func() time.Time) (*Client, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.RawQuery != "" {
		return nil, errors.New("signed: the address must be an http(s) URL without a query")
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("signed: the secret must have at least %d characters", minSecret)
	}
	client := &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{base: strings.TrimSuffix(base, "/"), secret: []byte(secret), client: client, now: now}, nil
}

// Post asks the path (which begins with "/"), and decodes the answer into out.
// Errors hold nothing of what was sent.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("signed: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return errors.New("signed: the request cannot be made")
	}
	timestamp := strconv.FormatInt(c.now().Unix(), 10)
	signature := sign(c.secret, timestamp+"."+request.URL.Path, body)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("X-Timestamp", timestamp)
	request.Header.Set("X-Signature", signature)
	response, err := c.client.Do(request)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err // without the address
		}
		return fmt.Errorf("signed: asking: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("signed: reading the answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("signed: the answer is %s", response.Status)
	case len(answer) > maxAnswer:
		return errors.New("signed: the answer is too long")
	case !hmac.Equal([]byte(sign(c.secret, signature, answer)), []byte(response.Header.Get("X-Signature"))):
		return ErrForged
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("signed: reading the answer: %w", err)
	}
	return nil
}

func sign(secret []byte, head string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(head + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// tolerance is how far the clocks of both sides may be apart.
const tolerance = 5 * time.Minute

// maxRequest bounds what is asked: a picture of 10 MB in base64, and room.
const maxRequest = 16 << 20

// Answer is the service's side: it checks the request's signature, has decide
// answer the path and the body, and signs that. A nil answer is 503.
func Answer(secret string, now time.Time, r *http.Request, decide func(path string, body []byte) any) *http.Response {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(r.Body, maxRequest))
		_ = r.Body.Close()
	}
	seconds, _ := strconv.ParseInt(r.Header.Get("X-Timestamp"), 10, 64)
	signature := r.Header.Get("X-Signature")
	fits := hmac.Equal([]byte(sign([]byte(secret), r.Header.Get("X-Timestamp")+"."+r.URL.Path, body)), []byte(signature))
	if r.Method != http.MethodPost || !fits || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return respond(r, http.StatusUnauthorized, "", nil)
	}
	answer := decide(r.URL.Path, body)
	if answer == nil {
		return respond(r, http.StatusServiceUnavailable, "", nil)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return respond(r, http.StatusInternalServerError, "", nil)
	}
	return respond(r, http.StatusOK, sign([]byte(secret), signature, text), text)
}

func respond(r *http.Request, status int, signature string, body []byte) *http.Response {
	return &http.Response{
		Status: fmt.Sprint(status, " ", http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Signature": {signature}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
