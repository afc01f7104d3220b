// Package demo walks the platform's main job from outside, over plain HTTP and
// with the clients' persisted operations alone: a citizen files a case, a
// worker answers it, the big screen shows each step. Every step is printed and
// checked; the first mismatch is an error.
//
// Start reading at Walk (walk.go); deployment.go starts the processes.
package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/clients"
)

// client is one device: it knows its manifest and, once signed in, its token.
type client struct {
	name  string // X-Client-Id
	url   string
	token string
	ids   map[string]string // operation name → ID
	http  *http.Client
}

func newClient(url, name string) (*client, error) {
	manifest, err := clients.Manifest(name)
	if err != nil {
		return nil, err
	}
	var content struct {
		Operations []struct{ ID, Name string }
	}
	if err := json.Unmarshal(manifest, &content); err != nil {
		return nil, fmt.Errorf("demo: manifest of %s: %w", name, err)
	}
	c := &client{name: name, url: url, ids: map[string]string{}, http: &http.Client{}}
	for _, operation := range content.Operations {
		c.ids[operation.Name] = operation.ID
	}
	return c, nil
}

// refusal is a GraphQL error that came back instead of data.
type refusal struct {
	Operation string
	Code      string
	Message   string
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("%s: %s %s", r.Operation, r.Code, r.Message) }

func code(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

type answer struct {
	Data   map[string]any `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

func (a *answer) refused(operation string) error {
	if len(a.Errors) == 0 {
		return nil
	}
	first := a.Errors[0]
	code, _ := first.Extensions["code"].(string)
	return &refusal{Operation: operation, Code: code, Message: first.Message}
}

// run sends one persisted operation and gives its data. Any error is a refusal.
func (c *client) run(ctx context.Context, operation string, variables object) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	response, err := c.post(ctx, "/graphql", "application/graphql-response+json", operation, variables)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	if err := json.NewDecoder(io.LimitReader(response.Body, 16<<20)).Decode(&a); err != nil {
		return nil, fmt.Errorf("demo: %s: status %d, body: %w", operation, response.StatusCode, err)
	}
	return a.Data, a.refused(operation)
}

func (c *client) post(ctx context.Context, path, accept, operation string, variables object) (*http.Response, error) {
	id, ok := c.ids[operation]
	if !ok {
		return nil, fmt.Errorf("demo: the manifest of %s has no operation %s", c.name, operation)
	}
	body, err := json.Marshal(map[string]any{
		"variables":  variables,
		"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": id}},
	})
	if err != nil {
		return nil, fmt.Errorf("demo: %s: %w", operation, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	request.Header.Set("X-Client-Id", c.name)
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("demo: %s: %w", operation, err)
	}
	return response, nil
}

// upload sends a picture and gives its receipt.
func (c *client) upload(ctx context.Context, name, mediaType string, content []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/files?name="+name, bytes.NewReader(content))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("X-Client-Id", c.name)
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(request)
	if err != nil {
		return "", fmt.Errorf("demo: upload: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var uploaded struct {
		Receipt string `json:"receipt"`
		answer
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&uploaded); err != nil {
		return "", fmt.Errorf("demo: upload: status %d: %w", response.StatusCode, err)
	}
	return uploaded.Receipt, uploaded.refused("upload")
}

// watch starts a subscription by SSE; the channel closes when it ends.
func (c *client) watch(ctx context.Context, operation string, variables object) (<-chan object, error) {
	response, err := c.post(ctx, "/graphql/stream", "text/event-stream", operation, variables)
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		return nil, fmt.Errorf("demo: %s: status %d, %s: %s", operation, response.StatusCode, kind, text)
	}
	events := make(chan object, 64)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data:")
			if !ok || strings.TrimSpace(data) == "" {
				continue
			}
			var a answer
			if json.Unmarshal([]byte(data), &a) != nil || a.Data == nil {
				continue
			}
			select {
			case events <- a.Data:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events, nil
}
