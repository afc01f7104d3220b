package platform_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// BenchmarkSignInByCode signs citizens in whose codes were sent before, many
// at once: every one a first sign-in, the dearest kind.
func BenchmarkSignInByCode(b *testing.B) {
	w := newWorld(b, func(d *platform.Deps) {
		limits := sms.Usual
		limits.Gap, limits.Address = limit.Rule{Times: 10, Within: limits.Gap.Within}, limit.Rule{Times: 1 << 30, Within: limits.Address.Within}
		limits.CaptchaAddress = limit.Rule{}
		d.Limits = &limits
	})
	for i := range b.N {
		w.ask(nil, `mutation($m: String!) { requestSmsCode(input: {mobile: $m, scene: SIGN_IN}) { retryAfterSeconds } }`, fmt.Sprintf(`{"m": "137%08d"}`, i))
	}
	var next atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			mobile := fmt.Sprintf("137%08d", next.Add(1)-1)
			if a := w.ask(nil, signInByCode, fmt.Sprintf(`{"m": %q, "c": %q}`, mobile, w.phone.code("+86"+mobile))); a.code() != "" {
				b.Error(a.Errors)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
}
