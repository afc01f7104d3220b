// Package board computes the big screen 数据大屏: what the cases and activities
// of an area amount to at this moment, and pushes it on after every change.
//
// Start reading at Board, then Compute in compute.go, and Hub in hub.go for how
// one computation serves all who watch.
package board

import (
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// trendDays is how many days the trend shows, today included.
const trendDays = 30

// Board is one area's state at one moment, without personal data. It is shared
// by all who watch: do not change.
type Board struct {
	AreaCode    string
	GeneratedAt time.Time
	Totals      *BoardTotals
	Trend       []*BoardTrendDay
	ByClass     []*feedback.FeedbackClassCount
	ByState     []*feedback.FeedbackStateCount
	Ranking     []*AreaRank
	Feed        []*BoardFeedItem
}

// BoardTotals are the numbers on top.
type BoardTotals struct {
	Total          int
	Open           int
	Closed         int
	SubmittedToday int
	ClosedToday    int
	Overdue        int
	ClosedRate     *float64 // percent
	Satisfaction   *float64 // percent
	Activities     int
	Registrations  int
}

// BoardTrendDay is one day of the trend.
type BoardTrendDay struct {
	Date      string // YYYY-MM-DD, Beijing
	Submitted int
	Closed    int
}

// AreaRank is an area one level below and its place among its siblings.
type AreaRank struct {
	Rank         int
	AreaCode     string
	Total        int
	Open         int
	ClosedRate   float64
	Satisfaction *float64
}

// BoardFeedItem is one line of the live feed.
type BoardFeedItem struct {
	ID         string                  `db:"id"`
	At         time.Time               `db:"at"`
	Kind       feedback.FeedbackAction `db:"action"`
	CaseNumber string                  `db:"number"`
	AreaCode   string                  `db:"area_code"`
	Class      feedback.FeedbackClass  `db:"class"`
	State      feedback.FeedbackState  `db:"to_state"`
	Title      string                  `db:"title"`
}
