package feedback

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `id, number, area_code, class, state, title, content, pictures, anonymous, citizen_id, assignee_id, created_at, updated_at,
	due_at, waiting_since, closed_at, reply, question, duplicate_of, rating, rating_comment, version`

// one reads a case; nil when there is none that the transaction's principal may see.
func one(ctx context.Context, tx sqlx.QueryerContext, id string) (*FeedbackCase, error) {
	return get(ctx, tx, `SELECT `+columns+` FROM community.feedback_case WHERE id = $1`, id)
}

// lock is one, and holds the row until the transaction ends.
func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*FeedbackCase, error) {
	return get(ctx, tx, `SELECT `+columns+` FROM community.feedback_case WHERE id = $1 FOR UPDATE`, id)
}

func get(ctx context.Context, tx sqlx.QueryerContext, query, id string) (*FeedbackCase, error) {
	var c FeedbackCase
	err := sqlx.GetContext(ctx, tx, &c, query, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("feedback: reading case %s: %w", id, err)
	}
	return &c, nil
}

// many reads the cases of the IDs, in any order; missing ones are left out.
func many(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*FeedbackCase, error) {
	var cases []*FeedbackCase
	err := sqlx.SelectContext(ctx, tx, &cases, `SELECT `+columns+` FROM community.feedback_case WHERE id = ANY($1)`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("feedback: reading %d cases: %w", len(ids), err)
	}
	return cases, nil
}

// Filter narrows a list of cases; zero values do not.
type Filter struct {
	AreaCode   string
	Prefixes   []string // of area codes: a scope of several
	States     []FeedbackState
	Classes    []FeedbackClass
	Mine       bool // only what the asking worker deals with
	AssigneeID string
	CitizenID  string
	Overdue    *bool
	Search     string
}

// list reads a page of cases, newest first.
func list(ctx context.Context, tx sqlx.QueryerContext, f Filter, page keyset.Page, now time.Time) ([]*FeedbackCase, error) {
	q, from := query{}, "SELECT "+columns+" FROM community.feedback_case"
	if f.CitizenID != "" {
		q.where("citizen_id = ", f.CitizenID)
	}
	if f.AreaCode != "" {
		q.within(f.AreaCode)
	}
	if f.Prefixes != nil {
		q.conditions = append(q.conditions, "area_code ^@ ANY("+q.bind(pq.Array(f.Prefixes))+"::text[])")
	}
	if f.AssigneeID != "" {
		q.where("assignee_id = ", f.AssigneeID)
	}
	if len(f.States) > 0 {
		q.any("state", f.States)
		if !hasClosed(f.States) {
			q.conditions = append(q.conditions, "closed_at IS NULL") // the index of open cases
		}
	}
	if len(f.Classes) > 0 {
		q.any("class", f.Classes)
	}
	if f.Overdue != nil {
		late := "(closed_at IS NULL AND waiting_since IS NULL AND due_at < " + q.bind(now) + ")"
		if *f.Overdue {
			q.conditions = append(q.conditions, late)
		} else {
			q.conditions = append(q.conditions, "NOT "+late)
		}
	}
	if f.Search != "" {
		if number := strings.ToUpper(f.Search); numberForm.MatchString(number) {
			q.where("number = ", number)
		} else {
			candidates, narrowed, err := narrow(ctx, tx, f)
			if err != nil || narrowed && len(candidates) == 0 {
				return nil, err
			}
			if narrowed { // by their IDs and by nothing else: so few rows need no order of an index
				from = "WITH candidate AS MATERIALIZED (SELECT " + columns + ", district, street FROM community.feedback_case WHERE id = ANY(" +
					q.bind(pq.Array(candidates)) + "::uuid[])) SELECT " + columns + " FROM candidate"
			}
			like := q.bind("%" + escapeLike.Replace(f.Search) + "%")
			holds := "title LIKE " + like + " OR content LIKE " + like
			if narrowed {
				q.conditions = append(q.conditions, "("+holds+")")
			} else {
				// Many hold it, or there are few to look at. PostgreSQL expects next to none of a
				// LIKE and would sort them all; of a CASE it expects half, and goes by the index.
				q.conditions = append(q.conditions, "CASE WHEN "+holds+" THEN true ELSE false END")
			}
		}
	}
	if page.After != nil {
		q.conditions = append(q.conditions, "(created_at, id) < ("+q.bind(page.After[0])+"::timestamptz, "+q.bind(page.After[1])+"::uuid)")
	}
	var cases []*FeedbackCase
	err := sqlx.SelectContext(ctx, tx, &cases,
		from+q.text()+` ORDER BY created_at DESC, id DESC LIMIT `+strconv.Itoa(page.Limit()), q.args...)
	if err != nil {
		return nil, fmt.Errorf("feedback: listing cases: %w", err)
	}
	return cases, nil
}

// numberForm is how Number writes.
var numberForm = regexp.MustCompile(`^YJ[0-9]{8}-[0-9]{6,}$`)

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func hasClosed(states []FeedbackState) bool {
	for _, state := range states {
		if !state.Open() {
			return true
		}
	}
	return false
}

// query collects conditions that hold together; every value is bound.
type query struct {
	conditions []string
	args       []any
}

func (q *query) bind(value any) string {
	q.args = append(q.args, value)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *query) where(condition string, value any) {
	q.conditions = append(q.conditions, condition+q.bind(value))
}

func (q *query) any(column string, values any) {
	q.conditions = append(q.conditions, column+" = ANY("+q.bind(pq.Array(values))+")")
}

// within keeps the rows of the area, by equality on the column of its level.
func (q *query) within(code string) {
	switch division.LevelOf(code) {
	case division.City: // all there is
	case division.District:
		q.where("district = ", division.Prefix(code))
	case division.Street:
		q.where("street = ", division.Prefix(code))
	default:
		q.where("area_code = ", code)
	}
}

func (q *query) text() string {
	if len(q.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.conditions, " AND ")
}

// historySize bounds the history that is shown of one case.
const historySize = 500

// histories reads the history lines of many cases at once, each case's in order.
func histories(ctx context.Context, tx sqlx.QueryerContext, caseIDs []string) ([]*FeedbackEvent, error) {
	var events []*FeedbackEvent
	err := sqlx.SelectContext(ctx, tx, &events,
		`SELECT id, case_id, seq, at, action, from_state, to_state, actor, worker_id, note
		FROM community.feedback_event WHERE case_id = ANY($1) AND seq <= $2 ORDER BY case_id, seq`, pq.Array(caseIDs), historySize)
	if err != nil {
		return nil, fmt.Errorf("feedback: reading the history of %d cases: %w", len(caseIDs), err)
	}
	return events, nil
}
