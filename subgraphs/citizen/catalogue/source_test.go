package catalogue

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestListIsTheCitys compares numbers and names with the city's list of 230
// services, character by character.
func TestListIsTheCitys(t *testing.T) {
	file, err := os.Open("testdata/names.golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	want, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	from, err := readSource()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, s := range from.services {
		got = append(got, []string{strconv.Itoa(*s.SeqNo), s.Name})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the list differs (-city +ours):\n%s", diff)
	}
	if len(got) != 230 {
		t.Errorf("%d services, want 230", len(got))
	}
}

func TestSourceIsWhole(t *testing.T) {
	from, err := readSource()
	if err != nil {
		t.Fatal(err)
	}
	if len(from.departments) != 61 {
		t.Errorf("%d departments, want 61", len(from.departments))
	}
	kinds := map[ServiceKind]int{KindQuery: 0, KindApplication: 0, KindBooking: 0, KindPayment: 0, KindCertificate: 0,
		KindDirectory: 0, KindPublication: 0, KindConsultation: 0, KindLink: 0}
	departments, categories, ids, names := map[string]int{}, map[string]int{}, map[string]bool{}, map[string]int{}
	for _, s := range from.services {
		if _, known := kinds[s.Kind]; !known {
			t.Errorf("%s: kind %q", s.Code, s.Kind)
		}
		kinds[s.Kind]++
		departments[s.Department.ID]++
		categories[s.Category.ID]++
		names[s.Name]++
		if ids[s.ID] {
			t.Errorf("%s: ID %s twice", s.Code, s.ID)
		}
		ids[s.ID] = true
		if err := s.check(); err != nil {
			t.Errorf("%s: %v", s.Code, err)
		}
		switch s.AssuranceLevel {
		case L0, L1, L2, L3:
		default:
			t.Errorf("%s: level %q", s.Code, s.AssuranceLevel)
		}
		for _, channel := range s.Channels {
			if channel != App && channel != MiniProgram {
				t.Errorf("%s: channel %q", s.Code, channel)
			}
		}
	}
	for kind, n := range kinds {
		if n == 0 {
			t.Errorf("no service of kind %s", kind)
		}
	}
	for _, line := range from.departments {
		if departments[line[0]] == 0 {
			t.Errorf("department %s runs no service", line[1])
		}
	}
	for _, line := range from.categories {
		if categories[line[0]] == 0 {
			t.Errorf("category %s is empty", line[1])
		}
	}
	if repeated := len(from.services) - len(names); repeated != 9 {
		t.Errorf("%d names repeat, want 9", repeated)
	}
}

func TestListedIDsAreStable(t *testing.T) {
	// clients and other data refer to services by these
	for seqNo, want := range map[int]string{1: "018cc251-f401-7279-abff-5953baeaf7a3", 230: "018cc251-f4e6-78a5-afbc-10fb3a97728f"} {
		if got := ListedID(seqNo); got != want {
			t.Errorf("ListedID(%d) = %s, want %s", seqNo, got, want)
		}
	}
}
