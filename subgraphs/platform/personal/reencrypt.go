package personal

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
)

// Sealing brings the rows of a database to the keys that are in use, batch by
// batch, while the platform runs. Where it is stopped it goes on: each batch
// remembers how far it came in its own transaction.
type Sealing struct {
	DB    *sqlx.DB // the owner's
	Keys  *Keys
	Batch int
	// Told is called after each batch; nil tells nobody.
	Told func(c Column, done int64)
}

// All brings the columns to the keys that are in use now, and gives the number
// of rows that were sealed anew.
func (s *Sealing) All(ctx context.Context, columns ...Column) (int64, error) {
	var changed int64
	for _, c := range columns {
		n, err := s.column(ctx, c)
		changed += n
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// column walks the whole column once, and then as often as somebody who had
// begun before wrote rows with older keys behind it.
func (s *Sealing) column(ctx context.Context, c Column) (changed int64, err error) {
	if there, err := s.there(ctx, c); err != nil || !there {
		return 0, err
	}
	for {
		for more := true; more; {
			n, walked, err := s.batch(ctx, c)
			changed += int64(n)
			if err != nil {
				return changed, err
			}
			if more = walked == s.Batch; s.Told != nil {
				s.Told(c, changed)
			}
		}
		left, err := s.Left(ctx, c)
		if err != nil || left == 0 {
			return changed, err
		}
		if err := s.again(ctx, c); err != nil {
			return changed, err
		}
	}
}

// task names what the column is brought to.
func (s *Sealing) task(c Column) string {
	held, now := s.Keys.ring(), s.Keys.now()
	name := hex.EncodeToString(held.current(now).header)
	if c.Index != "" {
		name += "+" + indexID(held.index(now).id)
	}
	return name
}

// within runs fn in a transaction of the owner that acts as the system.
func (s *Sealing) within(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "keys"), time.Minute)
	defer cancel()
	tx, err := s.DB.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("personal: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := database.Scope(ctx, tx); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// batch seals the next rows anew. It holds them locked for as long as that
// takes; a change of a row waits, and its own sealing comes after.
func (s *Sealing) batch(ctx context.Context, c Column) (changed, walked int, err error) {
	err = s.within(ctx, func(tx *sqlx.Tx) error {
		task := s.task(c)
		var after string
		err := tx.GetContext(ctx, &after, `INSERT INTO platform.sealing (field, task) VALUES ($1, $2)
			ON CONFLICT (field, task) DO UPDATE SET field = excluded.field RETURNING after::text`, c.Field, task)
		if err != nil {
			return fmt.Errorf("personal: %s: how far it came: %w", c.Field, err)
		}
		var rows []struct {
			ID     string `db:"id"`
			Sealed []byte `db:"sealed"`
			Index  []byte `db:"index"`
		}
		index := c.Index
		if index == "" {
			index = "NULL::bytea"
		}
		err = tx.SelectContext(ctx, &rows, `SELECT `+c.ID+` AS id, `+c.Sealed+` AS sealed, `+index+` AS index FROM `+c.Table+`
			WHERE `+c.ID+` > $1 AND `+c.Sealed+` IS NOT NULL ORDER BY `+c.ID+` LIMIT $2 FOR NO KEY UPDATE`, after, s.Batch)
		if err != nil {
			return fmt.Errorf("personal: %s: reading: %w", c.Field, err)
		}
		if walked = len(rows); walked == 0 {
			return nil
		}
		var ids []string
		var sealed, indexes [][]byte
		header, indexer := s.Keys.ring().current(s.Keys.now()).header, s.Keys.Indexer(c.Field)
		for _, row := range rows {
			text, err := s.Keys.Open(c.Place(row.ID), row.Sealed)
			if err != nil {
				return err
			}
			fresh := row.Index
			if c.Index != "" {
				fresh = indexer.Of(text)
			}
			if bytes.HasPrefix(row.Sealed, header) && bytes.Equal(fresh, row.Index) {
				continue
			}
			ids, sealed, indexes = append(ids, row.ID), append(sealed, s.Keys.Seal(c.Place(row.ID), text)), append(indexes, fresh)
		}
		changed = len(ids)
		set := c.Sealed + ` = fresh.sealed`
		if c.Index != "" {
			set += `, ` + c.Index + ` = fresh.index`
		}
		_, err = tx.ExecContext(ctx, `UPDATE `+c.Table+` AS row SET `+set+`
			FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS fresh (id, sealed, index) WHERE row.`+c.ID+` = fresh.id`,
			pq.Array(ids), pq.Array(sealed), pq.Array(indexes))
		if err != nil {
			return fmt.Errorf("personal: %s: sealing anew: %w", c.Field, err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE platform.sealing SET after = $3, rows = rows + $4, at = now() WHERE field = $1 AND task = $2`,
			c.Field, task, rows[len(rows)-1].ID, changed)
		return err
	})
	return changed, walked, err
}

// there says whether the database has the column's table: one that a later
// version has yet to migrate may not.
func (s *Sealing) there(ctx context.Context, c Column) (there bool, err error) {
	if err := s.DB.GetContext(ctx, &there, `SELECT to_regclass($1) IS NOT NULL`, c.Table); err != nil {
		return false, fmt.Errorf("personal: %s: %w", c.Field, err)
	}
	return there, nil
}

// Left counts the rows that are not sealed, or not indexed, by the keys in use.
func (s *Sealing) Left(ctx context.Context, c Column) (left int64, err error) {
	if there, err := s.there(ctx, c); err != nil || !there {
		return 0, err
	}
	return left, s.within(ctx, func(tx *sqlx.Tx) error {
		held, now := s.Keys.ring(), s.Keys.now()
		header := held.current(now).header
		condition, args := `length(`+c.Sealed+`) > 0 AND (substring(`+c.Sealed+` FROM 1 FOR 6) <> $1`, []any{header}
		if c.Index != "" {
			if id := held.index(now).id; id == "" {
				condition += ` OR length(` + c.Index + `) <> 32`
			} else {
				condition += ` OR length(` + c.Index + `) = 32 OR substring(` + c.Index + ` FROM 1 FOR 4) <> $2`
				args = append(args, []byte(id))
			}
		}
		if err := tx.GetContext(ctx, &left, `SELECT count(*) FROM `+c.Table+` WHERE `+condition+`)`, args...); err != nil {
			return fmt.Errorf("personal: %s: counting: %w", c.Field, err)
		}
		return nil
	})
}

// again begins the walk anew.
func (s *Sealing) again(ctx context.Context, c Column) error {
	return s.within(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM platform.sealing WHERE field = $1 AND task = $2`, c.Field, s.task(c))
		return err
	})
}
