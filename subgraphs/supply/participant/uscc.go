package participant

import "strings"

// The unified social credit code of GB 32100-2015: 17 characters of this
// alphabet (no I, O, S, V, Z) and a check character.
const (
	usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	usccLength   = 18
)

var usccWeights = [usccLength - 1]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// CheckCharacter computes the last character of a code from the first 17: 31
// less the weighted sum modulo 31, and 0 for 31. ok is false when the text has
// not 17 characters of the alphabet.
func CheckCharacter(first17 string) (check byte, ok bool) {
	if len(first17) != usccLength-1 {
		return 0, false
	}
	sum := 0
	for i, weight := range usccWeights {
		value := strings.IndexByte(usccAlphabet, first17[i])
		if value < 0 {
			return 0, false
		}
		sum += value * weight
	}
	return usccAlphabet[(31-sum%31)%31], true
}

// ValidUSCC says whether the text is a unified social credit code whose check
// character is right.
func ValidUSCC(code string) bool {
	if len(code) != usccLength {
		return false
	}
	check, ok := CheckCharacter(code[:usccLength-1])
	return ok && code[usccLength-1] == check
}
