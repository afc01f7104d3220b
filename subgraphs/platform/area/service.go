package area

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/singleflight"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service answers questions about areas, to anybody. The divisions are a few
// thousand rows that everything refers to and that change a few times a year:
// it keeps them in memory and looks at the database again after a minute.
type Service struct {
	db     *database.DB
	now    func() time.Time
	log    *slog.Logger
	held   atomic.Pointer[held]
	flight singleflight.Group
}

// held is the tree with the time at which it was read.
type held struct {
	tree *Tree
	at   time.Time
}

const (
	// fresh is how long a tree is taken as it is.
	fresh = time.Minute
	// reading bounds the reading of all areas.
	reading = 10 * time.Second
)

// New makes the service.
func New(db *database.DB, now func() time.Time, log *slog.Logger) *Service {
	return &Service{db: db, now: now, log: log}
}

// Tree gives the present divisions. Only the very first call waits for the
// database; later an old tree answers while the new one is read.
func (s *Service) Tree(ctx context.Context) (*Tree, error) {
	held := s.held.Load()
	if held != nil && s.now().Sub(held.at) < fresh {
		return held.tree, nil
	}
	// on behalf of all who ask, so not bound to this request
	arrives := s.flight.DoChan("", func() (any, error) { return s.read() })
	if held != nil {
		return held.tree, nil
	}
	select {
	case result := <-arrives:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*Tree), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Service) read() (*Tree, error) {
	ctx, cancel := context.WithTimeout(context.Background(), reading)
	defer cancel()
	at := s.now()
	var areas []*Area
	err := s.db.Read(ctx, func(tx *sqlx.Tx) (err error) {
		areas, err = all(ctx, tx)
		return err
	})
	if err != nil {
		s.log.WarnContext(ctx, "the divisions were not read, will try again", "error", err)
		return nil, err
	}
	tree := newTree(areas)
	s.held.Store(&held{tree: tree, at: at})
	return tree, nil
}

// ByCodes gives the areas of the codes, by code; unknown ones are left out.
func (s *Service) ByCodes(ctx context.Context, codes []string) (map[string]*Area, error) {
	tree, err := s.Tree(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*Area, len(codes))
	for _, code := range codes {
		if a := tree.ByCode(code); a != nil {
			found[code] = a
		}
	}
	return found, nil
}

// List gives a page of the chosen areas, ordered by code.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) ([]*Area, *keyset.PageInfo, error) {
	f, err := f.Check()
	if err != nil {
		return nil, nil, err
	}
	tree, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	areas, info := tree.List(f, page, s.today())
	return areas, info, nil
}

// Children gives a page of the areas right below the area, ordered by code.
func (s *Service) Children(ctx context.Context, a *Area, page keyset.Page) ([]*Area, *keyset.PageInfo, error) {
	tree, err := s.Tree(ctx)
	if err != nil {
		return nil, nil, err
	}
	areas, info := tree.Children(a.Code, page, s.today())
	return areas, info, nil
}

func (s *Service) today() string { return s.now().Format(time.DateOnly) }
