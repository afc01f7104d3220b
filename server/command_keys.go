package main

import (
	"context"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	record "github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// keyring is what the commands of the keys work on.
type keyring struct {
	path string
	keys *personal.Keys
	db   *sqlx.DB
	at   terminal
}

// withKeyring opens the keys of the data folder and the database, and runs fn.
func withKeyring(ctx context.Context, where config.Database, at terminal, fn func(*keyring) error) error {
	return asOwner(ctx, where, func(db *sqlx.DB) error {
		path := filepath.Join(where.Data, "keys", "personal.key")
		keys, err := personal.LoadKeys(path)
		if err != nil {
			return err
		}
		return fn(&keyring{path, keys, db, at})
	})
}

// recorded runs do when it stands in the audit log that it will be done.
func (k *keyring) recorded(ctx context.Context, action, what string, do func() error) error {
	ctx = access.AsSystem(ctx, "command line")
	tx, err := k.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := database.Scope(ctx, tx); err != nil {
		return err
	}
	r := record.Record{
		ID: uuid.Must(uuid.NewV7()).String(), At: time.Now().UTC().Truncate(time.Microsecond), Subgraph: "platform", Action: action, Result: record.Done,
		Actor: record.Actor{Kind: access.System, ID: "command line", Name: "command line"}, Client: "command line",
		Purpose: what, Changes: []record.Entry{{Target: record.Target{Kind: "Key"}}},
	}
	if err := record.Append(ctx, tx, "platform", r); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return do()
}

func keysList(ctx context.Context, settings config.KeysList, at terminal) error {
	return withKeyring(ctx, settings.Database, at, func(k *keyring) error {
		table := tabwriter.NewWriter(at.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "key\tfor\tin use from\t")
		for _, key := range k.keys.List() {
			use, from, mark := string(key.Algorithm), "ever since", ""
			if key.Index {
				use = "blind index"
			}
			if !key.From.IsZero() {
				from = key.From.Local().Format(time.DateTime)
			}
			if key.Current {
				mark = "in use"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, use, from, mark)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		return k.left(ctx, func(c personal.Column, left int64) {
			fmt.Fprintf(at.out, "%s: %d rows need older keys\n", c.Field, left)
		})
	})
}

// left tells of each column how many rows need older keys.
func (k *keyring) left(ctx context.Context, tell func(personal.Column, int64)) error {
	sealing := &personal.Sealing{DB: k.db, Keys: k.keys}
	for _, c := range personal.Columns {
		left, err := sealing.Left(ctx, c)
		if err != nil {
			return err
		}
		tell(c, left)
	}
	return nil
}

func keysRotate(ctx context.Context, settings config.KeysRotate, at terminal) error {
	return withKeyring(ctx, settings.Database, at, func(k *keyring) error {
		from := time.Now().Add(settings.After)
		what := "new key, " + settings.Algorithm
		if settings.Index {
			what = "new key of the blind index"
		}
		return k.recorded(ctx, "rotateKeys", what, func() error {
			make := func() (string, error) { return personal.Rotate(k.path, personal.Algorithm(settings.Algorithm), from) }
			if settings.Index {
				make = func() (string, error) { return personal.RotateIndex(k.path, from) }
			}
			id, err := make()
			if err != nil {
				return err
			}
			fmt.Fprintf(at.out, "%s %s comes into use at %s; then run keys re-encrypt\n", what, id, from.Format(time.DateTime))
			return nil
		})
	})
}

func keysReencrypt(ctx context.Context, settings config.KeysReencrypt, at terminal) error {
	return withKeyring(ctx, settings.Database, at, func(k *keyring) error {
		for _, key := range k.keys.List() {
			if wait := time.Until(key.From); wait > 0 {
				return fmt.Errorf("key %s comes into use in %s: run this then", key.ID, wait.Round(time.Second))
			}
		}
		sealing := &personal.Sealing{DB: k.db, Keys: k.keys, Batch: settings.Batch, Told: func(personal.Column, int64) { time.Sleep(settings.Pause) }}
		return k.recorded(ctx, "reencrypt", "all rows by the keys in use", func() error {
			for _, c := range personal.Columns {
				n, err := sealing.All(ctx, c)
				fmt.Fprintf(at.out, "%s: %d rows sealed anew\n", c.Field, n)
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func keysRetire(ctx context.Context, settings config.KeysRetire, at terminal) error {
	return withKeyring(ctx, settings.Database, at, func(k *keyring) error {
		var needed int64
		if err := k.left(ctx, func(_ personal.Column, left int64) { needed += left }); err != nil {
			return err
		}
		if needed > 0 {
			return fmt.Errorf("%d rows need older keys: run keys re-encrypt first", needed)
		}
		return k.recorded(ctx, "retireKeys", "older keys taken out of the files", func() error {
			n, err := personal.Retire(k.path, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintf(at.out, "%d keys retired\n", n)
			return nil
		})
	})
}
