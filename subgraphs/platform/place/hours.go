package place

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/workday"
)

// Weekday is a day of the week.
type Weekday string

var weekdays = []Weekday{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}

// Weekdays are the seven days, from Monday.
func Weekdays() []Weekday { return slices.Clone(weekdays) }

// OpeningHours say when a place is open, in Beijing time: every week, but for
// the exceptions.
type OpeningHours struct {
	Weekly     []OpeningInterval  `json:"weekly"`
	Exceptions []OpeningException `json:"exceptions"`
}

// OpeningInterval is open from the first minute until before the last, HH:MM;
// until 24:00 is the day's end, and a time that is not later is the next day's.
type OpeningInterval struct {
	Weekday Weekday `json:"weekday"`
	Opens   string  `json:"opens"`
	Closes  string  `json:"closes"`
}

// OpeningException holds on its days instead of the week's hours, such as on
// holidays; without intervals the place is closed.
type OpeningException struct {
	From      string     `json:"from"` // YYYY-MM-DD
	To        string     `json:"to"`   // the last day
	Intervals []OpenTime `json:"intervals"`
	Reason    string     `json:"reason"`
}

// OpenTime is an OpeningInterval of an exception's days.
type OpenTime struct {
	Opens  string `json:"opens"`
	Closes string `json:"closes"`
}

// The bounds of what one place may have.
const (
	maxIntervals  = 28 // four a day
	maxExceptions = 40
	maxDays       = 62 // of one exception
)

// lane is the minutes that the ranges keep for one day: its own and the next
// one's, so that a night stays with the day on which it began.
const lane = 2 * 24 * 60

// Ranges are opening hours as conditions compare them; see 0010_place.sql.
type Ranges struct{ Weekly, Days, Open string }

// span is [from, to) in minutes.
type span struct{ from, to int }

// Check tidies the hours and gives their ranges, or refuses them by the field.
func (h OpeningHours) Check(field string) (OpeningHours, Ranges, error) {
	var r Ranges
	if len(h.Weekly) > maxIntervals {
		return h, r, fault.Invalid(field+".weekly", "每周的开放时段最多 %d 个", maxIntervals)
	}
	if len(h.Exceptions) > maxExceptions {
		return h, r, fault.Invalid(field+".exceptions", "例外最多 %d 条", maxExceptions)
	}
	var weekly, days, open []span
	for i, one := range h.Weekly {
		day := slices.Index(weekdays, one.Weekday)
		if day < 0 {
			return h, r, fault.Invalid(field+".weekly", "第 %d 个时段的星期无法识别", i+1)
		}
		s, err := spanOf(one.Opens, one.Closes)
		if err != nil {
			return h, r, fault.Invalid(field+".weekly", "第 %d 个时段%s", i+1, err)
		}
		weekly = append(weekly, span{day*lane + s.from, day*lane + s.to})
	}
	h.Exceptions = slices.Clone(h.Exceptions)
	for i := range h.Exceptions {
		one := &h.Exceptions[i]
		from, err := workday.Parse(one.From)
		to, err2 := workday.Parse(one.To)
		if err != nil || err2 != nil || to.Before(from) || to.Sub(from) >= maxDays*24*time.Hour {
			return h, r, fault.Invalid(field+".exceptions", "第 %d 条例外的日期须为 YYYY-MM-DD，止日不早于起日，且不超过 %d 天", i+1, maxDays)
		}
		if one.Reason, err = input.Text(field+".exceptions", "例外的原因", one.Reason, 1, 30); err != nil {
			return h, r, err
		}
		if len(one.Intervals) > 4 {
			return h, r, fault.Invalid(field+".exceptions", "第 %d 条例外的时段最多 4 个", i+1)
		}
		first, last := dayNumber(from), dayNumber(to)
		days = append(days, span{first, last + 1})
		for _, interval := range one.Intervals {
			s, err := spanOf(interval.Opens, interval.Closes)
			if err != nil {
				return h, r, fault.Invalid(field+".exceptions", "第 %d 条例外的时段%s", i+1, err)
			}
			for day := first; day <= last; day++ {
				open = append(open, span{day*lane + s.from, day*lane + s.to})
			}
		}
	}
	if overlap(weekly) {
		return h, r, fault.Invalid(field+".weekly", "同一天的开放时段不能重叠")
	}
	if overlap(days) {
		return h, r, fault.Invalid(field+".exceptions", "例外的日期不能重叠")
	}
	if h.Weekly == nil {
		h.Weekly = []OpeningInterval{}
	}
	if h.Exceptions == nil {
		h.Exceptions = []OpeningException{}
	}
	for i := range h.Exceptions {
		if h.Exceptions[i].Intervals == nil {
			h.Exceptions[i].Intervals = []OpenTime{}
		}
	}
	return h, Ranges{Weekly: multirange(weekly), Days: multirange(days), Open: multirange(open)}, nil
}

// spanOf reads HH:MM twice. The error's text goes on a Chinese sentence.
func spanOf(opens, closes string) (span, error) {
	from, ok := minute(opens)
	to, ok2 := minute(closes)
	switch {
	case !ok || !ok2 || from == 24*60:
		return span{}, fmt.Errorf("须写作 HH:MM，例如 09:00 至 17:30")
	case from == to:
		return span{}, fmt.Errorf("的起止相同；全天开放请填 00:00 至 24:00")
	case to < from: // on the next day
		to += 24 * 60
	}
	return span{from, to}, nil
}

func minute(text string) (int, bool) {
	hour, rest, found := strings.Cut(text, ":")
	if !found || len(hour) != 2 || len(rest) != 2 {
		return 0, false
	}
	h, err := strconv.ParseUint(hour, 10, 8)
	m, err2 := strconv.ParseUint(rest, 10, 8)
	return int(h*60 + m), err == nil && err2 == nil && m < 60 && h*60+m <= 24*60
}

// overlap sorts the spans and says whether two of them share a moment.
func overlap(spans []span) bool {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return true
		}
	}
	return false
}

// multirange writes the spans as PostgreSQL reads an int4multirange.
func multirange(spans []span) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range spans {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "[%d,%d)", s.from, s.to)
	}
	b.WriteByte('}')
	return b.String()
}

// dayNumber counts a moment's day in Beijing from 1970-01-01.
func dayNumber(at time.Time) int {
	year, month, day := at.In(workday.Zone).Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// moment is a day and its minute in Beijing, as place_open wants them.
func moment(at time.Time) (day, minute int) {
	local := at.In(workday.Zone)
	return dayNumber(at), local.Hour()*60 + local.Minute()
}
