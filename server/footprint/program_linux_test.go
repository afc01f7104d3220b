package footprint

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// resident touches every page of the program's read-only mappings, or none, and
// says how many kilobytes of them are in memory.
func resident(t *testing.T, touch bool) (kilobytes int) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	counts, sum := false, byte(0)
	for lines := bufio.NewScanner(strings.NewReader(string(smaps))); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case !strings.HasSuffix(fields[0], ":"):
			from, size, ok := readOnly(lines.Bytes(), program)
			if counts = ok; ok && touch {
				for i, page := 0, unsafe.Slice((*byte)(at(from)), size); i < size; i += os.Getpagesize() {
					sum += page[i]
				}
			}
		case counts && fields[0] == "Rss:":
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			kilobytes += n
		}
	}
	_ = sum
	return kilobytes
}

func TestTrimGivesTheProgramsPagesBack(t *testing.T) {
	resident(t, true)
	before := resident(t, false)
	Trim()
	after := resident(t, false)
	if before == 0 || after >= before {
		t.Errorf("%d kB of the program in memory, %d kB after Trim", before, after)
	}
}

func TestOnlyWhatNobodyCanWriteIsDropped(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-023d1000 r-xp 00000000 fe:00 116 /srv/citizencloud":           true,
		"023d1000-047fd000 r--p 01fd1000 fe:00 116 /srv/citizencloud":           true,
		"047fd000-048c7000 rw-p 043fd000 fe:00 116 /srv/citizencloud":           false,
		"023d1000-047fd000 r--s 01fd1000 fe:00 116 /srv/citizencloud":           false,
		"00400000-023d1000 r-xp 00000000 fe:00 116 /srv/citizencloud (deleted)": false,
		"7f799401b000-7f799411b000 r-xp 00000000 fe:00 11 /lib/libc.so.6":       false,
		"7f799401b000-7f799411b000 r--p 00000000 00:00 0":                       false,
		"zz-7f79 r--p 00000000 fe:00 116 /srv/citizencloud":                     false,
		"0047-0046 r--p 00000000 fe:00 116 /srv/citizencloud":                   false,
	} {
		if _, _, got := readOnly([]byte(line), "/srv/citizencloud"); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
