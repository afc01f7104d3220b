package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gateway counts what a gateway does for operations: fetches and preparations.
type Gateway struct {
	fetches   *prometheus.HistogramVec
	bytes     *prometheus.HistogramVec
	failures  *prometheus.CounterVec
	preparing *prometheus.HistogramVec
}

// NewGateway registers the metrics of a gateway.
func NewGateway(registry *prometheus.Registry) *Gateway {
	g := &Gateway{
		fetches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "citizencloud_fetch_seconds",
			Help:    "Time of a fetch that was sent to a subgraph, until its reply had come.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 10},
		}, []string{"subgraph", "client", "operation", "status"}),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "citizencloud_fetch_bytes",
			Help:    "Size of subgraphs' replies.",
			Buckets: prometheus.ExponentialBuckets(256, 4, 9),
		}, []string{"subgraph"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "citizencloud_fetch_failures_total",
			Help: "Fetches that brought no usable answer, those that were not sent too.",
		}, []string{"subgraph", "reason"}),
		preparing: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "citizencloud_prepare_seconds",
			Help:    "Time of the stages of preparing an operation that was not prepared before.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5},
		}, []string{"stage"}),
	}
	registry.MustRegister(g.fetches, g.bytes, g.failures, g.preparing)
	return g
}

// Fetched counts one fetch that was sent; status is ok, or why no reply came.
// Client and operation must be words of which there are only so many.
func (g *Gateway) Fetched(subgraph, client, operation, status string, bytes int, took time.Duration) {
	g.fetches.WithLabelValues(subgraph, client, operation, status).Observe(took.Seconds())
	if status == "ok" {
		g.bytes.WithLabelValues(subgraph).Observe(float64(bytes))
	}
}

// Failed counts one failed fetch.
func (g *Gateway) Failed(subgraph, reason string) {
	g.failures.WithLabelValues(subgraph, reason).Inc()
}

// Prepared counts one stage of a preparation, if it was come to.
func (g *Gateway) Prepared(stage string, took time.Duration) {
	if took > 0 {
		g.preparing.WithLabelValues(stage).Observe(took.Seconds())
	}
}

// Gauge registers a number that is asked for when somebody looks.
func Gauge(registry *prometheus.Registry, name, help string, value func() float64) {
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Count registers a number that only grows, for one value of the label result.
func Count(registry *prometheus.Registry, name, help, result string, value func() float64) {
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"result": result},
	}, value))
}
