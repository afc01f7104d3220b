package file

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const (
	sweepEvery     = time.Minute
	removePatience = 30 * time.Second
)

// Run scans, removes uploads that expired, and purges, until the context ends.
// Several processes may run it at once.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.Scan(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "files not scanned, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.kick:
			continue
		case <-ticker.C:
		}
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "files not purged, will try again", "error", err)
		}
	}
}

// Sweep does what is due, at most a batch of each: uploads that expired, files
// whose time is over, content that nobody refers to. What it was killed in the
// middle of, the next does.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "file")
	now := s.Now()
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		ids, err := expired(ctx, tx, now, batchSize)
		for _, id := range ids {
			if err == nil {
				err = s.remove(ctx, tx, id)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		ids, err := ended(ctx, tx, now.Add(-grace), now, batchSize)
		for _, id := range ids {
			if err == nil {
				err = s.end(ctx, tx, id, now)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.removeContent(ctx, now)
}

// end takes a deleted file, locked, one step on: to the archive while its
// retention runs or it is held, else its content goes.
func (s *Service) end(ctx context.Context, tx *sqlx.Tx, id string, now time.Time) error {
	f, err := forUpdate(ctx, tx, id)
	if err != nil || f == nil {
		return err
	}
	was := f.State
	if f.Held || now.Before(f.RetainUntil) {
		if !was.may(Archived) {
			return nil
		}
		f.State = Archived
		return s.changed(ctx, tx, f, change{action: "archive", from: was, at: now})
	}
	return s.purge(ctx, tx, f, now)
}

// purge takes the content of a deleted file, locked, away.
func (s *Service) purge(ctx context.Context, tx *sqlx.Tx, f *FileAsset, now time.Time) error {
	was := f.State
	if !was.may(Purged) {
		return nil
	}
	f.State, f.Hash, f.Name = Purged, nil, ""
	if err := s.changed(ctx, tx, f, change{action: "purge", from: was, at: now}); err != nil {
		return err
	}
	hashes, err := dropVersions(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	for _, hash := range hashes {
		key, err := dropBlob(ctx, tx, hash)
		if err != nil {
			return err
		}
		if key != "" {
			if err := announce(ctx, tx, now, append(thumbnailKeys(hash), key)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeContent removes announced content from the file store. The announcement
// goes after the content: a removal that was cut off is done again.
func (s *Service) removeContent(ctx context.Context, now time.Time) error {
	var keys []string
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		keys, err = removals(ctx, tx, now, 10*batchSize)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	for _, key := range keys {
		if err := s.removeKey(ctx, key); err != nil {
			return err
		}
	}
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return recall(ctx, tx, keys...) })
}

func (s *Service) removeKey(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, removePatience)
	defer cancel()
	return s.Files.Delete(ctx, key)
}
