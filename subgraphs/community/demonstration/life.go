package demonstration

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// life is one case and what happened to it until the story ends.
type life struct {
	feedback.FeedbackCase
	events []feedback.FeedbackEvent

	number   int // of the case
	calendar workday.Calendar
	ends     time.Time
	now      time.Time
	draws    int
}

// draw gives a number from 0 to n-1 that depends on the case and on how many
// were drawn before.
func (l *life) draw(n int) int {
	l.draws++
	return int(demonstration.Number("feedback life", l.number*64+l.draws) % uint64(n))
}

// after lets some hours pass, between the two.
func (l *life) after(least, most int) {
	l.now = l.now.Add(time.Duration(least*60+l.draw((most-least)*60)) * time.Minute)
}

// step takes the action now; false when the story ends before.
func (l *life) step(action feedback.FeedbackAction, to feedback.FeedbackState, actor feedback.FeedbackActor, note string) bool {
	if l.now.After(l.ends) {
		return false
	}
	event := feedback.FeedbackEvent{
		ID: demonstration.ID("feedback event", l.number*20+len(l.events)), CaseID: l.ID, Seq: len(l.events) + 1, At: l.now, Action: action, To: to, Actor: actor,
	}
	if action != feedback.Submit {
		from := l.State
		event.From = &from
	}
	if actor == feedback.ByWorker {
		event.WorkerID = l.AssigneeID
	}
	if note != "" {
		event.Note = &note
	}
	l.events = append(l.events, event)
	at := l.now
	switch {
	case to.Open():
		l.ClosedAt = nil
	case l.State.Open():
		l.ClosedAt = &at
	}
	l.State, l.UpdatedAt = to, at
	l.Version = len(l.events)
	return true
}

// live lets the case live from its submission.
func (l *life) live(workerID, earlier string) {
	story := tell(l.Class, l)
	l.Title, l.Content, l.Version = story.title, story.content, 1
	l.DueAt = l.calendar.Add(l.CreatedAt, l.Class.Limit())
	l.now, l.State = l.CreatedAt, feedback.Submitted
	if !l.step(feedback.Submit, feedback.Submitted, feedback.ByCitizen, "") {
		return
	}
	l.after(1, 30)
	l.AssigneeID = &workerID
	switch fate := l.draw(100); {
	case fate < 5:
		if l.step(feedback.Reject, feedback.Rejected, feedback.ByWorker, refusal) {
			text := refusal
			l.Reply = &text
			l.rate(2, 4)
		}
		l.AssigneeID = nil
	case fate < 8 && earlier != "":
		if l.step(feedback.MarkDuplicate, feedback.Duplicate, feedback.ByWorker, "") {
			l.DuplicateOf = &earlier
		}
		l.AssigneeID = nil
	default:
		if !l.take() {
			l.AssigneeID = nil
			return
		}
		if fate < 20 && !l.ask(story) {
			return
		}
		switch {
		case !l.answer(story): // the story ends before
		case fate < 27:
			l.object(story)
		default:
			l.settle()
		}
	}
}

func (l *life) take() bool {
	return l.step(feedback.Assign, feedback.Assigned, feedback.ByWorker, "") && l.step(feedback.Take, feedback.InProgress, feedback.ByWorker, "")
}

// ask asks the citizen, who answers; the clock stands still meanwhile.
func (l *life) ask(story story) bool {
	l.after(2, 24)
	if !l.step(feedback.RequestInfo, feedback.WaitingInfo, feedback.ByWorker, story.question) {
		return false
	}
	since := l.now
	l.Question, l.WaitingSince = &story.question, &since
	l.after(1, 60)
	if !l.step(feedback.SupplyInfo, feedback.InProgress, feedback.ByCitizen, story.information) {
		return false
	}
	l.WaitingSince = nil
	if waited := l.calendar.Count(since, l.now); waited > 0 {
		l.DueAt = l.calendar.Add(l.DueAt, waited)
	}
	return true
}

// answer replies; some answers are late.
func (l *life) answer(story story) bool {
	switch pace := l.draw(20); {
	case pace < 2:
		l.after(150, 500)
	case pace < 7:
		l.after(60, 140)
	default:
		l.after(3, 60)
	}
	if !l.step(feedback.Reply, feedback.Replied, feedback.ByWorker, story.reply) {
		return false
	}
	l.Reply = &story.reply
	return true
}

// settle lets the citizen rate and close, or the case close by itself.
func (l *life) settle() {
	replied := l.now
	l.rate(3, 7)
	if l.draw(2) == 0 {
		l.after(1, 90)
		l.step(feedback.Close, feedback.Closed, feedback.ByCitizen, "")
		return
	}
	l.now = replied.Add(feedback.Window)
	l.step(feedback.Close, feedback.Closed, feedback.BySystem, "")
}

// object reopens the case, which is then dealt with once more.
func (l *life) object(story story) {
	l.after(2, 72)
	if !l.step(feedback.Reopen, feedback.Reopened, feedback.ByCitizen, "问题没有彻底解决，请再看看。") {
		return
	}
	worker := l.AssigneeID
	l.AssigneeID, l.Rating, l.RatingComment = nil, nil, nil
	l.DueAt = l.calendar.Add(l.now, l.Class.Limit())
	l.after(1, 16)
	l.AssigneeID = worker
	if !l.take() {
		l.AssigneeID = nil
		return
	}
	l.after(4, 70)
	if l.step(feedback.Reply, feedback.Replied, feedback.ByWorker, story.reply) {
		l.settle()
	}
}

// rate gives stars around the two, in two cases of three.
func (l *life) rate(least, most int) {
	if l.draw(3) == 0 {
		return
	}
	l.after(1, 30)
	stars := min(5, least+l.draw(most-least+1)) // the best is also the most frequent
	if l.draw(9) == 0 {
		stars = 1
	}
	comment := praise[stars-1]
	if l.step(feedback.Rate, l.State, feedback.ByCitizen, string(rune('0'+stars))+" 星："+comment) {
		l.Rating, l.RatingComment = &stars, &comment
	}
}
