package file

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// FileAction is what was done with a file.
type FileAction string

// FileEvent is a line of a file's history.
type FileEvent struct {
	FileID    string      `db:"file_id"`
	Action    FileAction  `db:"action"`
	From      *State      `db:"from_state"` // nil for an upload
	To        State       `db:"to_state"`
	ActorKind access.Kind `db:"actor_kind"`
	ActorID   string      `db:"actor_id"`
	Note      string      `db:"note"`
	At        time.Time   `db:"at"`
}

// Histories gives the last events of those files that the caller looks after,
// newest first, by file. One statement.
func (s *Service) Histories(ctx context.Context, files []*FileAsset) (map[*FileAsset][]*FileEvent, error) {
	found := make(map[*FileAsset][]*FileEvent, len(files))
	var ids []string
	for _, f := range files {
		if found[f] = []*FileEvent{}; f.AreaCode != "" && caresFor(access.From(ctx), f.AreaCode) {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	of := map[string][]*FileEvent{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := histories(ctx, tx, ids)
		for _, e := range list {
			of[e.FileID] = append(of[e.FileID], e)
		}
		return err
	})
	for _, f := range files {
		if list := of[f.ID]; list != nil {
			found[f] = list
		}
	}
	return found, err
}

// histories gives up to two hundred events of each file, newest first.
func histories(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]*FileEvent, error) {
	var found []*FileEvent
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT of.* FROM unnest($1::uuid[]) AS asked (id) CROSS JOIN LATERAL (
			SELECT file_id, upper(action) AS action, nullif(from_state, '') AS from_state, to_state, actor_kind, actor_id, note, at
			FROM platform.file_history WHERE file_id = asked.id ORDER BY seq DESC LIMIT 200) AS of`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("file: histories: %w", err)
	}
	return found, nil
}
