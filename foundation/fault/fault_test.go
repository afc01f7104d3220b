package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

func TestPresentNeverShowsTheInside(t *testing.T) {
	secret := `pq: relation "platform.citizen" at 10.0.0.1`
	for _, c := range []struct {
		err  error
		code fault.Code
	}{
		{errors.New(secret), fault.Internal},
		{fmt.Errorf("citizen: %w", errors.New(secret)), fault.Internal},
		{fault.New(fault.Unavailable, "短信通道繁忙").Because(errors.New(secret)), fault.Unavailable},
		{fmt.Errorf("citizen: %w", fault.Invalid("input.mobile", "手机号格式不正确").Because(errors.New(secret))), fault.InvalidInput},
		{context.DeadlineExceeded, fault.Unavailable},
	} {
		shown := fault.Present(t.Context(), c.err)
		if shown.Extensions["code"] != string(c.code) {
			t.Errorf("%v: code %v, want %s", c.err, shown.Extensions["code"], c.code)
		}
		if strings.Contains(fmt.Sprint(shown.Message, shown.Extensions), "pq:") {
			t.Errorf("the client sees %q", shown.Message)
		}
	}
	if shown := fault.Present(t.Context(), fault.Invalid("input.mobile", "x")); shown.Extensions["field"] != "input.mobile" {
		t.Error("the field is missing")
	}
}
