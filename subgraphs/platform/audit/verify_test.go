package audit_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
)

// three days: 20 entries, 10, and 15 of a day that goes on.
func threeDays(t testing.TB) *world {
	w := newWorld(t)
	w.fill(20, 7)
	w.move(24 * time.Hour)
	w.fill(10, 1)
	w.move(24 * time.Hour)
	w.fill(15, 15)
	if found := w.verify(); found != "" {
		t.Fatalf("an untouched log: %s", found)
	}
	return w
}

// copied is an entry that nobody recorded, at the end of the day that goes on.
const copied = `INSERT INTO platform.audit_entry SELECT day, 16, gen_random_uuid(), at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles,
	actor_unit, actor_post, delegation, session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash
	FROM platform.audit_entry WHERE day = '2026-03-11' AND seq = 15`

func TestTamperingIsFound(t *testing.T) {
	const first, second, today = "2026-03-09", "2026-03-10", "2026-03-11"
	for _, c := range []struct {
		name, want string
		statements []string
	}{
		{"changed", first + " entry 7 (", []string{`UPDATE platform.audit_entry SET actor_name = '王芳' WHERE day = '2026-03-09' AND seq = 7`}},
		{"changed in what is no text", first + " entry 7 (", []string{`UPDATE platform.audit_entry SET actor_roles = '{}' WHERE day = '2026-03-09' AND seq = 7`}},
		{"changed time", second + " entry 1 (", []string{`UPDATE platform.audit_entry SET at = at + interval '1 microsecond' WHERE day = '2026-03-10' AND seq = 1`}},
		{"removed", first + " entry 7: is missing", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-09' AND seq = 7`}},
		{"removed, the gap closed", first + " entry 7 (", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-09' AND seq = 7`,
			`UPDATE platform.audit_entry SET seq = seq + 1000 WHERE day = '2026-03-09' AND seq > 7`, `UPDATE platform.audit_entry SET seq = seq - 1001 WHERE day = '2026-03-09' AND seq > 1000`}},
		{"swapped", first + " entry 7 (", []string{`UPDATE platform.audit_entry SET seq = 1007 WHERE day = '2026-03-09' AND seq = 7`,
			`UPDATE platform.audit_entry SET seq = 7 WHERE day = '2026-03-09' AND seq = 8`, `UPDATE platform.audit_entry SET seq = 8 WHERE day = '2026-03-09' AND seq = 1007`}},
		{"inserted at the end", today + " entry 16 (", []string{copied}},
		{"tail cut", today + " entry 13: is missing", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-11' AND seq > 12`}},
		{"tail cut of a sealed day", second + " entry 10: is missing", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-10' AND seq > 9`}},
		{"seal missing", first + ": the seal is missing", []string{`DELETE FROM platform.audit_seal WHERE day = '2026-03-09'`}},
		{"seal of a shorter day", today + ": the seal is forged", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-11' AND seq > 12`,
			`UPDATE platform.audit_seal SET count = 12, root = (SELECT hash FROM platform.audit_entry WHERE day = '2026-03-11' AND seq = 12) WHERE day = '2026-03-11'`}},
		{"a day away", today + ": the day before is missing", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-10'`, `DELETE FROM platform.audit_seal WHERE day = '2026-03-10'`}},
		{"a day's entries away", second + " entry 1: is missing", []string{`DELETE FROM platform.audit_entry WHERE day = '2026-03-10'`}},
		{"a partition away", first + " entry 1: is missing", []string{`DROP TABLE platform.audit_entry_202603`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := threeDays(t)
			w.tamper(c.statements...)
			if found := w.verify(); !strings.HasPrefix(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

// Who writes the chain anew from some entry on needs the key of the seals.
func TestAChainWrittenAnewIsFound(t *testing.T) {
	w := threeDays(t)
	forger := newWorld(t)
	other, err := audit.NewSealer(bytes.Repeat([]byte{6}, 32))
	forger.must(err)
	forger.appender.Sealer = other
	forger.fill(20, 20)
	w.tamper(`DELETE FROM platform.audit_entry WHERE day = '2026-03-09'`, `DELETE FROM platform.audit_seal WHERE day = '2026-03-09'`)
	forger.pour(w)
	if found := w.verify(); !strings.HasPrefix(found, "2026-03-09: the seal is forged") {
		t.Errorf("found %q", found)
	}
}

// What no signature tells: an earlier state of the day that goes on, put back as
// a whole. An earlier verification remembers.
func TestAnEarlierStatePutBackIsFoundByWhoRemembers(t *testing.T) {
	w := newWorld(t)
	w.fill(5, 5)
	w.sql(`CREATE TABLE public.kept AS SELECT * FROM platform.audit_seal`)
	w.fill(5, 5)
	keys, err := audit.ParsePublicKeys(w.sealer.Public())
	w.must(err)
	report, err := audit.Verify(t.Context(), w.database.Owner, audit.Check{Keys: keys, Now: w.now()})
	w.must(err)
	w.tamper(`DELETE FROM platform.audit_entry WHERE seq > 5`, `DELETE FROM platform.audit_seal`, `INSERT INTO platform.audit_seal SELECT * FROM public.kept`)
	if found := w.verify(); found != "" {
		t.Errorf("found %q: the signatures alone cannot tell", found)
	}
	if found := w.verify(func(c *audit.Check) { c.Known = report.Heads }); !strings.HasPrefix(found, "2026-03-09 entry 6: is missing") {
		t.Errorf("found %q", found)
	}
	w.tamper(`DELETE FROM platform.audit_entry`, `DELETE FROM platform.audit_seal`)
	if found := w.verify(func(c *audit.Check) { c.Known = report.Heads }); !strings.HasPrefix(found, "2026-03-09 entry 1: is missing") {
		t.Errorf("found %q of an emptied log", found)
	}
}

func TestADayThatIsOverIsSealedForGood(t *testing.T) {
	w := newWorld(t)
	w.fill(3, 3)
	w.move(24 * time.Hour)
	if found := w.verify(); !strings.HasSuffix(found, "its seal is not final") {
		t.Errorf("found %q", found)
	}
	w.must(w.appender.Close(t.Context()))
	if found := w.verify(); found != "" {
		t.Error(found)
	}
	if n := w.number(`SELECT count(*) FROM platform.audit_seal WHERE final`); n != 1 {
		t.Errorf("%d final seals", n)
	}
	// The clock goes back: nothing is put behind a final seal.
	w.move(-24 * time.Hour)
	if err := w.appender.Append(t.Context(), nil); err != nil {
		t.Error(err)
	}
	w.mustFail(func() error { return w.tryFill() })
}

func TestTenThousandEntries(t *testing.T) {
	w := newWorld(t)
	began := time.Now()
	w.fill(10_000, 500)
	appended := time.Since(began)
	began = time.Now()
	if found := w.verify(); found != "" {
		t.Error(found)
	}
	t.Logf("10,000 entries appended in %s, verified in %s", appended.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	w.tamper(fmt.Sprintf(`UPDATE platform.audit_entry SET result = 'FORBIDDEN' WHERE seq = %d`, 8_888))
	if found := w.verify(); !strings.HasPrefix(found, "2026-03-09 entry 8888 (") {
		t.Errorf("found %q", found)
	}
}
