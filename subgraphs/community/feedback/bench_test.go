package feedback_test

import (
	"sync/atomic"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// BenchmarkSubmit submits from many hands at once: within one district, whose
// roll-ups they share, and all over the city.
func BenchmarkSubmit(b *testing.B) {
	var district, city []string
	for _, d := range area.Children("510100000000") {
		for _, s := range area.Children(d) {
			city = append(city, area.Children(s)...)
			if d == "510104000000" {
				district = append(district, area.Children(s)...)
			}
		}
	}
	for name, places := range map[string][]string{"district": district, "city": city} {
		b.Run(name, func(b *testing.B) {
			o := open(b)
			var next atomic.Int64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					place := places[int(next.Add(1))%len(places)]
					c, err := o.Submit(citizen(b.Context()), feedback.SubmitFeedbackInput{AreaID: place, Class: feedback.Safety, Title: "消防通道被占", Content: "消防通道停了车"})
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := o.Take(worker(b.Context(), place, access.CommunityWorker), feedback.TakeFeedbackInput{ID: c.ID, ExpectedVersion: 1}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
