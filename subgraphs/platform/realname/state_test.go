package realname_test

import (
	"fmt"
	"testing"

	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
)

// Every change that there is; each other one of all pairs is refused.
func TestEveryTransition(t *testing.T) {
	ends := "VERIFIED→EXPIRED VERIFIED→REVOKED"
	allowed := map[realname.VerificationMethod]string{
		realname.Offline: "CREATED→SUBMITTED CREATED→WITHDRAWN CREATED→FAILED SUBMITTED→IN_REVIEW SUBMITTED→WITHDRAWN SUBMITTED→FAILED IN_REVIEW→VERIFIED IN_REVIEW→REJECTED IN_REVIEW→FAILED " + ends,
	}
	for _, method := range []realname.VerificationMethod{realname.ByRegister, realname.ByFace, realname.ByThirdParty} {
		allowed[method] = "CREATED→PROCESSING CREATED→WITHDRAWN CREATED→FAILED PROCESSING→VERIFIED PROCESSING→FAILED " + ends
	}
	for method, text := range allowed {
		want := map[string]bool{}
		var pair string
		for rest := text; ; {
			n, _ := fmt.Sscan(rest, &pair)
			if n == 0 {
				break
			}
			want[pair] = true
			rest = rest[min(len(rest), len(pair)+1):]
		}
		for _, from := range realname.States {
			for _, to := range realname.States {
				if got := method.May(from, to); got != want[string(from)+"→"+string(to)] {
					t.Errorf("%s: %s→%s is %t", method, from, to, got)
				}
			}
		}
	}
}
