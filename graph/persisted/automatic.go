package persisted

import (
	"container/list"
	"sync"
)

// Automatic keeps operations that clients registered by sending text and hash
// together: automatic persisted queries, for development. The least recently
// used go first. It is safe for concurrent use.
type Automatic struct {
	mostBytes int
	mu        sync.Mutex
	bytes     int
	order     *list.List // of *learned, the most recently used first
	byHash    map[string]*list.Element
}

type learned struct{ hash, query string }

// NewAutomatic keeps at most that many bytes of text; 0 means 4 MB.
func NewAutomatic(mostBytes int) *Automatic {
	if mostBytes <= 0 {
		mostBytes = 4 << 20
	}
	return &Automatic{mostBytes: mostBytes, order: list.New(), byHash: map[string]*list.Element{}}
}

// add keeps the query. The caller has checked that the hash is the query's.
func (a *Automatic) add(hash, query string) {
	size := len(hash) + len(query)
	if size > a.mostBytes {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if element, ok := a.byHash[hash]; ok {
		a.order.MoveToFront(element)
		return
	}
	a.byHash[hash] = a.order.PushFront(&learned{hash, query})
	for a.bytes += size; a.bytes > a.mostBytes; {
		oldest := a.order.Remove(a.order.Back()).(*learned)
		delete(a.byHash, oldest.hash)
		a.bytes -= len(oldest.hash) + len(oldest.query)
	}
}

func (a *Automatic) lookup(hash string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	element, ok := a.byHash[hash]
	if !ok {
		return "", false
	}
	a.order.MoveToFront(element)
	return element.Value.(*learned).query, true
}
