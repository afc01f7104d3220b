package realname

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
)

const columns = `v.id, v.citizen_id, v.consent_id, v.method, v.state, v.area_code, v.document_kind, v.claimed_name, v.claimed_number, v.provider, v.reference, v.simulated,
	v.level, v.failure, v.reason, v.previous_id, v.slot_id, v.filed_by, v.examined_by, v.examined_at, v.passed, v.note, v.decided_by, v.created_at, v.updated_at,
	v.submitted_at, v.decided_at, v.valid_until, v.ended_at, v.version`

// one reads a row; nil when there is none.
func one[T any](ctx context.Context, tx sqlx.QueryerContext, what, query string, args ...any) (*T, error) {
	var found T
	err := sqlx.GetContext(ctx, tx, &found, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("realname: %s: %w", what, err)
	}
	return &found, nil
}

func many[T any](ctx context.Context, tx sqlx.QueryerContext, what, query string, args ...any) (found []*T, err error) {
	if err = sqlx.SelectContext(ctx, tx, &found, query, args...); err != nil {
		return nil, fmt.Errorf("realname: %s: %w", what, err)
	}
	return found, nil
}

func execute(ctx context.Context, tx sqlx.ExecerContext, what, statement string, args ...any) error {
	if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("realname: %s: %w", what, err)
	}
	return nil
}

// locked gives the verification for a change.
func locked(ctx context.Context, tx sqlx.QueryerContext, id string) (*IdentityVerification, error) {
	return one[IdentityVerification](ctx, tx, "locking", `SELECT `+columns+` FROM platform.realname_verification v WHERE v.id = $1 FOR UPDATE`, id)
}

func byIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*IdentityVerification, error) {
	return many[IdentityVerification](ctx, tx, "by IDs", `SELECT `+columns+` FROM platform.realname_verification v WHERE v.id = ANY($1::uuid[])`, pq.Array(ids))
}

// openOf gives the one that the account has open, locked.
func openOf(ctx context.Context, tx sqlx.QueryerContext, citizenID string) (*IdentityVerification, error) {
	return one[IdentityVerification](ctx, tx, "the open one", `SELECT `+columns+` FROM platform.realname_verification v
		WHERE v.citizen_id = $1 AND v.state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW') FOR UPDATE`, citizenID)
}

// ofConsent gives what stands on the consent, open or verified, locked.
func ofConsent(ctx context.Context, tx sqlx.QueryerContext, consentID string) ([]*IdentityVerification, error) {
	return many[IdentityVerification](ctx, tx, "of a consent", `SELECT `+columns+` FROM platform.realname_verification v
		WHERE v.consent_id = $1 AND v.state IN ('CREATED', 'PROCESSING', 'SUBMITTED', 'IN_REVIEW', 'VERIFIED') ORDER BY v.id FOR UPDATE`, consentID)
}

// refusedBefore gives the ID of the account's last one of the way, where it was refused.
func refusedBefore(ctx context.Context, tx sqlx.QueryerContext, citizenID string, method VerificationMethod) (*string, error) {
	last, err := one[struct {
		ID    string            `db:"id"`
		State VerificationState `db:"state"`
	}](ctx, tx, "the one before", `SELECT id, state FROM platform.realname_verification WHERE citizen_id = $1 AND method = $2 ORDER BY id DESC LIMIT 1`, citizenID, method)
	if err != nil || last == nil || last.State != Rejected && last.State != Failed {
		return nil, err
	}
	return &last.ID, nil
}

