// Package audit keeps the audit log 操作日志 of the whole platform: what the
// subgraphs record (foundation/audit) is appended here, chained by hashes and
// sealed by signatures, so that an entry that was changed, removed, inserted or
// moved afterwards is found; and those who watch over the others search it.
//
// Start reading at AuditEntry. The chain is in chain.go, the seals in seal.go,
// appending in append.go, checking in verify.go; who may search what is in
// service.go, the export in export.go.
package audit

import (
	"encoding/hex"
	"time"

	"github.com/lib/pq"
)

// AuditEntry is one thing that was done to one target, or refused.
type AuditEntry struct {
	ID       string    `db:"id"`
	Day      string    `db:"day"` // YYYY-MM-DD, Chengdu's date when it was appended
	Seq      int64     `db:"seq"` // its place within the day, from 1
	At       time.Time `db:"at"`  // when it was done
	Subgraph string    `db:"subgraph"`
	Action   string    `db:"action"`
	// Result is "OK" or the code of the refusal.
	Result    string         `db:"result"`
	ActorKind string         `db:"actor_kind"` // "" when nobody was signed in
	ActorID   string         `db:"actor_id"`
	ActorName string         `db:"actor_name"`
	Roles     pq.StringArray `db:"actor_roles"`
	ActorUnit string         `db:"actor_unit"`
	ActorPost string         `db:"actor_post"`
	// Delegation is by what right the actor stood in for somebody; "" for none.
	Delegation string `db:"delegation"`
	Session    string `db:"session"`
	AreaCode   string `db:"area_code"` // the target's, else the actor's, else the city's
	Client     string `db:"client"`
	Address    string `db:"address"`
	RequestID  string `db:"request"`
	TraceID    string `db:"trace"`
	Purpose    string `db:"purpose"`
	TargetKind string `db:"target_kind"`
	TargetID   string `db:"target_id"`
	Before     string `db:"before"` // JSON; "" for nothing
	After      string `db:"after"`
	Input      string `db:"input"`
	Digest     []byte `db:"hash"` // chained, see chain.go
	assignment string // in which a worker acted; only until the post is known
}

// IsEntity makes AuditEntry a federation entity.
func (*AuditEntry) IsEntity() {}

// dayLayout is how days are written.
const dayLayout = "2006-01-02"

// chengdu is the zone of the days: UTC+8 all year.
var chengdu = time.FixedZone("Asia/Shanghai", 8*60*60)

func dayOf(at time.Time) string { return at.In(chengdu).Format(dayLayout) }

// ActorRoles are the roles that the actor had.
func (e *AuditEntry) ActorRoles() []string { return e.Roles }

// Hash is the chained hash, in hexadecimal digits.
func (e *AuditEntry) Hash() string { return hex.EncodeToString(e.Digest) }
