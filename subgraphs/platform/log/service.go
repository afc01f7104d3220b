package log

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service searches and counts the stored lines, for those with log.view.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

// LogFilter chooses lines; nil fields choose all.
type LogFilter struct {
	From, To  *time.Time
	MinLevel  *LogLevel
	Source    *LogSource
	Service   *string
	RequestID *string
	TraceID   *string
	UserID    *string
	Search    *string
}

// checked is a filter with its times, level and search made out.
type checked struct {
	LogFilter
	from, to time.Time
	least    int
	query    string
}

const (
	maxSpan   = 400 * 24 * time.Hour
	maxSearch = 60 // characters
)

// check makes the filter out; span is how far it looks back where it does not say.
func (f LogFilter) check(now time.Time, span time.Duration) (checked, error) {
	c := checked{LogFilter: f, to: now.Add(time.Minute)}
	if f.To != nil {
		c.to = *f.To
	}
	c.from = c.to.Add(-span)
	if f.From != nil {
		c.from = *f.From
	}
	if !c.from.Before(c.to) {
		return c, fault.Invalid("filter.to", "结束时间须晚于开始时间")
	}
	if c.to.Sub(c.from) > maxSpan {
		return c, fault.Invalid("filter.from", "时间范围不能超过 400 天")
	}
	if f.MinLevel != nil {
		if c.least = rank(*f.MinLevel); c.least < 0 {
			return c, fault.Invalid("filter.minLevel", "没有这一级别")
		}
	}
	for name, text := range map[string]*string{"service": f.Service, "requestId": f.RequestID, "traceId": f.TraceID, "userId": f.UserID} {
		if text != nil && len(*text) > maxName {
			return c, fault.Invalid("filter."+name, "不能超过 %d 个字符", maxName)
		}
	}
	search, err := input.Optional("filter.search", "关键字", f.Search, maxSearch)
	if err != nil || search == nil {
		return c, err
	}
	query, ok := bigram.Query(*search)
	if !ok {
		return c, fault.Invalid("filter.search", "关键字至少两个汉字，或一个数字、字母")
	}
	c.query = query
	return c, nil
}

// Page is a page of lines.
type Page struct {
	Entries []*LogEntry
	Info    *keyset.PageInfo
}

// KeyColumns are those of a page's cursor: time and ID.
const KeyColumns = 2

// List gives a page of the lines, the newest first: of the last seven days
// where the filter names no time.
func (s *Service) List(ctx context.Context, f LogFilter, page keyset.Page) (Page, error) {
	if _, err := access.Require(ctx, access.LogView); err != nil {
		return Page{}, err
	}
	c, err := f.check(s.Now(), 7*24*time.Hour)
	if err != nil {
		return Page{}, err
	}
	var after *LogEntry
	if page.After != nil {
		at, err := time.Parse(time.RFC3339Nano, page.After[0])
		if err != nil || !input.ID(page.After[1]) {
			return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
		after = &LogEntry{At: at, ID: page.After[1]}
	}
	var rows []*LogEntry
	err = s.DB.Read(database.PlannedEachTime(ctx), func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, c, page, after)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	entries, info := keyset.Of(page, rows, (*LogEntry).Key)
	return Page{Entries: entries, Info: info}, nil
}

// LogBucket counts the lines of a stretch of time by level.
type LogBucket struct {
	Start                    time.Time
	Debug, Info, Warn, Error int
}

// maxBuckets bounds a histogram.
const maxBuckets = 200

// Histogram counts the lines in stretches of equal length, the oldest first: of
// the last day where the filter names no time. buckets 0 is 60.
func (s *Service) Histogram(ctx context.Context, f LogFilter, buckets int) ([]*LogBucket, error) {
	if _, err := access.Require(ctx, access.LogView); err != nil {
		return nil, err
	}
	if buckets == 0 {
		buckets = 60
	}
	if buckets < 1 || buckets > maxBuckets {
		return nil, fault.Invalid("buckets", "时间段的个数须在 1 到 %d 之间", maxBuckets)
	}
	c, err := f.check(s.Now(), 24*time.Hour)
	if err != nil {
		return nil, err
	}
	width := c.to.Sub(c.from) / time.Duration(buckets)
	if width < time.Millisecond {
		return nil, fault.Invalid("filter.from", "时间范围过短")
	}
	list := make([]*LogBucket, buckets)
	for i := range list {
		list[i] = &LogBucket{Start: c.from.Add(time.Duration(i) * width)}
	}
	return list, s.DB.Read(database.PlannedEachTime(ctx), func(tx *sqlx.Tx) error {
		counts, err := count(ctx, tx, c, width)
		for _, one := range counts {
			b := list[min(max(one.Bucket, 0), buckets-1)]
			*[]*int{&b.Debug, &b.Info, &b.Warn, &b.Error}[one.Level] += one.Lines
		}
		return err
	})
}

// known says whether the name is one of the clients that may post lines.
func known(clients []string, name string) bool { return slices.Contains(clients, name) }
