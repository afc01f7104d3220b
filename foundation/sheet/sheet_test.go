package sheet_test

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/sheet"
)

func TestFormulasAreDefused(t *testing.T) {
	for _, cell := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "\u00a0=cmd|' /C calc'!A0", "＝1", "＠x", "|calc", "%0A", "\ufeff=1", "\x00=1", "\tx", "\rx",
	} {
		if got := sheet.Harmless(cell); got != "'"+cell {
			t.Errorf("%q stays %q", cell, got)
		}
	}
	for _, cell := range []string{"", " ", "青羊区", "a=1", "1-2", "'=1", "2026-03-01", "\u4e00+1"} {
		if got := sheet.Harmless(cell); got != cell {
			t.Errorf("%q becomes %q", cell, got)
		}
	}
}

func TestCSV(t *testing.T) {
	text := sheet.CSV([]string{"名称", "数"}, func(line func(...string)) {
		line(`=HYPERLINK("http://x")`, "1")
		line("两\n行", `a,"b"`)
	})
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	want := [][]string{{"名称", "数"}, {`'=HYPERLINK("http://x")`, "1"}, {"两\n行", `a,"b"`}}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil || !strings.HasPrefix(text, "\ufeff") {
		t.Errorf("%v %s", err, diff)
	}
}

// Whoever writes CSV some other way would have to think of formulas again.
func TestExchangeLeavesCellsAsTheyAre(t *testing.T) {
	got := sheet.Exchange(func(line func(cells ...string)) {
		line("T1", "-12.00", "a,b")
		line("=T2", "", "x")
	})
	if want := "T1,-12.00,\"a,b\"\n=T2,,x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNobodyElseWritesCSV(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == ".data") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "csv.NewWriter(") {
			if found++; !strings.HasSuffix(filepath.ToSlash(path), "foundation/sheet/sheet.go") {
				t.Errorf("%s writes CSV by itself, without foundation/sheet", path)
			}
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Fatal(err, found)
	}
}
