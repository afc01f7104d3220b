package carrier

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Fixed is an authorization that never changes: Xiaomi's "key=<secret>".
func Fixed(header string) Authorization {
	return func(context.Context) (string, error) { return header, nil }
}

// kept remembers a header until shortly before it ends; make gives a new one.
func kept(now func() time.Time, make func(context.Context) (header string, ends time.Time, err error)) Authorization {
	var mu sync.Mutex
	var header string
	var ends time.Time
	return func(ctx context.Context) (string, error) {
		mu.Lock() // who comes meanwhile waits for the same one
		defer mu.Unlock()
		if header != "" && now().Before(ends.Add(-time.Minute)) {
			return header, nil
		}
		fresh, until, err := make(ctx)
		if err == nil {
			header, ends = fresh, until
		}
		return fresh, err
	}
}

// apnsLifetime is how long a token of ours is used: APNs takes none that is
// older than an hour, and none that is renewed more often than each 20 minutes.
const apnsLifetime = 45 * time.Minute

// AppleKey signs provider tokens for APNs (ES256) with the developer's key, the
// .p8 file, of the key ID and the team ID.
func AppleKey(p8 []byte, keyID, teamID string, now func() time.Time) (Authorization, error) {
	block, _ := pem.Decode(p8)
	if block == nil {
		return nil, errors.New("carrier: APNs: the key is no PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("carrier: APNs: the key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("carrier: APNs: the key must be one of elliptic curves")
	}
	return kept(now, func(context.Context) (string, time.Time, error) {
		at := now()
		unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": teamID, "iat": at.Unix()})
		unsigned.Header["kid"] = keyID
		signed, err := unsigned.SignedString(key)
		return "bearer " + signed, at.Add(apnsLifetime), err
	}), nil
}

// HuaweiClient gets access tokens by Huawei's OAuth 2.0 client credentials.
func HuaweiClient(address, appID, secret string, now func() time.Time) Authorization {
	client := &http.Client{Timeout: submitTimeout}
	return kept(now, func(ctx context.Context) (string, time.Time, error) {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "client_secret": {secret}}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
		if err != nil {
			return "", time.Time{}, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		at := now()
		response, err := client.Do(request)
		if err != nil {
			return "", time.Time{}, err
		}
		defer func() { _ = response.Body.Close() }()
		var told struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&told); err != nil || response.StatusCode != http.StatusOK || told.AccessToken == "" {
			return "", time.Time{}, fmt.Errorf("no access token (%d)", response.StatusCode)
		}
		return "Bearer " + told.AccessToken, at.Add(time.Duration(told.ExpiresIn) * time.Second), nil
	})
}
