package database

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Work is what PostgreSQL did for the reading statements of a context, in pages
// of 8 KB that it looked at: a figure that says how a question grows with the
// data, and that a busy machine does not change. See WithWork.
type Work struct {
	mu    sync.Mutex
	pages int64
	plans []string
}

// Pages is the sum so far, without the pages that planning looked at.
func (w *Work) Pages() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pages
}

// Plans are the statements with their plans, for who wants to know why.
func (w *Work) Plans() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.plans, "\n")
}

type workKey struct{}

// WithWork gives a context whose reading statements are also run under EXPLAIN
// first, so that tests can bound what a question costs. It takes twice as long.
func WithWork(ctx context.Context) (context.Context, *Work) {
	work := new(Work)
	return context.WithValue(ctx, workKey{}, work), work
}

// explain runs a reading statement of a context with Work under EXPLAIN.
func (c *conn) explain(ctx context.Context, query string, args []any) error {
	work, _ := ctx.Value(workKey{}).(*Work)
	if text := strings.TrimSpace(query); work == nil || !strings.HasPrefix(text, "SELECT") && !strings.HasPrefix(text, "WITH") {
		return nil
	}
	before := c.before
	if c.tx != nil && c.tx.open {
		before = c.tx.further
	}
	answer, err := c.first(c.send(ctx, before(ctx), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+query, args))
	if err != nil {
		return fmt.Errorf("database: explaining: %w", err)
	}
	text := make([]driver.Value, 1)
	if err := answer.Next(text); err != nil {
		return fmt.Errorf("database: explaining: %w", err)
	}
	if err := answer.Close(); err != nil {
		return fmt.Errorf("database: explaining: %w", err)
	}
	var explained []struct {
		Plan struct {
			Hit  int64 `json:"Shared Hit Blocks"`
			Read int64 `json:"Shared Read Blocks"`
		}
	}
	plan := fmt.Sprintf("%s", text[0])
	if err := json.Unmarshal([]byte(plan), &explained); err != nil || len(explained) != 1 {
		return fmt.Errorf("database: explaining: %w: %.100s", err, plan)
	}
	work.mu.Lock()
	defer work.mu.Unlock()
	work.pages += explained[0].Plan.Hit + explained[0].Plan.Read
	work.plans = append(work.plans, query+"\n"+plan)
	return nil
}
