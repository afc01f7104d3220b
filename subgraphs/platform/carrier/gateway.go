package carrier

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

// Gateway is an operator's gateway for short messages by HTTP: POST of JSON
// {"key","mobile","text","scene"}, signed as sign says. 2xx with {"ref"} is an
// acceptance, 422 with {"reason"} says that no provider will take the message,
// any other 4xx that this one does not now. After 5xx, or no answer, nobody knows.
type Gateway struct {
	name   string
	url    string
	secret []byte
	client *http.Client
	now    func() time.Time
}

const minSecret = 16 // bytes

// NewGateway makes the provider; name stands in receipts and figures.
func NewGateway(name, address, secret string, now func() time.Time) (*Gateway, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
		return nil, fmt.Errorf("carrier: %s: the address must be an http(s) URL", name)
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("carrier: %s: the secret must have at least %d characters", name, minSecret)
	}
	client := &http.Client{Timeout: submitTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}}
	return &Gateway{name: name, url: address, secret: []byte(secret), client: client, now: now}, nil
}

// Name implements Provider.
func (g *Gateway) Name() string { return g.name }

// sign is what both sides sign their bodies with: HMAC-SHA256 of
// "<seconds since 1970>.<body>" in hex, in the headers X-Timestamp and X-Signature.
func sign(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Submit implements Provider.
func (g *Gateway) Submit(ctx context.Context, text Text) (string, error) {
	body, err := json.Marshal(map[string]string{"key": text.Key, "mobile": text.Mobile, "text": text.Text, "scene": string(text.Scene)})
	if err != nil {
		return "", fmt.Errorf("carrier: %s: %w", g.name, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("carrier: %s: %w", g.name, err)
	}
	timestamp := strconv.FormatInt(g.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("X-Timestamp", timestamp)
	request.Header.Set("X-Signature", sign(g.secret, timestamp, body))
	response, err := g.client.Do(request)
	if err != nil {
		var address *url.Error
		if errors.As(err, &address) {
			err = address.Err
		}
		return "", fmt.Errorf("carrier: %s: %w", g.name, err)
	}
	defer func() { _ = response.Body.Close() }()
	var told struct{ Ref, Reason string }
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err == nil {
		_ = json.Unmarshal(answer, &told) // an answer without one is an answer too
	}
	switch status := response.StatusCode; {
	case status >= 200 && status <= 299:
		return told.Ref, nil
	case status == http.StatusUnprocessableEntity:
		return "", &Refusal{Permanent: true, Reason: reasonCode(told.Reason, status)}
	case status >= 400 && status <= 499:
		return "", &Refusal{Reason: reasonCode(told.Reason, status)}
	default:
		return "", fmt.Errorf("carrier: %s: the gateway answers %d", g.name, status)
	}
}

// reasonCode keeps what a provider gave as a reason only where it is a code.
func reasonCode(reason string, status int) string {
	if len(reason) > 0 && len(reason) <= 40 {
		for _, c := range reason {
			if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
				return fmt.Sprintf("HTTP_%d", status)
			}
		}
		return reason
	}
	return fmt.Sprintf("HTTP_%d", status)
}
