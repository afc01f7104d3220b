package file

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// ByIDs gives the files of the IDs, by ID, to anybody who is signed in: a
// file's ID is only handed out by what it is attached to, and that decides who
// may see it. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*FileAsset, error) {
	if access.From(ctx) == nil {
		return map[string]*FileAsset{}, nil
	}
	return s.find(access.AsSystem(ctx, "file"), ids)
}

func (s *Service) find(ctx context.Context, ids []string) (map[string]*FileAsset, error) {
	asked := input.IDs(ids)
	found := make(map[string]*FileAsset, len(asked))
	if len(asked) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, asked)
		for _, f := range list {
			found[f.ID] = f
		}
		return err
	})
}

// One gives the file to its owner, and to who may hold it in their scope; else nil.
func (s *Service) One(ctx context.Context, id string) (*FileAsset, error) {
	if access.From(ctx) == nil {
		return nil, nil
	}
	found, err := s.find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if f := found[id]; f != nil && f.knownTo(access.From(ctx)) {
		return f, nil
	}
	return nil, nil
}

// KnownTo says whether the caller may see the file's life: hash, versions, retention.
func (s *Service) KnownTo(ctx context.Context, f *FileAsset) bool { return f.knownTo(access.From(ctx)) }

// Filter narrows a list; nil takes every kind, and the states that are not at the end.
type Filter struct {
	States []State
	Kinds  []Kind
}

func (f Filter) states() []string {
	if len(f.States) == 0 {
		return []string{string(Scanning), string(Available), string(Quarantined)}
	}
	return texts(f.States)
}

func (f Filter) kinds() []string { return texts(f.Kinds) }

func texts[T ~string](list []T) []string {
	var out []string
	for _, one := range list {
		out = append(out, string(one))
	}
	return out
}

// Page is a page of files.
type Page struct {
	Files []*FileAsset
	Info  *keyset.PageInfo
}

// Mine gives a page of the caller's files, newest first.
func (s *Service) Mine(ctx context.Context, filter Filter, page keyset.Page) (Page, error) {
	p, err := uploader(ctx)
	if err != nil {
		return Page{}, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*FileAsset
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, p, filter, page)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, func(f *FileAsset) []string { return []string{f.ID} })
	return Page{Files: found, Info: info}, nil
}

// Versions gives the versions of those files of the IDs that row-level security
// shows the caller, newest first, by file. One statement.
func (s *Service) Versions(ctx context.Context, ids []string) (map[string][]*FileVersion, error) {
	asked := input.IDs(ids)
	found := make(map[string][]*FileVersion, len(asked))
	if access.From(ctx) == nil || len(asked) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := versions(ctx, tx, asked)
		for _, v := range list {
			found[v.FileID] = append(found[v.FileID], v)
		}
		return err
	})
}
