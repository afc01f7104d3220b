package access

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Confinement is what a sign-in still lacks before it counts.
type Confinement string

// The confinements, in the order in which they end.
const (
	PasswordDue  Confinement = "PASSWORD"      // the first password, or one that was reset, has to be changed
	EnrolmentDue Confinement = "ENROLMENT"     // an administrator has no second factor yet
	FactorDue    Confinement = "SECOND_FACTOR" // the second factor was not shown yet
)

// ConfinedFrom gives the context's confined principal; nil for all others. Only
// what ends a confinement may ask.
func ConfinedFrom(ctx context.Context) *Principal {
	p, _ := ctx.Value(contextKey{}).(*Principal)
	if p == nil || p.Confined == "" {
		return nil
	}
	return p
}

// nobody refuses who is not signed in, or not wholly.
func nobody(ctx context.Context) error {
	p := ConfinedFrom(ctx)
	if p == nil {
		return fault.New(fault.Unauthenticated, "请先登录")
	}
	switch p.Confined {
	case PasswordDue:
		return fault.New(fault.Forbidden, "请先修改初始密码")
	case EnrolmentDue:
		return fault.New(fault.Forbidden, "管理员须先启用双因素验证")
	default:
		return fault.New(fault.Forbidden, "请先完成双因素验证")
	}
}
