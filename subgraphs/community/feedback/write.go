package feedback

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// nextNumber gives a number that people can read out: YJ, the day, and a count.
func nextNumber(ctx context.Context, tx sqlx.QueryerContext, day string) (string, error) {
	var n int64
	if err := sqlx.GetContext(ctx, tx, &n, `SELECT nextval('community.feedback_number')`); err != nil {
		return "", fmt.Errorf("feedback: drawing a number: %w", err)
	}
	return Number(day, n), nil
}

// Number writes the number of the n-th case; day is YYYY-MM-DD.
func Number(day string, n int64) string {
	return fmt.Sprintf("YJ%s%s%s-%06d", day[:4], day[5:7], day[8:10], n)
}

func insert(ctx context.Context, tx sqlx.ExtContext, c *FeedbackCase) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO community.feedback_case
			(id, number, area_code, class, state, title, content, pictures, anonymous, citizen_id, created_at, updated_at, due_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		c.ID, c.Number, c.AreaCode, c.Class, c.State, c.Title, c.Content, c.FileIDs, c.Anonymous, c.CitizenID, c.CreatedAt, c.UpdatedAt, c.DueAt, c.Version)
	if err != nil {
		return fmt.Errorf("feedback: inserting case %s: %w", c.ID, err)
	}
	return nil
}

// update writes what a step may change, and counts the version up; the row is locked.
func update(ctx context.Context, tx sqlx.ExtContext, c *FeedbackCase) error {
	_, err := tx.ExecContext(ctx,
		`UPDATE community.feedback_case SET state = $2, pictures = $3, assignee_id = $4, updated_at = $5, due_at = $6, waiting_since = $7,
			closed_at = $8, reply = $9, question = $10, duplicate_of = $11, rating = $12, rating_comment = $13,
			version = version + 1
		WHERE id = $1`,
		c.ID, c.State, c.FileIDs, c.AssigneeID, c.UpdatedAt, c.DueAt, c.WaitingSince, c.ClosedAt, c.Reply, c.Question, c.DuplicateOf, c.Rating, c.RatingComment)
	if err != nil {
		return fmt.Errorf("feedback: updating case %s: %w", c.ID, err)
	}
	c.Version++
	return nil
}

// line is one history line to be.
type line struct {
	step
	from     *FeedbackState
	actor    FeedbackActor
	workerID *string
	note     *string
}

// record appends the lines to the case's history.
func record(ctx context.Context, tx sqlx.ExtContext, c *FeedbackCase, at time.Time, lines ...line) error {
	for _, l := range lines {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("feedback: %w", err)
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO community.feedback_event (id, case_id, seq, area_code, citizen_id, at, action, from_state, to_state, actor, worker_id, note)
			SELECT $1, $2, 1 + coalesce(max(seq), 0), $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM community.feedback_event WHERE case_id = $2`,
			id.String(), c.ID, c.AreaCode, c.CitizenID, at, l.action, l.from, l.to, l.actor, l.workerID, l.note)
		if err != nil {
			return fmt.Errorf("feedback: recording %s of case %s: %w", l.action, c.ID, err)
		}
	}
	return nil
}
