package database

import (
	"database/sql/driver"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows are a statement's answer as database/sql wants it.
type rows struct {
	conn    *conn
	rows    pgx.Rows
	batch   pgx.BatchResults // what the rows came with; nil when alone
	failed  error            // before there were rows
	ahead   bool             // one Next was called already, with the result pending
	pending bool
	names   []string
}

// Columns implements driver.Rows.
func (r *rows) Columns() []string {
	if r.names == nil {
		fields := r.rows.FieldDescriptions()
		r.names = make([]string, len(fields))
		for i := range fields {
			r.names[i] = fields[i].Name
		}
	}
	return r.names
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	r.rows.Close()
	err := r.rows.Err()
	if r.batch != nil {
		if closed := r.batch.Close(); err == nil {
			err = closed
		}
	}
	if err != nil && r.conn.tx != nil {
		r.conn.tx.broken = err
	}
	return err
}

// Next implements driver.Rows.
func (r *rows) Next(into []driver.Value) error {
	more := r.pending
	if !r.ahead {
		more = r.rows.Next()
	}
	r.ahead = false
	if !more {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	types, fields := r.conn.Conn.Conn().TypeMap(), r.rows.FieldDescriptions()
	for i, raw := range r.rows.RawValues() {
		value, err := decode(types, fields[i].DataTypeOID, fields[i].Format, raw)
		if err != nil {
			return fmt.Errorf("database: reading column %s: %w", fields[i].Name, err)
		}
		into[i] = value
	}
	return nil
}

// decode makes one of database/sql's values; a type that pgx does not know
// comes as text.
func decode(types *pgtype.Map, oid uint32, format int16, raw []byte) (driver.Value, error) {
	if raw == nil {
		return nil, nil
	}
	if known, ok := types.TypeForOID(oid); ok {
		return known.Codec.DecodeDatabaseSQLValue(types, oid, format, raw)
	}
	return string(raw), nil
}

// textArray is an array that goes over the wire as text, which is what
// database/sql's scanners of arrays read.
type textArray struct{ *pgtype.ArrayCodec }

// PreferredFormat implements pgtype.Codec.
func (textArray) PreferredFormat() int16 { return pgtype.TextFormatCode }
