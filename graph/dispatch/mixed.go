package dispatch

import (
	"fmt"
	"strings"
)

// Mixed sends each subgraph's documents to the dispatcher that reaches it.
type Mixed map[string]Dispatcher

// Prepare implements Dispatcher.
func (m Mixed) Prepare(d *Document) (Prepared, error) {
	dispatcher, ok := m[d.Subgraph]
	if !ok {
		return nil, fmt.Errorf("dispatch: subgraph %s is not reached in any way", strings.ToLower(d.Subgraph))
	}
	return dispatcher.Prepare(d)
}
