package main

import (
	"fmt"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	platformdemo "github.com/citizencloud/citizencloud/subgraphs/platform/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// terms is the version in force of what a mutation agrees to.
func (f filler) terms(t *testing.T) string {
	t.Helper()
	method := realname.ByRegister // the first of the schema
	if f.root == "fileOfflineVerification" {
		method = realname.Offline
	}
	terms, err := realname.TermsOf(method)
	if err != nil {
		t.Fatal(err)
	}
	return terms.Version
}

// documentNumber is a number that nobody has proven, another one of each thing;
// for a search that of somebody of the community.
func (f filler) documentNumber(t *testing.T) string {
	t.Helper()
	if f.root == "findRealName" {
		for i := range f.cast.Citizens() {
			c := f.cast.Citizen(i)
			if c.CommunityCode != f.cast.Communities()[0] {
				continue
			}
			var known bool
			if err := f.owner.Get(&known, `SELECT EXISTS (SELECT FROM platform.realname_identity WHERE citizen_id = $1)`, c.ID); err != nil {
				t.Fatal(err)
			}
			if known {
				return platformdemo.ResidentID(f.cast, i)
			}
		}
	}
	digits := fmt.Sprintf("110105199003%02d%03d", 1+demonstration.Number("day", f.about.ID+f.root)%28, 1+demonstration.Number("sequence", f.about.ID+f.root)%400)
	return digits + string(document.CheckDigit(digits))
}