func insert(ctx context.Context, tx sqlx.ExecerContext, v *IdentityVerification) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.realname_verification (id, citizen_id, consent_id, method, state, area_code, document_kind, claimed_name, claimed_number, provider, reference,
			simulated, previous_id, slot_id, filed_by, created_at, updated_at, submitted_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18)`,
		v.ID, v.CitizenID, v.ConsentID, v.Method, v.State, v.AreaCode, v.DocumentKind, v.ClaimedName, v.ClaimedNumber, v.Provider, v.Reference,
		v.Simulated, v.PreviousID, v.SlotID, v.FiledBy, v.CreatedAt, v.SubmittedAt, v.Version)
	if database.Duplicate(err, "realname_verification_open") {
		return fault.New(fault.Conflict, "您有一次核验正在进行，请稍候")
	}
	if err != nil {
		return fmt.Errorf("realname: making: %w", err)
	}
	return nil
}

// update writes all that can change of the verification, whose version has grown by one.
func update(ctx context.Context, tx sqlx.ExecerContext, v *IdentityVerification) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.realname_verification SET state = $3, claimed_name = $4, claimed_number = $5, provider = $6, reference = $7, simulated = $8, level = $9, failure = $10,
			reason = $11, examined_by = $12, examined_at = $13, passed = $14, note = $15, decided_by = $16, updated_at = $17, submitted_at = $18, decided_at = $19,
			valid_until = $20, ended_at = $21, version = $2
		WHERE id = $1 AND version = $2 - 1`,
		v.ID, v.Version, v.State, v.ClaimedName, v.ClaimedNumber, v.Provider, v.Reference, v.Simulated, v.Level, v.FailureCode,
		v.Reason, v.ExaminedBy, v.ExaminedAt, v.Passed, v.Note, v.DecidedBy, v.UpdatedAt, v.SubmittedAt, v.DecidedAt, v.ValidUntil, v.EndedAt)
	if database.Violates(err, "realname_verification_eyes") {
		return errSameEyes
	}
	if err != nil {
		return fmt.Errorf("realname: changing: %w", err)
	}
	if n, _ := result.RowsAffected(); n != 1 {
		return errStale
	}
	return nil
}

var errStale = fault.New(fault.Conflict, "该核验刚刚已变化，请刷新后重试")

