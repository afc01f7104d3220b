package log

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const (
	stream  = "LOGS"
	subject = "log.lines"
	// queueSize is how many lines a process holds while the stream is slow or away.
	queueSize = 8192
	// batchSize is how many lines travel in one message.
	batchSize = 200
	// gather is how long a line waits for others.
	gather = 100 * time.Millisecond
	// sending bounds the handing over of one message.
	sending = 5 * time.Second
)

// Ensure makes sure that the stream of logs exists. It keeps a day, or half a
// gigabyte; what is beyond is lost from the oldest on, and stderr still has it.
func Ensure(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{"log.>"}, Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy,
		MaxAge: 24 * time.Hour, MaxBytes: 512 << 20, Discard: jetstream.DiscardOld, Replicas: max(replicas, 1),
	})
	if err != nil {
		return fmt.Errorf("log: stream %s: %w", stream, err)
	}
	return nil
}

// Shipper sends a process's lines to the stream, behind its back: who logs
// never waits. When its queue is full lines are dropped, and counted.
type Shipper struct {
	service, instance, version string
	queue                      chan Line
	dropped                    atomic.Int64
}

// NewShipper makes a shipper of the service; its lines wait until Run.
func NewShipper(service, instance, version string) *Shipper {
	return &Shipper{service: service, instance: instance, version: version, queue: make(chan Line, queueSize)}
}

// Dropped is how many lines were not sent.
func (s *Shipper) Dropped() int64 { return s.dropped.Load() }

// Handler takes lines of the level and above. Those with an attribute
// "request" or "trace" are found by it.
func (s *Shipper) Handler(least slog.Level) slog.Handler { return &handler{to: s, least: least} }

// put queues the line.
func (s *Shipper) put(l Line) {
	select {
	case s.queue <- l:
	default:
		s.dropped.Add(1)
	}
}

// Run sends lines until the context ends, and then what is queued, for five seconds at most.
func (s *Shipper) Run(ctx context.Context, js jetstream.JetStream) {
	for {
		select {
		case first := <-s.queue:
			s.send(context.WithoutCancel(ctx), js, s.batch(ctx, first))
		case <-ctx.Done():
			rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), sending)
			defer cancel()
			for {
				select {
				case first := <-s.queue:
					s.send(rest, js, s.batch(ctx, first))
				default:
					return
				}
			}
		}
	}
}

// batch is the line and those that come right after it.
func (s *Shipper) batch(ctx context.Context, first Line) []Line {
	lines, full := []Line{first}, time.NewTimer(gather)
	defer full.Stop()
	for len(lines) < batchSize {
		select {
		case next := <-s.queue:
			lines = append(lines, next)
			continue
		default:
		}
		select {
		case next := <-s.queue:
			lines = append(lines, next)
		case <-full.C:
			return lines
		case <-ctx.Done():
			return lines
		}
	}
	return lines
}

// send hands the lines over, once; those that the stream does not take are
// counted: to log that would be to log for ever.
func (s *Shipper) send(ctx context.Context, js jetstream.JetStream, lines []Line) {
	if err := publish(ctx, js, lines); err != nil {
		s.dropped.Add(int64(len(lines)))
	}
}

// publish cleans the lines and hands them to the stream.
func publish(ctx context.Context, js jetstream.JetStream, lines []Line) error {
	for i := range lines {
		lines[i] = lines[i].clean()
	}
	body, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	if _, err := js.Publish(ctx, subject, body); err != nil {
		return fmt.Errorf("log: publishing: %w", err)
	}
	return nil
}

// handler is the slog.Handler of a shipper.
type handler struct {
	to         *Shipper
	least      slog.Level
	attributes map[string]any
	group      string
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	l := Line{ID: id.String(), At: r.Time.UTC(), Level: levelOf(r.Level), Source: Process, Service: h.to.service, Instance: h.to.instance,
		Version: h.to.version, Message: r.Message, Attributes: make(map[string]any, len(h.attributes)+r.NumAttrs())}
	for name, value := range h.attributes {
		l.Attributes[name] = value
	}
	r.Attrs(func(a slog.Attr) bool { add(l.Attributes, h.group, a); return true })
	for name, place := range map[string]*string{"request": &l.Request, "trace": &l.Trace} {
		if text, ok := l.Attributes[name].(string); ok {
			*place = text
			delete(l.Attributes, name)
		}
	}
	if ctx != nil {
		if p := access.From(ctx); p != nil && p.Kind != access.System {
			l.User = p.ID
		}
	}
	h.to.put(l)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	with := *h
	with.attributes = make(map[string]any, len(h.attributes)+len(attributes))
	for name, value := range h.attributes {
		with.attributes[name] = value
	}
	for _, a := range attributes {
		add(with.attributes, h.group, a)
	}
	return &with
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	with := *h
	if name != "" {
		with.group += name + "."
	}
	return &with
}

// add puts the attribute under its full name, as a plain value.
func add(to map[string]any, group string, a slog.Attr) {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindGroup:
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range value.Group() {
			add(to, group, inner)
		}
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindBool:
		to[group+a.Key] = value.Any()
	default:
		to[group+a.Key] = value.String()
	}
}
