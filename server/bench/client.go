package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/token"
)

// persisted gives the ID of an operation in a client's manifest.
func persisted(client, operation string) (string, error) {
	text, err := clients.Manifest(client)
	if err != nil {
		return "", err
	}
	var manifest struct{ Operations []struct{ ID, Name string } }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", fmt.Errorf("the manifest of %s: %w", client, err)
	}
	for _, o := range manifest.Operations {
		if o.Name == operation {
			return o.ID, nil
		}
	}
	return "", fmt.Errorf("the manifest of %s has no operation %s", client, operation)
}

// sender sends one persisted operation, as its client does.
type sender struct {
	http   *http.Client
	url    string
	client string
	accept string
	body   []byte
}

func newSender(http *http.Client, url, accept, client, operation string, variables any) (*sender, error) {
	id, err := persisted(client, operation)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{
		"variables":  variables,
		"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": id}},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return &sender{http: http, url: url, client: client, accept: accept, body: body}, nil
}

// send gives the response to the bearer of the token; the caller closes its body.
func (s *sender) send(ctx context.Context, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {s.accept}, "X-Client-Id": {s.client}, "Authorization": {"Bearer " + token},
	}
	return s.http.Do(request)
}

// most is the greatest answer that is read.
const most = 4 << 20

// read sends and appends the answer to buffer. A status other than 200 is an error.
func (s *sender) read(ctx context.Context, token string, buffer *bytes.Buffer) error {
	response, err := s.send(ctx, token)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := buffer.ReadFrom(io.LimitReader(response.Body, most)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %.300s", response.StatusCode, buffer.Bytes())
	}
	return nil
}

// transport keeps so many connections, and takes answers as they are.
func transport(connections int) *http.Client {
	return &http.Client{
		Timeout: 0, // each request has its context
		Transport: &http.Transport{
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, MaxIdleConns: connections, DisableCompression: true,
		},
	}
}

// signer makes access tokens with the installation's own key, so that signing
// in is not part of what is measured.
func (s settings) signer() (*token.Signer, error) {
	key, err := token.LoadKey(filepath.Join(s.data(), "keys", "token.key"))
	if err != nil {
		return nil, err
	}
	return token.NewSigner(key, time.Now), nil
}

// tokens signs one for each citizen; they count for fifteen minutes.
func tokens(signer *token.Signer, citizens []demonstration.Citizen) ([]string, error) {
	texts := make([]string, len(citizens))
	for i, c := range citizens {
		var err error
		texts[i], _, err = signer.Access(&access.Principal{
			Kind: access.Citizen, ID: c.ID, Name: c.Name, AreaCode: c.CommunityCode, Session: fmt.Sprint("bench-", i), Client: clientApp,
		})
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// The clients that are played.
const (
	clientApp    = "app"
	clientScreen = "screen"
)

const mediaGraphQL = "application/graphql-response+json"
