// Package persisted turns what a client sent — an operation's text, or its ID —
// into the text that may be run for that client.
//
// Start reading at Policy.Resolve. Manifests (manifest.go) hold what each
// client may ask; Automatic (automatic.go) learns operations while developing.
package persisted

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Mode says who may send an operation's text.
type Mode int

const (
	// Open lets everybody send text, and knows no clients: the gateway on its own.
	Open Mode = iota
	// Development lets every known client (and one that does not say who it
	// is) send text, except those that Policy.PersistedOnly names.
	Development
	// Production runs only the operations of the client's own manifest, by ID.
	Production
)

// String gives the mode's name as the configuration spells it.
func (m Mode) String() string {
	return [...]string{"open", "development", "production"}[m]
}

// Operation is an operation of a client's manifest.
type Operation struct {
	ID   string // sha256 of Body, hexadecimal
	Name string
	Type string // query, mutation or subscription
	Body string
}

// Store holds the operations of all clients. It is safe for concurrent use.
type Store interface {
	// Lookup finds an operation of the client's own manifest.
	Lookup(client, id string) (*Operation, bool)
	// Known says whether there is such a client.
	Known(client string) bool
}

// Request is what a client sent.
type Request struct {
	Client string // X-Client-Id, "" if it did not say
	Query  string // the operation's text, "" if none
	// OperationName is the name sent beside it, "" if none.
	OperationName string
	// DocumentID is the documentId of the persisted documents draft of
	// GraphQL over HTTP, "" if none.
	DocumentID string
	// Hash is extensions.persistedQuery.sha256Hash, "" if none.
	Hash string
}

// Policy decides what may run. The zero value is Open. It is safe for
// concurrent use and must not be changed while used.
type Policy struct {
	Mode Mode
	// Store holds the manifests; nil only in mode Open.
	Store Store
	// PersistedOnly are clients that may never send text, in no mode: third
	// parties.
	PersistedOnly map[string]bool
	// Automatic learns operations by hash; nil switches it off. Mode
	// Production never uses it.
	Automatic *Automatic
}

// Resolved is what may run.
type Resolved struct {
	Document      string
	OperationName string // of the operation in it; "" if there is only one
	// Registered says that the operation stands in the client's manifest.
	Registered bool
}

// Known says whether the client is one of ours; nobody is in mode Open.
func (p *Policy) Known(client string) bool { return p.Store != nil && p.Store.Known(client) }

// Resolve gives what may run for the request. The error, if any, is a *Refusal.
func (p *Policy) Resolve(r Request) (Resolved, error) {
	if err := p.Admit(r.Client); err != nil {
		return Resolved{}, err
	}
	id, err := r.id()
	if err != nil {
		return Resolved{}, err
	}
	if id == "" {
		if r.Query == "" {
			return Resolved{}, refuse(CodeBadRequest, "query", "请求缺少 query")
		}
		if !p.textAllowed(r.Client) {
			return Resolved{}, refuse(CodeNotAllowed, "query", "客户端 %s 只能按编号执行已登记的操作，不能发送查询文本", printable(r.Client))
		}
		return Resolved{Document: r.Query, OperationName: r.OperationName}, nil
	}
	if p.Store != nil {
		if found, ok := p.Store.Lookup(r.Client, id); ok {
			return found.resolve(r)
		}
	}
	return p.automatic(r, id)
}

// Admit says whether the client may ask at all; "" is one that did not say who
// it is. The error, if any, is a *Refusal.
func (p *Policy) Admit(client string) error {
	switch {
	case p.Mode == Open:
		return nil
	case client == "" && p.Mode == Development:
		return nil
	case client == "":
		return refuse(CodeClientUnknown, "", "请用 X-Client-Id 请求头（WebSocket 用 connection_init 的 clientId）说明是哪个客户端")
	case !p.Store.Known(client):
		return refuse(CodeClientUnknown, "", "没有名为 %s 的客户端", printable(client))
	}
	return nil
}

func (p *Policy) textAllowed(client string) bool {
	return p.Mode != Production && !p.PersistedOnly[client]
}

// resolve checks that what came beside the ID agrees with the operation.
func (o *Operation) resolve(r Request) (Resolved, error) {
	if r.OperationName != "" && r.OperationName != o.Name {
		return Resolved{}, refuse(CodeBadRequest, "operationName", "该编号的操作名为 %s", o.Name)
	}
	if r.Query != "" && r.Query != o.Body {
		return Resolved{}, refuse(CodeHashMismatch, "query", "查询文本与编号不符")
	}
	return Resolved{Document: o.Body, OperationName: o.Name, Registered: true}, nil
}

// automatic answers for IDs that no manifest holds.
func (p *Policy) automatic(r Request, id string) (Resolved, error) {
	if !p.textAllowed(r.Client) {
		if r.Query != "" {
			return Resolved{}, refuse(CodeNotAllowed, "query", "客户端 %s 只能执行已登记的操作", printable(r.Client))
		}
		return Resolved{}, r.unknown()
	}
	if r.Query != "" {
		if sum := sha256.Sum256([]byte(r.Query)); hex.EncodeToString(sum[:]) != id {
			return Resolved{}, refuse(CodeHashMismatch, "extensions.persistedQuery.sha256Hash", "查询文本与 sha256Hash 不符")
		}
		if p.Automatic != nil {
			p.Automatic.add(id, r.Query)
		}
		return Resolved{Document: r.Query, OperationName: r.OperationName}, nil
	}
	if p.Automatic == nil {
		if r.Hash != "" && p.Store == nil {
			return Resolved{}, refuse(CodeNotSupported, "extensions.persistedQuery", messageNotSupported)
		}
		return Resolved{}, r.unlearned()
	}
	if query, ok := p.Automatic.lookup(id); ok {
		return Resolved{Document: query, OperationName: r.OperationName}, nil
	}
	return Resolved{}, r.unlearned()
}

// unlearned asks the client for the text, which it may send.
func (r *Request) unlearned() error {
	if r.DocumentID != "" {
		return r.unknown()
	}
	return refuse(CodeNotFound, "extensions.persistedQuery.sha256Hash", messageNotFound)
}

func (r *Request) unknown() error {
	if r.DocumentID != "" {
		return refuse(CodeUnknown, "documentId", "没有编号为 %s 的操作", printable(r.DocumentID))
	}
	return refuse(CodeNotFound, "extensions.persistedQuery.sha256Hash", "没有编号为 %s 的操作", printable(r.Hash))
}

// id is the operation's ID without the draft's prefix; "" if none was sent.
func (r *Request) id() (string, error) {
	if r.DocumentID == "" {
		return r.Hash, nil
	}
	if r.Query != "" {
		return "", refuse(CodeBadRequest, "documentId", "query 与 documentId 只能给一个")
	}
	id := strings.TrimPrefix(r.DocumentID, "sha256:")
	if r.Hash != "" && r.Hash != id {
		return "", refuse(CodeBadRequest, "documentId", "documentId 与 sha256Hash 不一致")
	}
	return id, nil
}
