package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/server/transport"
)

// monolith is a process of schema/monolith.mjs: one schema over the same
// subgraphs, executed by graphql-js.
type monolith struct {
	stdin io.WriteCloser

	mu      sync.Mutex
	next    int
	waiting map[int]chan<- answer
	ended   error
}

// answer is a response of either side, as far as it is compared.
type answer struct {
	ID     int             `json:"id"`
	Data   json.RawMessage `json:"data"`
	Errors []answerError   `json:"errors"`
}

type answerError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// startMonolith serves the stage's subgraphs by HTTP and starts the monolith
// over them; it ends with the test.
func (s *stage) startMonolith(t *testing.T) *monolith {
	t.Helper()
	addresses := map[string]string{}
	for name, r := range s.running {
		server := httptest.NewServer(transport.NewSubgraph(transport.SubgraphOptions{
			Schema: r.Executable(), Context: r.Context, Authenticator: authenticator{verifier: s.ground.verifier}}))
		t.Cleanup(server.Close)
		addresses[name] = server.URL + "/graphql"
	}
	argument, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", filepath.Join("..", "schema", "monolith.mjs"), string(argument))
	var complaints strings.Builder
	command.Stderr = &complaints
	m := &monolith{waiting: map[int]chan<- answer{}}
	if m.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("the monolith needs Node and `npm ci`: %v", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		m.read(stdout)
	}()
	t.Cleanup(func() {
		m.stdin.Close()
		<-read
		if err := command.Wait(); err != nil {
			t.Errorf("the monolith ended: %v\n%s", err, complaints.String())
		}
	})
	return m
}

// read hands the answers to those who wait for them, until the process ends.
func (m *monolith) read(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		var a answer
		if err == nil {
			err = json.Unmarshal(line, &a)
		}
		m.mu.Lock()
		if err != nil {
			m.ended = err
			for _, waits := range m.waiting {
				close(waits)
			}
			m.waiting = nil
			m.mu.Unlock()
			return
		}
		m.waiting[a.ID] <- a
		delete(m.waiting, a.ID)
		m.mu.Unlock()
	}
}

// ask has the monolith answer one operation.
func (m *monolith) ask(ctx context.Context, query string, variables json.RawMessage, authorization string) (answer, error) {
	headers := map[string]string{}
	if authorization != "" {
		headers["Authorization"] = authorization
	}
	waits := make(chan answer, 1)
	m.mu.Lock()
	if m.ended != nil {
		m.mu.Unlock()
		return answer{}, fmt.Errorf("the monolith has ended: %w", m.ended)
	}
	m.next++
	m.waiting[m.next] = waits
	line, err := json.Marshal(map[string]any{"id": m.next, "query": query, "variables": variables, "headers": headers})
	if err == nil {
		_, err = m.stdin.Write(append(line, '\n'))
	}
	m.mu.Unlock()
	if err != nil {
		return answer{}, fmt.Errorf("asking the monolith: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	select {
	case a, ok := <-waits:
		if !ok {
			return answer{}, fmt.Errorf("the monolith has ended")
		}
		return a, nil
	case <-ctx.Done():
		return answer{}, fmt.Errorf("the monolith does not answer: %w", ctx.Err())
	}
}

// authorization is the header of the call's principal, "" for nobody.
func authorization(call graph.Call) string {
	if values := call.Header["Authorization"]; len(values) > 0 {
		return values[0]
	}
	return ""
}
