package audit

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
)

// Finding is something wrong with the log.
type Finding struct {
	Day  string
	Seq  int64  // of the first entry that is wrong; 0 when it is about the day
	ID   string // of that entry; "" when there is none
	What string
}

// String is the finding in one line.
func (f *Finding) String() string {
	switch {
	case f.Seq == 0:
		return f.Day + ": " + f.What
	case f.ID == "":
		return fmt.Sprintf("%s entry %d: %s", f.Day, f.Seq, f.What)
	}
	return fmt.Sprintf("%s entry %d (%s): %s", f.Day, f.Seq, f.ID, f.What)
}

// Check is what is to be verified, and against what.
type Check struct {
	Keys PublicKeys
	// From and To bound the days, YYYY-MM-DD, both included; "" for all.
	From, To string
	// Now tells which days must be sealed for good.
	Now time.Time
	// Known is what an earlier verification found, by day: how far the log was.
	// It finds what no signature in the database can: a log that was cut short
	// together with its seals. Days out of its reach are of no concern.
	Known map[string]Known
}

// Known is how far a day was.
type Known struct {
	Count int64
	Root  []byte
}

// Report is what a verification found.
type Report struct {
	Days, Entries int64
	Heads         map[string]Known // how far each day is
	// Found are the days' first findings, in order of the days; empty when all is well.
	Found []Finding
}

// grace is how long after midnight a day may still be without its final seal.
const grace = 10 * time.Minute

