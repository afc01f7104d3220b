package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

// edition names one version of one definition.
type edition struct {
	key     string
	version int
}

// library keeps the parsed versions that were published: they do not change
// any more, and are few.
type library struct {
	mu    sync.RWMutex
	books map[edition]*definition.Definition
}

func (l *library) get(e edition) *definition.Definition {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.books[e]
}

func (l *library) put(e edition, d *definition.Definition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.books == nil {
		l.books = map[edition]*definition.Definition{}
	}
	l.books[e] = d
}

// edition gives the version's definition, published now or once.
func (s *Service) edition(ctx context.Context, tx sqlx.QueryerContext, e edition) (*definition.Definition, error) {
	if d := s.parts.get(e); d != nil {
		return d, nil
	}
	var body string
	err := sqlx.GetContext(ctx, tx, &body, `SELECT body FROM platform.workflow_definition WHERE key = $1 AND version = $2`, e.key, e.version)
	if err != nil {
		return nil, fmt.Errorf("workflow: reading %s version %d: %w", e.key, e.version, err)
	}
	d, problems := definition.Parse([]byte(body))
	if len(problems) > 0 { // a rule that came later: what runs goes on by the old ones only if it can
		return nil, fmt.Errorf("workflow: %s version %d: %s: %s", e.key, e.version, problems[0].Field, problems[0].Message)
	}
	s.parts.put(e, d)
	return d, nil
}

// published gives the version of the key that new instances run on.
func (s *Service) published(ctx context.Context, tx sqlx.QueryerContext, key string) (edition, *definition.Definition, error) {
	e := edition{key: key}
	err := sqlx.GetContext(ctx, tx, &e.version, `SELECT version FROM platform.workflow_definition WHERE key = $1 AND state = 'PUBLISHED'`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return e, nil, fault.Invalid("input.definitionKey", "没有已发布的流程“%s”", key)
	}
	if err != nil {
		return e, nil, fmt.Errorf("workflow: which version of %s is published: %w", key, err)
	}
	d, err := s.edition(ctx, tx, e)
	return e, d, err
}

// bind gives each instance its definition.
func (s *Service) bind(ctx context.Context, tx sqlx.QueryerContext, list ...*WorkflowInstance) error {
	for _, i := range list {
		d, err := s.edition(ctx, tx, edition{i.DefinitionKey, i.DefinitionVersion})
		if err != nil {
			return err
		}
		i.definition = d
	}
	return nil
}

// byPlatform is the author of the definitions that come with the platform.
const byPlatform = "platform"

// Install publishes the definitions that come with the platform, where they are
// new or have changed. One that an administrator has published since stays.
func (s *Service) Install(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "workflow")
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return Install(ctx, tx, s.Now()) })
}

// Install is Service.Install within a transaction as the system.
func Install(ctx context.Context, tx sqlx.ExtContext, now time.Time) error {
	builtins, err := definition.Builtins()
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('platform.workflow_definition'))`); err != nil {
		return fmt.Errorf("workflow: installing: %w", err)
	}
	for _, b := range builtins {
		var latest struct {
			Version int    `db:"version"`
			Body    string `db:"body"`
			By      string `db:"created_by"`
		}
		err := sqlx.GetContext(ctx, tx, &latest, `SELECT version, body, created_by FROM platform.workflow_definition WHERE key = $1 AND state = 'PUBLISHED'`, b.Key)
		known := err == nil
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("workflow: installing %s: %w", b.Key, err)
		}
		if known && (latest.Body == string(b.Body) || latest.By != byPlatform) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE platform.workflow_definition SET state = 'RETIRED', retired_at = $2, row_version = row_version + 1
			WHERE key = $1 AND state = 'PUBLISHED'`, b.Key, now); err != nil {
			return fmt.Errorf("workflow: installing %s: %w", b.Key, err)
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO platform.workflow_definition (key, version, state, name, module, body, created_by, created_at, published_at)
			SELECT $1, 1 + coalesce(max(version), 0), 'PUBLISHED', $2, $3, $4, $5, $6, $6 FROM platform.workflow_definition WHERE key = $1`,
			b.Key, b.Name, b.Module, string(b.Body), byPlatform, now)
		if err != nil {
			return fmt.Errorf("workflow: installing %s: %w", b.Key, err)
		}
	}
	return nil
}
