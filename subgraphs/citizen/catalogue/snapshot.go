package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/event"
)

// Edition is the published catalogue as one process holds it in memory: what
// everybody sees, so nobody may change it. Its size is the catalogue's.
type Edition struct {
	// Services are the published ones, in the list's order; those that came
	// after the list follow by code.
	Services    []*Service
	byID        map[string]*Service
	categories  []*ServiceCategory
	departments []*Department
}

// Service gives the published service of the ID; nil if there is none.
func (e *Edition) Service(id string) *Service { return e.byID[id] }

// by finds a service by its code or by its number in the city's list.
func (e *Edition) by(code *string, seqNo *int) *Service {
	for _, s := range e.Services {
		if code != nil && s.Code == *code || code == nil && s.SeqNo != nil && *s.SeqNo == *seqNo {
			return s
		}
	}
	return nil
}

// Ordered gives the first services of the IDs, in their order; those that are
// not published drop out.
func (e *Edition) Ordered(ids []string, first int) []*Service {
	found := make([]*Service, 0, min(first, len(ids)))
	for _, id := range ids {
		if s := e.byID[id]; s != nil && len(found) < first {
			found = append(found, s)
		}
	}
	return found
}

// counts gives the number of services of each of what of names.
func (e *Edition) counts(of func(*Service) string) map[string]int {
	counts := map[string]int{}
	for _, s := range e.Services {
		counts[of(s)]++
	}
	return counts
}

// stampSQL tells one state of the published catalogue from all others: xmin is
// another with each change of a row, however it was made. These are a few
// hundred rows, so no index would be cheaper; row-level security shows nobody's
// reader the published ones alone. The last part is for the counts of use.
const stampSQL = `SELECT concat_ws('.', count(*), sum(hashtextextended(id || xmin::text, 0)), (SELECT sum(total) FROM citizen.popularity WHERE area_code = '` + division.CityCode + `'))
	FROM (SELECT id::text, xmin FROM citizen.service WHERE publication = 'PUBLISHED'
		UNION ALL SELECT id::text, xmin FROM citizen.service_entry
		UNION ALL SELECT id, xmin FROM citizen.service_category
		UNION ALL SELECT id, xmin FROM citizen.department) r`

// edition reads the published catalogue, as nobody: row-level security keeps
// drafts out even if the condition here did not.
func (c *Catalogue) edition(ctx context.Context, known string) (e *Edition, stamp string, err error) {
	err = c.db.Read(access.With(ctx, nil), func(tx *sqlx.Tx) error {
		// the stamp first: what changes in between is then read again, not missed
		if err := tx.GetContext(ctx, &stamp, stampSQL); err != nil {
			return fmt.Errorf("catalogue: looking for changes: %w", err)
		}
		if stamp == known {
			return nil
		}
		all := new(Edition)
		if all.Services, err = read(ctx, tx, `s.publication = 'PUBLISHED' ORDER BY s.seq_no, s.code COLLATE "C"`); err != nil {
			return err
		}
		if all.categories, err = categories(ctx, tx); err != nil {
			return err
		}
		if all.departments, err = departments(ctx, tx); err != nil {
			return err
		}
		e = all
		return nil
	})
	if err != nil || e == nil {
		return nil, stamp, err
	}
	e.byID = make(map[string]*Service, len(e.Services))
	for _, s := range e.Services {
		e.byID[s.ID] = s
	}
	return e, stamp, nil
}

// Published gives the published catalogue. A change by this process is in it
// at once, one by another within a second by its event (see Watch), and in any
// case within five seconds.
func (c *Catalogue) Published(ctx context.Context) (*Edition, error) { return c.published.Get(ctx) }

// shared gives the published catalogue for callers who see nothing else, and
// nil for those who manage services: these read the database, drafts and all.
func (c *Catalogue) shared(ctx context.Context) (*Edition, error) {
	if access.From(ctx).May(access.ServiceManage) {
		return nil, nil
	}
	return c.Published(ctx)
}

// Renew brings what was committed into this process's copy. Whoever has
// committed a change calls it; a copy that cannot be renewed is dropped, for
// the change itself stands.
func (c *Catalogue) Renew(ctx context.Context) {
	if err := c.published.Renew(ctx); err != nil {
		c.published.Drop()
	}
}

// Listener gives live events; *event.Bus is the real one.
type Listener interface {
	Live(ctx context.Context, subject string) (<-chan event.Event, error)
}

// retry is how long Watch waits before it listens again.
const retry = time.Second

// Watch renews this process's copy at each change by any process, until the
// context ends.
func (c *Catalogue) Watch(ctx context.Context, bus Listener, log *slog.Logger) {
	for ctx.Err() == nil {
		changes, err := bus.Live(ctx, ChangedSubject)
		if err != nil {
			if ctx.Err() == nil {
				log.WarnContext(ctx, "not listening to changes of the catalogue, will try again", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
			continue
		}
		c.Renew(ctx) // what came before we listened
		for range changes {
			for waiting := len(changes); waiting > 0; waiting-- {
				<-changes // one look serves all that have come
			}
			c.Renew(ctx)
		}
	}
}
