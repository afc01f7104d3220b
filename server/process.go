package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/lifecycle"
	"github.com/citizencloud/citizencloud/server/telemetry"
	"github.com/citizencloud/citizencloud/server/transport"
	platformlog "github.com/citizencloud/citizencloud/subgraphs/platform/log"
)

// process is what a command that serves has: a log, metrics, one listener, and
// the parts that start and stop in order.
type process struct {
	at       terminal
	log      *slog.Logger
	shipper  *platformlog.Shipper // sends the log's lines to where they are collected; nil sends none
	metrics  *prometheus.Registry
	listener *listener
	tracing  *telemetry.Tracing // nil where nothing is traced
	config   config.Listener
	parts    lifecycle.Group
}

// statePatience is the longest time for the state to stop: PostgreSQL writes
// its checkpoint, files are synced.
const statePatience = 45 * time.Second

// flushPatience is the longest time for the work behind the requests to end:
// what is not flushed then is in the outbox, and goes out after the next start.
const flushPatience = 10 * time.Second

// newProcess readies the process; collected says whether the lines of its log
// are sent to where all are.
func newProcess(line *config.Line, listen config.Listener, development, collected bool, at terminal) *process {
	json := line.Log.Format == "json" || line.Log.Format == "auto" && !development
	name := line.Command
	if name == "subgraph" {
		name = line.Subgraph.Name
	}
	host, _ := os.Hostname()
	var shipper *platformlog.Shipper
	var also []slog.Handler
	if collected {
		shipper = platformlog.NewShipper(name, fmt.Sprintf("%s/%d", host, os.Getpid()), currentVersion())
		also = append(also, shipper.Handler(slog.LevelInfo))
	}
	log := telemetry.NewLog(at.err, line.Log.Level, json, transport.RequestID, also...)
	slog.SetDefault(log)
	telemetry.CaptureRedis(log)
	p := &process{at: at, log: log, shipper: shipper, metrics: telemetry.NewMetrics(currentVersion()), config: listen}
	p.parts.Log = log
	if collected {
		telemetry.Count(p.metrics, "citizencloud_log_lines_dropped_total", "Lines of the log that were not collected; standard error has them.", "dropped",
			func() float64 { return float64(shipper.Dropped()) })
	}
	p.parts.Add(p.traces("citizencloud-" + name))
	// First of all: the port. It fails fast when it is taken, and whoever asks
	// /health while the rest starts hears that it starts.
	p.listener = &listener{address: listen.Listen, flag: "--listen", log: log}
	p.parts.Add(p.listener.part())
	if listen.MetricsListen != "" {
		metrics := &listener{address: listen.MetricsListen, flag: "--metrics-listen", log: log}
		metrics.show(&service{Handler: metricsHandler(p.metrics)})
		p.parts.Add(metrics.part())
	}
	return p
}

// counted is where metrics are counted; nil where nobody looks.
func (p *process) counted() *prometheus.Registry {
	if p.config.MetricsListen == "" {
		return nil
	}
	return p.metrics
}

// tracesPatience is the longest time to send the last spans.
const tracesPatience = 5 * time.Second

// traces is the part that sends spans to a collector, if there is one. It is the
// last to stop, so that it hears of everything.
func (p *process) traces(name string) lifecycle.Part {
	return lifecycle.Part{
		Name: "traces",
		Start: func(ctx context.Context) (<-chan error, error) {
			var err error
			p.tracing, err = telemetry.NewTracing(ctx, name, currentVersion(), p.log)
			return nil, err
		},
		Stop:     func(ctx context.Context) error { return p.tracing.Stop(ctx) },
		Patience: tracesPatience,
	}
}

// serve adds the service that make builds once everything before it runs, and
// takes requests for it. It is the last part to start and so the first to stop:
// health says 503, requests in flight finish, subscribers are told, then the
// background work of the service is flushed.
func (p *process) serve(make func(ctx context.Context) (*service, error)) {
	var running *service
	p.parts.Add(lifecycle.Part{
		Name: "requests",
		Start: func(ctx context.Context) (<-chan error, error) {
			made, err := make(ctx)
			if err != nil {
				return nil, err
			}
			running = made
			p.listener.show(made)
			return made.Ended, nil
		},
		Stop: func(ctx context.Context) error {
			drainCtx, cancel := context.WithTimeout(ctx, p.config.DrainTimeout)
			defer cancel()
			err := p.listener.drain(drainCtx)
			if running.Stop == nil {
				return err
			}
			// What was accepted is finished even when draining was cut off.
			flushCtx, cancel := context.WithTimeout(ctx, flushPatience)
			defer cancel()
			if stopErr := running.Stop(flushCtx); stopErr != nil {
				return fmt.Errorf("flush: %w", stopErr)
			}
			return err
		},
		Patience: p.config.DrainTimeout + flushPatience,
	})
}

// run starts everything, says where, and ends with the first signal.
func (p *process) run(ctx context.Context, greet func(url string)) error {
	ctx, forget := lifecycle.OnSignal(ctx, func() {
		p.log.Warn("second signal: leaving at once")
		os.Exit(130)
	})
	defer forget()
	began := time.Now()
	return p.parts.Run(ctx, func() {
		url := "http://" + p.listener.bound()
		p.log.Info("ready", "url", url, "took", time.Since(began).Round(time.Millisecond))
		fmt.Fprintf(p.at.out, "citizencloud: ready at %s\n", url)
		if greet != nil {
			greet(url)
		}
	})
}
