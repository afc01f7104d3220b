package demonstration

import (
	"context"
	"math"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// months is how far back the story goes, in days.
const months = 180

// known is how many cases belong to the first citizens, who are shown around.
const known = 60

var caseColumns = []string{
	"id", "number", "area_code", "class", "state", "title", "content", "pictures", "anonymous", "citizen_id", "assignee_id", "created_at", "updated_at", "due_at",
	"waiting_since", "closed_at", "reply", "question", "duplicate_of", "rating", "rating_comment", "version",
}

var eventColumns = []string{"id", "case_id", "seq", "area_code", "citizen_id", "at", "action", "from_state", "to_state", "actor", "worker_id", "note"}

// cases fills the cases and their histories. The lives are told twice rather
// than kept: COPY takes one table at a time, and a city's do not fit in memory.
func cases(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast) error {
	calendar, err := workday.Between(ctx, tx, cast.Anchor.AddDate(0, 0, -months-1), cast.Anchor.AddDate(0, 3, 0))
	if err != nil {
		return err
	}
	err = bulk(ctx, tx, "feedback_case", caseColumns, func(add func(...any) error) error {
		return lives(cast, calendar, func(l *life) error {
			return add(l.ID, l.Number, l.AreaCode, string(l.Class), string(l.State), l.Title, l.Content, pq.StringArray{}, l.Anonymous, l.CitizenID, l.AssigneeID,
				l.CreatedAt, l.UpdatedAt, l.DueAt, l.WaitingSince, l.ClosedAt, l.Reply, l.Question, l.DuplicateOf, l.Rating, l.RatingComment, l.Version)
		})
	})
	if err != nil {
		return err
	}
	err = bulk(ctx, tx, "feedback_event", eventColumns, func(add func(...any) error) error {
		return lives(cast, calendar, func(l *life) error {
			for _, e := range l.events {
				if err := add(e.ID, e.CaseID, e.Seq, l.AreaCode, l.CitizenID, e.At, string(e.Action), (*string)(e.From), string(e.To), string(e.Actor), e.WorkerID, e.Note); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `SELECT setval('community.feedback_number', $1)`, cast.Cases()); err != nil {
		return err
	}
	return feedback.TellAll(ctx, tx)
}

// classes weights the classes: each stands as often as it comes up in ten or so.
var classes = []feedback.FeedbackClass{
	feedback.Environment, feedback.Environment, feedback.Environment, feedback.Facility, feedback.Facility, feedback.Safety, feedback.Parking, feedback.Parking,
	feedback.Property, feedback.Property, feedback.Neighbourhood, feedback.Neighbourhood, feedback.Welfare, feedback.Consultation, feedback.Other,
}

// lives tells each case's life, in the order of their numbers.
func lives(cast *demonstration.Cast, calendar workday.Calendar, each func(*life) error) error {
	workers := map[string]string{} // community → its worker's ID
	earlier := map[string]string{} // community → the number of its latest case
	for i := range cast.Cases() {
		n := demonstration.Number("feedback", i)
		who := int(n % uint64(cast.Citizens()))
		if i < known {
			who = i % 10
		}
		citizen := cast.Citizen(who)
		code := citizen.CommunityCode
		if workers[code] == "" {
			workers[code] = cast.CommunityWorker(code).ID
		}
		l := &life{number: i, calendar: calendar, ends: cast.Anchor}
		l.ID, l.AreaCode, l.CitizenID = demonstration.ID("feedback", i), code, citizen.ID
		l.Class, l.Anonymous = demonstration.Pick(classes, "feedback class", i), n>>32%11 == 0
		l.CreatedAt = submittedAt(cast, i)
		l.Number = feedback.Number(workday.Day(l.CreatedAt), int64(i+1))
		l.live(workers[code], earlier[code])
		earlier[code] = l.Number
		if err := each(l); err != nil {
			return err
		}
	}
	return nil
}

// submittedAt spreads the cases over the months, in order, by day between
// seven and ten in the evening.
func submittedAt(cast *demonstration.Cast, i int) time.Time {
	span := months * 24 * time.Hour
	left := 1 - (float64(i)+0.5)/float64(cast.Cases()) // of the cases; their stream swells
	at := cast.Anchor.Add(-time.Duration(float64(span) * (0.3*left + 0.7*math.Pow(left, 1.5))))
	start := workday.Start(at)
	minute := 7*60 + int(demonstration.Number("feedback minute", i)%(15*60))
	at = start.Add(time.Duration(minute)*time.Minute + time.Duration(i%60)*time.Second)
	if at.After(cast.Anchor) { // the last day has only just begun
		at = start.Add(time.Duration(i%int(cast.Anchor.Sub(start).Minutes()+1)) * time.Minute)
	}
	return at
}
