package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/embedded"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
)

// auditVerify reads the whole audit log as the owner of the database, and says
// the first entry of each day that is wrong.
func auditVerify(ctx context.Context, settings config.AuditVerify, at terminal) error {
	if settings.PublicKey == "" {
		settings.PublicKey = audit.PublicFile(filepath.Join(settings.Data, "keys", "audit.key"))
	}
	text, err := os.ReadFile(settings.PublicKey)
	if err != nil {
		return fmt.Errorf("the public keys of the seals cannot be read: %w", err)
	}
	keys, err := audit.ParsePublicKeys(string(text))
	if err != nil {
		return err
	}
	known, err := remembered(settings.Remember)
	if err != nil {
		return err
	}
	var report *audit.Report
	err = asOwner(ctx, settings.Database, func(db *sqlx.DB) error {
		// One view of all: what is appended meanwhile does not count.
		tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err != nil {
			return fmt.Errorf("reading the audit log: %w", err)
		}
		defer func() { _ = tx.Rollback() }()
		report, err = audit.Verify(ctx, tx, audit.Check{Keys: keys, From: settings.From, To: settings.To, Now: time.Now(), Known: known})
		return err
	})
	if err != nil {
		return err
	}
	if len(report.Found) > 0 {
		for _, found := range report.Found[1:] {
			fmt.Fprintln(at.out, found.String())
		}
		return fmt.Errorf("the audit log was tampered with: %s", &report.Found[0])
	}
	fmt.Fprintf(at.out, "audit log: %d days, %d entries, nothing wrong\n", report.Days, report.Entries)
	return remember(settings.Remember, known, report)
}

// head is how far a day was, in the file of --remember.
type head struct {
	Count int64  `json:"count"`
	Root  string `json:"root"`
}

// remembered reads what the last verification found.
func remembered(path string) (map[string]audit.Known, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("what the last verification found cannot be read: %w", err)
	}
	var heads map[string]head
	if err := json.Unmarshal(text, &heads); err != nil {
		return nil, fmt.Errorf("%s is no file of --remember: %w", path, err)
	}
	known := make(map[string]audit.Known, len(heads))
	for day, h := range heads {
		root, err := hex.DecodeString(h.Root)
		if err != nil {
			return nil, fmt.Errorf("%s is no file of --remember", path)
		}
		known[day] = audit.Known{Count: h.Count, Root: root}
	}
	return known, nil
}

// remember writes down what this one found, besides the days that it did not look at.
func remember(path string, known map[string]audit.Known, report *audit.Report) error {
	if path == "" {
		return nil
	}
	heads := map[string]head{}
	for _, from := range []map[string]audit.Known{known, report.Heads} {
		for day, k := range from {
			heads[day] = head{k.Count, hex.EncodeToString(k.Root)}
		}
	}
	text, err := json.MarshalIndent(heads, "", "\t")
	if err != nil {
		return err
	}
	beside := path + ".new"
	if err := errors.Join(os.WriteFile(beside, append(text, '\n'), 0o600), os.Rename(beside, path)); err != nil {
		return fmt.Errorf("what was found cannot be written down: %w", err)
	}
	return nil
}

// asOwner runs fn on the database as its owner: that of the URL, else that of
// the data folder, running or started for this.
func asOwner(ctx context.Context, where config.Database, fn func(*sqlx.DB) error) (err error) {
	url := where.DatabaseURL
	if url == "" {
		state, err := embedded.OpenOrAttach(ctx, stateSettings(config.State{Data: where.Data}, slog.New(slog.DiscardHandler)))
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statePatience)
			defer cancel()
			err = errors.Join(err, state.Close(ctx))
		}()
		url = state.DatabaseURL
	}
	db, err := sqlx.Open("postgres", url)
	if err != nil {
		return fmt.Errorf("connecting as the owner: %w", err)
	}
	defer func() { _ = db.Close() }()
	return fn(db)
}