func insertLine(ctx context.Context, tx sqlx.ExecerContext, e VerificationEvent) error {
	return execute(ctx, tx, "writing the history", `
		INSERT INTO platform.realname_history (id, verification_id, at, action, from_state, to_state, actor_kind, actor_id, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID, e.VerificationID, e.At, e.Action, e.From, e.To, e.ActorKind, e.ActorID, e.Note)
}

func histories(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*VerificationEvent, error) {
	return many[VerificationEvent](ctx, tx, "the history", `SELECT id, verification_id, at, action, from_state, to_state, actor_kind, actor_id, note
		FROM platform.realname_history WHERE verification_id = ANY($1::uuid[]) ORDER BY verification_id, id`, pq.Array(ids))
}

const identityColumns = `id, citizen_id, document_kind, name, number, level, method, simulated, verification_id, verified_at, valid_until, version`

// identityOf gives what the account has proven; nil for nothing.
func identityOf(ctx context.Context, tx sqlx.QueryerContext, citizenID string, lock bool) (*RealName, error) {
	query := `SELECT ` + identityColumns + ` FROM platform.realname_identity WHERE citizen_id = $1`
	if lock {
		query += ` FOR UPDATE`
	}
	return one[RealName](ctx, tx, "an identity", query, citizenID)
}

// holderOf gives the identity that stands under one of the indexes, locked.
func holderOf(ctx context.Context, tx sqlx.QueryerContext, indexes pq.ByteaArray) (*RealName, error) {
	return one[RealName](ctx, tx, "the holder", `SELECT `+identityColumns+` FROM platform.realname_identity WHERE number_index = ANY($1) FOR UPDATE`, indexes)
}

func putIdentity(ctx context.Context, tx sqlx.ExecerContext, r *RealName, index []byte) error {
	return execute(ctx, tx, "keeping an identity", `
		INSERT INTO platform.realname_identity (id, citizen_id, document_kind, name, number, number_index, level, method, simulated, verification_id, verified_at, valid_until, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET document_kind = $3, name = $4, number = $5, number_index = $6, level = $7, method = $8, simulated = $9, verification_id = $10,
			verified_at = $11, valid_until = $12, version = $13`,
		r.ID, r.CitizenID, r.DocumentKind, r.Name, r.Number, index, r.Level, r.Method, r.Simulated, r.VerificationID, r.VerifiedAt, r.ValidUntil, r.Version)
}

func dropIdentity(ctx context.Context, tx sqlx.ExecerContext, citizenID string) error {
	return execute(ctx, tx, "forgetting an identity", `DELETE FROM platform.realname_identity WHERE citizen_id = $1`, citizenID)
}

func lowerIdentity(ctx context.Context, tx sqlx.ExecerContext, citizenID string, to citizen.AssuranceLevel) error {
	return execute(ctx, tx, "lowering an identity", `
		UPDATE platform.realname_identity SET level = $2, valid_until = CASE WHEN $2 = 'L1' THEN NULL ELSE valid_until END, version = version + 1 WHERE citizen_id = $1`, citizenID, string(to))
}

const consentColumns = `id, citizen_id, method, terms, purpose, client, recorded_by, given_at, withdrawn_at`

func consentByID(ctx context.Context, tx sqlx.QueryerContext, id string, lock bool) (*RealNameConsent, error) {
	query := `SELECT ` + consentColumns + ` FROM platform.realname_consent WHERE id = $1`
	if lock {
		query += ` FOR UPDATE`
	}
	return one[RealNameConsent](ctx, tx, "a consent", query, id)
}

// maxConsents bounds a citizen's list of consents.
const maxConsents = 100

func consentsOf(ctx context.Context, tx sqlx.QueryerContext, citizenID string) ([]*RealNameConsent, error) {
	return many[RealNameConsent](ctx, tx, "consents", `SELECT `+consentColumns+` FROM platform.realname_consent WHERE citizen_id = $1 ORDER BY id DESC LIMIT $2`, citizenID, maxConsents)
}

func insertConsent(ctx context.Context, tx sqlx.ExecerContext, c *RealNameConsent) error {
	return execute(ctx, tx, "recording a consent", `
		INSERT INTO platform.realname_consent (id, citizen_id, method, terms, purpose, client, recorded_by, given_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.ID, c.CitizenID, c.Method, c.Terms, c.Purpose, c.Client, c.RecordedBy, c.GivenAt)
}

func withdrawConsent(ctx context.Context, tx sqlx.ExecerContext, c *RealNameConsent) error {
	return execute(ctx, tx, "withdrawing a consent", `UPDATE platform.realname_consent SET withdrawn_at = $2 WHERE id = $1`, c.ID, c.WithdrawnAt)
}

// liveness is the token of a face session.
type liveness struct {
	TokenDigest  string     `db:"token_digest"`
	DeviceDigest string     `db:"device_digest"`
	Reference    string     `db:"reference"`
	ExpiresAt    time.Time  `db:"expires_at"`
	UsedAt       *time.Time `db:"used_at"`
}

func livenessOf(ctx context.Context, tx sqlx.QueryerContext, verificationID string) (*liveness, error) {
	return one[liveness](ctx, tx, "a token", `SELECT token_digest, device_digest, reference, expires_at, used_at FROM platform.realname_liveness WHERE verification_id = $1 FOR UPDATE`, verificationID)
}

func insertLiveness(ctx context.Context, tx sqlx.ExecerContext, verificationID string, l liveness) error {
	return execute(ctx, tx, "keeping a token", `
		INSERT INTO platform.realname_liveness (verification_id, token_digest, device_digest, reference, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		verificationID, l.TokenDigest, l.DeviceDigest, l.Reference, l.ExpiresAt)
}

func useLiveness(ctx context.Context, tx sqlx.ExecerContext, verificationID string, at time.Time) error {
	return execute(ctx, tx, "using a token", `UPDATE platform.realname_liveness SET used_at = $2 WHERE verification_id = $1`, verificationID, at)
}
