package platform_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/resolvers/platform"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Whoever signed in before the index got a new key is found after, and makes no
// second account.
func TestTheSameCitizenAfterTheIndexGotANewKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "personal.key")
	keys, err := personal.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(d *platform.Deps) { d.Keys = keys })
	_, before := w.signIn("13800000021")
	_, err = personal.RotateIndex(path, time.Now())
	w.must(err)
	_, err = personal.Rotate(path, personal.SM4GCM, time.Now())
	w.must(err)
	w.must(keys.Reload())
	_, after := w.signIn("13800000021")
	_, fresh := w.signIn("13800000022")
	sealing := &personal.Sealing{DB: w.database.Owner, Keys: keys, Batch: 10}
	_, err = sealing.All(t.Context(), personal.Columns...)
	w.must(err)
	_, err = personal.Retire(path, time.Now())
	w.must(err)
	w.must(keys.Reload())
	_, last := w.signIn("13800000021")
	_, fresher := w.signIn("13800000022")
	if before.ID != after.ID || after.ID != last.ID || fresh.ID != fresher.ID || fresh.ID == last.ID {
		t.Errorf("the same number signed in as %s, %s, %s; another as %s, %s", before.ID, after.ID, last.ID, fresh.ID, fresher.ID)
	}
	if n := w.number(`SELECT count(*) FROM platform.citizen`); n != 2 {
		t.Errorf("%d accounts, want 2", n)
	}
}
