package audit

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// canonical is the entry as it is hashed: its columns but the hash, in the
// order of the table, each as its length in bytes, a colon, the bytes and a
// comma. No two entries have the same form.
func (e *AuditEntry) canonical() []byte {
	b := make([]byte, 0, 512+len(e.Before)+len(e.After)+len(e.Input))
	put := func(text string) {
		b = strconv.AppendInt(b, int64(len(text)), 10)
		b = append(append(append(b, ':'), text...), ',')
	}
	put(e.Day)
	put(strconv.FormatInt(e.Seq, 10))
	put(e.ID)
	put(e.At.UTC().Format(time.RFC3339Nano))
	for _, text := range []string{e.Subgraph, e.Action, e.Result, e.ActorKind, e.ActorID, e.ActorName} {
		put(text)
	}
	put(strconv.Itoa(len(e.Roles)))
	for _, role := range e.Roles {
		put(role)
	}
	for _, text := range []string{e.ActorUnit, e.ActorPost, e.Delegation, e.Session, e.AreaCode, e.Client, e.Address, e.RequestID, e.TraceID,
		e.Purpose, e.TargetKind, e.TargetID, e.Before, e.After, e.Input} {
		put(text)
	}
	return b
}

// chained is the entry's hash: SM3 over the hash before it and its canonical form.
func (e *AuditEntry) chained(previous []byte) []byte {
	sum := sm3.Sum(append(previous[:len(previous):len(previous)], e.canonical()...))
	return sum[:]
}

// origin is what the first entry of a day is chained to: the day itself and
// what the day before came to.
func origin(day string, previous []byte) []byte {
	sum := sm3.Sum([]byte("citizencloud audit day\n" + day + "\n" + hex.EncodeToString(previous) + "\n"))
	return sum[:]
}

// nothing is what stands before the first day.
var nothing = make([]byte, sm3.Size)
