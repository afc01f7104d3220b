package sms

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
	"time"
)

// Gateway hands messages to the operator's gateway over HTTP: POST of JSON
// {"mobile","scene","text"}, signed by the headers X-Timestamp (seconds
// since 1970) and X-Signature, the HMAC-SHA256 of "<timestamp>.<body>" in hex.
// Any answer 2xx is an acceptance. Nothing is sent twice: a gateway that does
// not answer in time may have sent the message.
type Gateway struct {
	url    string
	secret []byte
	client *http.Client
	now    func() time.Time
}

const minSecret = 16 // bytes

// NewGateway makes the provider.
func NewGateway(address, secret string, now func() time.Time) (*Gateway, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
		return nil, errors.New("sms: the gateway's address must be an http(s) URL")
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("sms: the gateway's secret must have at least %d characters", minSecret)
	}
	client := &http.Client{Timeout: sendTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Gateway{url: address, secret: []byte(secret), client: client, now: now}, nil
}

// Send implements Provider.
func (g *Gateway) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(map[string]string{"mobile": m.Mobile, "scene": string(m.Scene), "text": m.Text()})
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	timestamp := strconv.FormatInt(g.now().Unix(), 10)
	mac := hmac.New(sha256.New, g.secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("X-Timestamp", timestamp)
	request.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	response, err := g.client.Do(request)
	if err != nil {
		return fmt.Errorf("sms: the gateway: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("sms: the gateway answers %s", response.Status)
	}
	return nil
}
