// Package log collects the logs 全量日志 of all processes of the platform and of
// its client applications in one place. A process ships its lines besides
// writing them (Shipper), a client posts them (Handler); both go through a
// stream of NATS JetStream, from which the Collector stores them by batches in
// monthly partitions. Personal data is taken out before a line leaves its
// process, and once more before it is stored.
//
// Start reading at Line and LogEntry. Shipping is in ship.go, storing in
// collect.go and store.go, what clients post in handler.go, searching and
// counting in service.go.
package log

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/scrub"
)

// LogLevel is how much a line matters.
type LogLevel string

// The levels, from low to high.
const (
	Debug LogLevel = "DEBUG"
	Info  LogLevel = "INFO"
	Warn  LogLevel = "WARN"
	Error LogLevel = "ERROR"
)

var levels = []LogLevel{Debug, Info, Warn, Error}

func levelOf(l slog.Level) LogLevel {
	switch {
	case l >= slog.LevelError:
		return Error
	case l >= slog.LevelWarn:
		return Warn
	case l >= slog.LevelInfo:
		return Info
	}
	return Debug
}

// LogSource is what sort of service wrote the line.
type LogSource string

// The sources.
const (
	Process LogSource = "PROCESS"
	Client  LogSource = "CLIENT"
)

// Line is a line on its way through the stream.
type Line struct {
	ID         string         `json:"id"` // UUIDv7; a line that comes twice is stored once
	At         time.Time      `json:"at"`
	Level      LogLevel       `json:"level"`
	Source     LogSource      `json:"source"`
	Service    string         `json:"service"`
	Instance   string         `json:"instance,omitempty"`
	Version    string         `json:"version,omitempty"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Request    string         `json:"request,omitempty"`
	Trace      string         `json:"trace,omitempty"`
	User       string         `json:"user,omitempty"` // the principal's ID
}

// The bounds of a line, in characters.
const (
	maxMessage    = 2000
	maxAttributes = 4000 // of the JSON
	maxName       = 64
)

// clean is the line as it may be kept: no personal data, nothing too long.
func (l Line) clean() Line {
	l.Message = cut(scrub.Text(tidy(l.Message)), maxMessage)
	if len(l.Attributes) > 0 {
		text, err := json.Marshal(l.Attributes)
		l.Attributes = nil
		switch {
		case err != nil:
			l.Attributes = map[string]any{"unreadable": true}
		case utf8.RuneCount(text) > maxAttributes:
			l.Attributes = map[string]any{"truncated": cut(scrub.JSON(text), maxAttributes)}
		default:
			_ = json.Unmarshal([]byte(scrub.JSON(text)), &l.Attributes)
		}
	}
	for _, name := range []*string{&l.Service, &l.Instance, &l.Version, &l.Request, &l.Trace, &l.User} {
		*name = cut(tidy(*name), maxName)
	}
	// Clients choose these two; IDs are left alone by what takes out numbers.
	if l.Source == Client {
		l.Request, l.Trace, l.Version = identifierOnly(l.Request), identifierOnly(l.Trace), scrub.Text(l.Version)
	}
	return l
}

// identifierOnly keeps what is an ID of hexadecimal digits, such as a trace's or a UUID.
func identifierOnly(text string) string {
	if len(text) < 16 || strings.Trim(text, "0123456789abcdefABCDEF-") != "" || strings.Trim(text, "0123456789- ") == "" {
		return ""
	}
	return text
}

// tidy takes out what PostgreSQL's texts cannot hold.
func tidy(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
}

func cut(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}

// LogEntry is a stored line.
type LogEntry struct {
	ID         string    `db:"id"`
	At         time.Time `db:"at"`
	Rank       int       `db:"level"` // of the level, from 0
	Source     LogSource `db:"source"`
	Service    string    `db:"service"`
	Instance   string    `db:"instance"`
	Version    string    `db:"version"`
	Message    string    `db:"message"`
	Attributes string    `db:"attributes"` // JSON; "" for none
	RequestID  string    `db:"request"`
	TraceID    string    `db:"trace"`
	UserID     string    `db:"user_id"`
}

// Level is the line's level.
func (e *LogEntry) Level() LogLevel { return levels[e.Rank] }

// Key is the line's key in a list.
func (e *LogEntry) Key() []string { return []string{e.At.UTC().Format(time.RFC3339Nano), e.ID} }
