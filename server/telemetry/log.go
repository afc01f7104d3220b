// Package telemetry sets up what a process tells of itself: the log (slog), the
// metrics (Prometheus) and the traces (OpenTelemetry). Start reading at NewLog,
// NewMetrics and NewTracing.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"
)

// readable writes durations as a person says them, 1.5s, in JSON too.
func readable(_ []string, attribute slog.Attr) slog.Attr {
	if attribute.Value.Kind() == slog.KindDuration {
		attribute.Value = slog.StringValue(attribute.Value.Duration().String())
	}
	return attribute
}

// NewLog returns a logger: JSON lines for machines, or text for a person. Level
// is debug, info, warn or error. Both keep Chinese as it is: neither escapes it.
// Request gives the ID of the request that a context belongs to, "" for none.
// Also get every line too, with the request's ID.
func NewLog(out io.Writer, level string, json bool, request func(context.Context) string, also ...slog.Handler) *slog.Logger {
	var least slog.Level
	switch strings.ToLower(level) {
	case "debug":
		least = slog.LevelDebug
	case "warn":
		least = slog.LevelWarn
	case "error":
		least = slog.LevelError
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: readable}
	var lines slog.Handler = slog.NewTextHandler(out, options)
	if json {
		lines = slog.NewJSONHandler(out, options)
	}
	return slog.New(requestHandler{slog.NewMultiHandler(append([]slog.Handler{lines}, also...)...), request})
}
