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

// One gives the file to its owner, and to who looks after files in its area; else nil.
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
	if err := checkCursor(page); err != nil {
		return Page{}, err
	}
	return s.page(ctx, page, func(tx *sqlx.Tx) ([]*FileAsset, error) { return list(ctx, tx, p, filter, page) })
}

func checkCursor(page keyset.Page) error {
	if page.After != nil && !input.ID(page.After[0]) {
		return fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return nil
}

func (s *Service) page(ctx context.Context, page keyset.Page, read func(*sqlx.Tx) ([]*FileAsset, error)) (Page, error) {
	var rows []*FileAsset
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = read(tx)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, func(f *FileAsset) []string { return []string{f.ID} })
	return Page{Files: found, Info: info}, nil
}

// Versions gives the versions of those files whose life the caller may see,
// newest first, by file. One statement, under row-level security.
func (s *Service) Versions(ctx context.Context, files []*FileAsset) (map[*FileAsset][]*FileVersion, error) {
	found := make(map[*FileAsset][]*FileVersion, len(files))
	var ids []string
	for _, f := range files {
		if found[f] = []*FileVersion{}; s.KnownTo(ctx, f) {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	of := map[string][]*FileVersion{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := versions(ctx, tx, ids)
		for _, v := range list {
			of[v.FileID] = append(of[v.FileID], v)
		}
		return err
	})
	for _, f := range files {
		for _, v := range of[f.ID] { // the same file may be there twice, as two answers' object
			of := *v
			of.Of = f
			found[f] = append(found[f], &of)
		}
	}
	return found, err
}
