package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Operations counts and times what clients ask.
type Operations struct {
	seconds *prometheus.HistogramVec
	errors  *prometheus.CounterVec
}

// NewOperations registers the metrics of operations:
// citizencloud_operation_seconds and citizencloud_operation_errors_total.
func NewOperations(registry *prometheus.Registry) *Operations {
	labels := []string{"client", "operation", "kind", "status"}
	o := &Operations{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "citizencloud_operation_seconds",
			Help:    "Time from the request's last byte to the answer's; of a subscription, its whole life.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, labels),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "citizencloud_operation_errors_total",
			Help: "Entries of errors in answers.",
		}, labels),
	}
	registry.MustRegister(o.seconds, o.errors)
	return o
}

// Ended counts one operation. Client and name must be words of which there are
// only so many: each label costs memory for ever.
func (o *Operations) Ended(client, name, kind string, status, errors int, took time.Duration) {
	labels := []string{client, name, kind, strconv.Itoa(status)}
	o.seconds.WithLabelValues(labels...).Observe(took.Seconds())
	if errors > 0 {
		o.errors.WithLabelValues(labels...).Add(float64(errors))
	}
}
