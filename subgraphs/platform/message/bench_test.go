package message_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// BenchmarkPipeline takes short messages all the way from claimed rows through
// the router and a simulator to receipts in the rows; an iteration is one
// message. Expanding is not in it.
func BenchmarkPipeline(b *testing.B) {
	o := open(b)
	o.sending(min(b.N, 1000))
	for done := 1000; done < b.N; done += 1000 { // the same people once more: a message has one delivery each
		o.expandAgain()
	}
	b.ResetTimer()
	start := time.Now()
	o.deliverWith(4)
	o.first.Flush(b.Context())
	o.second.Flush(b.Context())
	b.StopTimer()
	n := o.number(`SELECT count(*) FROM platform.message_delivery WHERE state = 'DELIVERED'`)
	if n < b.N {
		b.Fatalf("%d delivered of %d", n, b.N)
	}
	b.ReportMetric(float64(n)/time.Since(start).Minutes(), "sms/min")
}

// BenchmarkCode sends codes while a mass sending runs.
func BenchmarkCode(b *testing.B) {
	for name, mass := range map[string]bool{"alone": false, "beside a mass sending": true} {
		b.Run(name, func(b *testing.B) {
			o := open(b)
			slow := func(carrier.Text, bool) error { time.Sleep(500 * time.Microsecond); return nil } // an operator's answer takes a while
			o.first.Fault, o.second.Fault = slow, slow
			stop := make(chan struct{})
			var wait sync.WaitGroup
			if mass {
				for range 64 {
					wait.Go(func() {
						for {
							select {
							case <-stop:
								return
							default:
								_, _ = o.router.Submit(b.Context(), o.router.Choose(""), carrier.Text{Key: "k", Mobile: "+8613800000009", Text: "t"})
							}
						}
					})
				}
			}
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				if err := (carrier.Codes{Router: o.router}).Send(b.Context(), sms.Message{Mobile: "+8613800000001", Code: "123456"}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			close(stop)
			wait.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
