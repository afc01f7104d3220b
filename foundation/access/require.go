package access

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Require gives the principal when it may do the action, else Unauthenticated
// or Forbidden. The data scope of a row is asked with RequireArea.
func Require(ctx context.Context, action Action) (*Principal, error) {
	p := From(ctx)
	switch Decide(p, action, "") {
	case Allowed:
		return p, nil
	case Nobody:
		return nil, nobody(ctx)
	default:
		return nil, fault.New(fault.Forbidden, "您没有执行此操作的权限")
	}
}

// RequireArea is Require, and the area must lie in the data scope. Outside of
// it the answer is NotFound, so that nobody learns what exists elsewhere.
func RequireArea(ctx context.Context, action Action, areaCode string) (*Principal, error) {
	p, err := Require(ctx, action)
	if err != nil {
		return nil, err
	}
	if Decide(p, action, areaCode) != Allowed {
		return nil, fault.New(fault.NotFound, "未找到该记录，或不在您的管辖范围内")
	}
	return p, nil
}

// RequireCitizen gives the signed-in citizen.
func RequireCitizen(ctx context.Context) (*Principal, error) {
	p := From(ctx)
	if p == nil {
		return nil, nobody(ctx)
	}
	if p.Kind != Citizen {
		return nil, fault.New(fault.Forbidden, "此操作仅限市民本人")
	}
	return p, nil
}

// RequireWorker gives the signed-in worker.
func RequireWorker(ctx context.Context) (*Principal, error) {
	p := From(ctx)
	if p == nil {
		return nil, nobody(ctx)
	}
	if p.Kind != Worker {
		return nil, fault.New(fault.Forbidden, "此操作仅限工作人员")
	}
	return p, nil
}
