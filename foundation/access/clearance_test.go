package access_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Who may reveal a number is who is cleared to see one on record: the action
// and the table agree, whichever role comes next.
func TestClearanceAgreesWithActions(t *testing.T) {
	for _, role := range access.Roles() {
		c := role.Clearance()
		if reveals := role.Grants(access.CitizenReveal) || role.Grants(access.RealNameReveal); reveals != (c.OnRecord >= access.L3) {
			t.Errorf("%s: citizen.reveal or realname.reveal %v, on record up to %s", role, reveals, c.OnRecord)
		}
		if role.Grants(access.CitizenView) && c.Masked < access.L3 {
			t.Errorf("%s sees citizens, and not even their masked numbers", role)
		}
		if c.OnRecord < c.Plain || c.Masked < c.Plain || c.Plain < access.L1 || c.Masked > access.L3 {
			t.Errorf("%s: %+v does not make sense", role, c)
		}
		if role.Administrator() && c.Masked > access.L2 {
			t.Errorf("%s runs accounts and sees residents' data: %+v", role, c)
		}
	}
}
