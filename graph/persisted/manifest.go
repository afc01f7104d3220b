package persisted

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Format and Version are those of Apollo's persisted-query-manifest.
const (
	Format  = "apollo-persisted-query-manifest"
	Version = 1
)

// Manifests are the operations of every client, read once. It implements Store
// and is immutable.
type Manifests struct {
	clients map[string]map[string]*Operation
}

// Load reads the manifests, by client. It fails for another format or version,
// for IDs or names that are missing or double, and for an unknown kind.
func Load(manifests map[string][]byte) (*Manifests, error) {
	all := &Manifests{clients: make(map[string]map[string]*Operation, len(manifests))}
	for client, body := range manifests {
		operations, err := read(body)
		if err != nil {
			return nil, fmt.Errorf("persisted: manifest of client %s: %w", client, err)
		}
		all.clients[client] = operations
	}
	return all, nil
}

func read(body []byte) (map[string]*Operation, error) {
	var manifest struct {
		Format     string
		Version    int
		Operations []*Operation
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return nil, err
	}
	if manifest.Format != Format || manifest.Version != Version {
		return nil, fmt.Errorf("format %q version %d, want %q version %d", manifest.Format, manifest.Version, Format, Version)
	}
	operations := make(map[string]*Operation, len(manifest.Operations))
	names := make(map[string]bool, len(manifest.Operations))
	for i, operation := range manifest.Operations {
		switch {
		case operation == nil || operation.ID == "" || operation.Name == "" || operation.Body == "":
			return nil, fmt.Errorf("operation %d: id, name or body is missing", i)
		case operations[operation.ID] != nil:
			return nil, fmt.Errorf("operation %s: its id is there twice", operation.Name)
		case names[operation.Name]:
			return nil, fmt.Errorf("operation %s: its name is there twice", operation.Name)
		case operation.Type != "query" && operation.Type != "mutation" && operation.Type != "subscription":
			return nil, fmt.Errorf("operation %s: type %q", operation.Name, operation.Type)
		}
		operations[operation.ID] = operation
		names[operation.Name] = true
	}
	return operations, nil
}

// Lookup implements Store.
func (m *Manifests) Lookup(client, id string) (*Operation, bool) {
	operation, ok := m.clients[client][id]
	return operation, ok
}

// Known implements Store.
func (m *Manifests) Known(client string) bool {
	_, ok := m.clients[client]
	return ok
}

// Clients are the known clients, sorted.
func (m *Manifests) Clients() []string {
	return slices.Sorted(maps.Keys(m.clients))
}

// Operations are the client's operations, sorted by name.
func (m *Manifests) Operations(client string) []*Operation {
	operations := slices.Collect(maps.Values(m.clients[client]))
	slices.SortFunc(operations, func(a, b *Operation) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return operations
}
