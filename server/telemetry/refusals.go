package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Refusals counts what a gateway turns away.
type Refusals struct{ times *prometheus.CounterVec }

// NewRefusals registers citizencloud_refusals_total.
func NewRefusals(registry *prometheus.Registry) *Refusals {
	r := &Refusals{times: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "citizencloud_refusals_total",
		Help: "Requests that were turned away, or of which fields were denied, by the code that the client got.",
	}, []string{"client", "code"})}
	registry.MustRegister(r.times)
	return r
}

// Refused counts one. Client and code must be words of which there are only so many.
func (r *Refusals) Refused(client, code string) { r.times.WithLabelValues(client, code).Inc() }
