package database

import "testing"

func TestTracesHoldNoValues(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT a,\n\t b\n FROM x WHERE id = $1":         "SELECT a, b FROM x WHERE id = $1",
		`SELECT set_config('app.principal', '7f', true)`: `SELECT set_config('?', '?', true)`,
		`SELECT 'it''s 13800001111', 1`:                  `SELECT '?', 1`,
		`SELECT E'a\'13800001111', E'\\', 'x\', $1`:      `SELECT E'?', E'?', '?', $1`,
		`SELECT 'never ended 13800001111`:                `SELECT '?'`,
	} {
		if got := withoutValues(query); got != want {
			t.Errorf("%s\nis shown as %s\nwant        %s", query, got, want)
		}
	}
}
