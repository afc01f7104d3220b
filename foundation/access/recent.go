package access

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Proof is how somebody who is signed in proved once more who they are.
type Proof string

// The proofs.
const (
	ByPassword Proof = "PASSWORD" // by the password
	ByCode     Proof = "CODE"     // by a code sent to the mobile number of the account
)

// Recent is how long a proof counts for sensitive changes and payments.
const Recent = 5 * time.Minute

// RequireRecent gives the signed-in principal when they proved within the time
// who they are, by one of the proofs where some are named; signing in does not
// count as such. Else StepUpRequired, which a client answers by asking for the
// password or a code.
func RequireRecent(ctx context.Context, within time.Duration, by ...Proof) (*Principal, error) {
	p := From(ctx)
	if p == nil {
		return nil, nobody(ctx)
	}
	if p.Kind == System || p.proven(time.Now(), within, by) {
		return p, nil
	}
	message := "请先验证密码或短信验证码"
	if len(by) == 1 && by[0] == ByCode {
		message = "请先验证发送到当前手机号的短信验证码"
	}
	return nil, fault.New(fault.StepUpRequired, "%s", message)
}

// leeway is how far the clocks of two machines may differ.
const leeway = 30 * time.Second

func (p *Principal) proven(now time.Time, within time.Duration, by []Proof) bool {
	age := now.Sub(p.ProvenAt)
	if p.ProvenAt.IsZero() || age >= within || age < -leeway {
		return false
	}
	for _, proof := range by {
		if p.ProvenBy == proof {
			return true
		}
	}
	return len(by) == 0
}
