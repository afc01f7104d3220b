package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds the end of a transaction, which no context may cut short.
const patience = 10 * time.Second

// transaction is one of database/sql's. With begin it is one of PostgreSQL's
// too, which the first statement opens; without, each of its statements is one
// by itself, and there is nothing to end.
type transaction struct {
	conn     *conn
	scope    scope // of whoever began it, for all its statements
	begin    string
	open     bool   // whether the server was told to begin
	planning string // how it plans, once open
	broken   error  // what failed: nothing may follow but the end
}

// further is what has to stand before a further statement of an open
// transaction: nothing, unless it wants to be planned in another way.
func (t *transaction) further(ctx context.Context) *pgx.Batch {
	batch := new(pgx.Batch)
	if wanted := planning(ctx); wanted != t.planning {
		batch.Queue(`SELECT set_config('plan_cache_mode', $1, true)`, wanted)
		t.planning = wanted
	}
	return batch
}

// Commit implements driver.Tx. What failed cannot be committed, even by who
// ignored the error.
func (t *transaction) Commit() error {
	if t.broken != nil {
		_ = t.Rollback()
		return fmt.Errorf("database: nothing to commit, the transaction has failed before: %w", t.broken)
	}
	return t.end("COMMIT")
}

// Rollback implements driver.Tx.
func (t *transaction) Rollback() error { return t.end("ROLLBACK") }

func (t *transaction) end(how string) error {
	server := t.conn.Conn.Conn()
	t.conn.tx = nil
	if !t.open || server.IsClosed() || how == "ROLLBACK" && server.PgConn().TxStatus() == 'I' {
		if how == "COMMIT" && t.open {
			return errors.New("database: the connection was lost before the commit")
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	results, err := server.PgConn().Exec(ctx, how).ReadAll() // the simple protocol: one message
	if err != nil {
		_ = server.Close(ctx) // nobody may inherit a transaction in an unknown state
		return err
	}
	if len(results) != 1 || results[0].CommandTag.String() != how {
		return fmt.Errorf("database: %s ended otherwise: %v", how, results)
	}
	return nil
}

// forget undoes a beginning whose first statement failed, so that it can be
// made once more.
func (t *transaction) forget() {
	if t == nil {
		return
	}
	tx := t.conn.tx
	_ = t.end("ROLLBACK")
	t.conn.tx, t.open, t.broken = tx, false, nil
}