// Verify reads the log as it is in the database, whoever may have changed it,
// in a transaction that sees one state of it (REPEATABLE READ), and finds for each day the first entry that was changed, removed, inserted or
// moved, and seals that are missing or were not made with a known key.
func Verify(ctx context.Context, tx sqlx.QueryerContext, c Check) (*Report, error) {
	v := &verification{Check: c, report: &Report{Heads: map[string]Known{}}}
	if v.From == "" {
		v.From = "0001-01-01"
	}
	if v.To == "" {
		v.To = "9999-12-31"
	}
	if err := v.readSeals(ctx, tx); err != nil {
		return nil, err
	}
	rows, err := tx.QueryxContext(ctx, `SELECT `+columns+` FROM platform.audit_entry AS entry
		WHERE entry.day BETWEEN $1 AND $2 ORDER BY entry.day, seq, id`, v.From, v.To)
	if err != nil {
		return nil, fmt.Errorf("audit: reading the log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e AuditEntry
		if err := rows.StructScan(&e); err != nil {
			return nil, fmt.Errorf("audit: reading the log: %w", err)
		}
		v.entry(&e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("audit: reading the log: %w", err)
	}
	v.finish("9999-12-32")
	v.vanished()
	return v.report, nil
}

// vanished finds the days that are known from an earlier verification and are
// there no more, neither entries nor seal.
func (v *verification) vanished() {
	for _, day := range slices.Sorted(maps.Keys(v.Known)) {
		if _, there := v.report.Heads[day]; !there && v.From <= day && day <= v.To {
			v.day, v.bad = day, false
			v.found(1, "", "is missing: at the last verification the day had %d entries", v.Known[day].Count)
		}
	}
}

// verification walks the log day by day. The days are those that have a seal,
// and those that have entries.
type verification struct {
	Check
	report *Report
	seals  []*Seal // of days not yet begun
	// The day that is being read:
	day   string
	seal  *Seal // nil when it has none
	count int64
	head  []byte // hash of the last entry
	bad   bool   // the day's first finding was made
	known *Known
	// root is what the last day with a seal came to; nil before the first.
	root []byte
}

func (v *verification) readSeals(ctx context.Context, tx sqlx.QueryerContext) error {
	err := sqlx.SelectContext(ctx, tx, &v.seals, `SELECT `+sealColumns+` FROM platform.audit_seal
		WHERE platform.audit_seal.day BETWEEN $1 AND $2 ORDER BY platform.audit_seal.day`, v.From, v.To)
	if err != nil {
		return fmt.Errorf("audit: reading the seals: %w", err)
	}
	var before []*Seal
	err = sqlx.SelectContext(ctx, tx, &before, `SELECT `+sealColumns+` FROM platform.audit_seal
		WHERE platform.audit_seal.day < $1 ORDER BY platform.audit_seal.day DESC LIMIT 1`, v.From)
	if err != nil {
		return fmt.Errorf("audit: reading the seals: %w", err)
	}
	v.root = nothing
	if len(before) == 1 {
		v.root = before[0].Root
	}
	return nil
}

// found notes the day's first finding.
func (v *verification) found(seq int64, id, format string, args ...any) {
	if !v.bad {
		v.report.Found = append(v.report.Found, Finding{Day: v.day, Seq: seq, ID: id, What: fmt.Sprintf(format, args...)})
	}
	v.bad = true
}

// entry takes the log's next entry.
func (v *verification) entry(e *AuditEntry) {
	if e.Day != v.day {
		v.finish(e.Day)
		v.begin(e.Day)
	}
	v.report.Entries++
	v.count++
	switch {
	case v.bad: // what comes after the first finding hangs on it
	case e.Seq > v.count:
		v.found(v.count, "", "is missing")
	case e.Seq < v.count:
		v.found(e.Seq, e.ID, "stands there twice")
	case !bytes.Equal(e.chained(v.head), e.Digest):
		v.found(e.Seq, e.ID, "was changed, inserted or moved: its hash does not follow from what it holds and the entry before")
	}
	v.head = e.Digest
	if v.known != nil && e.Seq == v.known.Count && !bytes.Equal(e.Digest, v.known.Root) {
		v.found(e.Seq, e.ID, "is another one than at the last verification: the chain was written anew")
	}
}

// begin starts a day.
func (v *verification) begin(day string) {
	v.report.Days++
	v.day, v.seal, v.count, v.bad, v.known = day, nil, 0, false, nil
	if known, ok := v.Known[day]; ok {
		v.known = &known
	}
	if len(v.seals) > 0 && v.seals[0].Day == day {
		v.seal, v.seals = v.seals[0], v.seals[1:]
	}
	if v.seal == nil {
		v.head = origin(day, v.root)
		return
	}
	switch {
	case !v.Keys.check(v.seal):
		v.found(0, "", "the seal is forged: no known key signed what it says")
	case !bytes.Equal(v.seal.Previous, v.root):
		v.found(0, "", "the day before is missing or another one: the seal stands on a different root")
	}
	v.head = origin(day, v.seal.Previous)
}

// finish ends the day that is being read, and takes those with a seal and
// without entries up to the next.
func (v *verification) finish(next string) {
	for {
		if v.day != "" {
			v.end()
		}
		if len(v.seals) == 0 || v.seals[0].Day >= next {
			v.day = ""
			return
		}
		v.begin(v.seals[0].Day)
	}
}

// end compares what was read of the day with what its seal says.
func (v *verification) end() {
	v.report.Heads[v.day] = Known{v.count, v.head}
	if v.known != nil && v.count < v.known.Count {
		v.found(v.count+1, "", "is missing: at the last verification the day had %d entries", v.known.Count)
	}
	if v.seal == nil {
		v.found(0, "", "the seal is missing")
		v.root = v.head
		return
	}
	v.root = v.seal.Root
	switch {
	case v.count < v.seal.Count:
		v.found(v.count+1, "", "is missing: the seal counts %d entries", v.seal.Count)
	case v.count > v.seal.Count:
		v.found(v.seal.Count+1, "", "is not covered by the seal, which counts %d entries", v.seal.Count)
	case !bytes.Equal(v.head, v.seal.Root):
		v.found(0, "", "the chain was written anew: the seal is of another root")
	case !v.seal.Final && v.day < dayOf(v.Now.Add(-grace)):
		v.found(0, "", "the day is over, and its seal is not final")
	}
}
