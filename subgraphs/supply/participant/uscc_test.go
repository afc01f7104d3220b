package participant

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValidUSCC(t *testing.T) {
	for code, want := range map[string]bool{
		"91350100M000100Y43":  true, // the example of GB 32100-2015
		"91350100M000100Y44":  false,
		"91350100M000100Y4":   false,
		"91350100M000100Y430": false,
		"91350100m000100y43":  false,
		"91350100I000100Y43":  false, // no I in the alphabet
		"":                    false,
		"一二三四五六":              false,
	} {
		if got := ValidUSCC(code); got != want {
			t.Errorf("ValidUSCC(%q) = %v, want %v", code, got, want)
		}
	}
}

// TestOneWrongCharacterIsNoticed: 31 is prime, so no single slip passes.
func TestOneWrongCharacterIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		characters := rapid.SampledFrom(strings.Split(usccAlphabet, ""))
		first := strings.Join(rapid.SliceOfN(characters, 17, 17).Draw(t, "code"), "")
		check, ok := CheckCharacter(first)
		code := first + string(check)
		if !ok || !ValidUSCC(code) {
			t.Fatalf("%s is not valid", code)
		}
		place := rapid.IntRange(0, 17).Draw(t, "place")
		other := characters.Draw(t, "other")
		if other == code[place:place+1] {
			return
		}
		if wrong := code[:place] + other + code[place+1:]; ValidUSCC(wrong) {
			t.Fatalf("%s passes for %s", wrong, code)
		}
	})
}
