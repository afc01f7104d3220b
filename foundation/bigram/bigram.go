// Package bigram makes Chinese text searchable in PostgreSQL without a word
// list: a run of Han characters is indexed by its pairs of neighbours, a run of
// letters or digits as one word. A query of two characters or more then finds
// exactly the texts that hold it, by a GIN index on a tsvector.
//
// Start reading at Vector (what is stored) and Query (what is asked).
package bigram

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxPosition is the largest position that a tsvector can hold.
const maxPosition = 16383

// maxLexeme bounds one word in bytes; PostgreSQL takes 2046.
const maxLexeme = 200

// run is a stretch of the text of one sort.
type run struct {
	text []rune
	han  bool
}

// runs cuts the text, normalised (full width to half width, lower case), into
// stretches; all else separates.
func runs(text string) []run {
	var all []run
	sort := 0 // of the previous rune: 0 separator, 1 Han, 2 word
	for _, r := range strings.ToLower(norm.NFKC.String(text)) {
		now := 0
		switch {
		case unicode.Is(unicode.Han, r):
			now = 1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			now = 2
		}
		if now != 0 {
			if now != sort {
				all = append(all, run{han: now == 1})
			}
			last := &all[len(all)-1]
			last.text = append(last.text, r)
		}
		sort = now
	}
	return all
}

// pairs are the neighbours of a Han run of two characters or more, in order.
func (r run) pairs() []string {
	pairs := make([]string, len(r.text)-1)
	for i := range pairs {
		pairs[i] = quote(string(r.text[i : i+2]))
	}
	return pairs
}

// lexemes are what is stored of the run, in order: for Han its pairs and the
// last character by itself, so that every character begins some lexeme; the
// whole run otherwise.
func (r run) lexemes() []string {
	if !r.han {
		return []string{quote(string(r.text))}
	}
	return append(r.pairs(), quote(string(r.text[len(r.text)-1:])))
}

// quote makes a lexeme literal. Runs hold letters and digits alone, so nothing
// needs escaping.
func quote(word string) string {
	if len(word) > maxLexeme {
		word = strings.ToValidUTF8(word[:maxLexeme], "")
	}
	return "'" + word + "'"
}

// Vector gives the text of a tsvector that holds all the parts; cast it with
// ::tsvector. Parts do not touch: no query matches across two of them.
func Vector(parts ...string) string {
	var b strings.Builder
	position := 0
	for _, part := range parts {
		for _, r := range runs(part) {
			for _, lexeme := range r.lexemes() {
				position = min(position+1, maxPosition)
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(lexeme)
				b.WriteByte(':')
				b.WriteString(strconv.Itoa(position))
			}
			position++ // a gap, so that pairs of two runs are no neighbours
		}
	}
	return b.String()
}

// Query gives the text of a tsquery that finds the texts which hold every run
// of the search: Han characters next to each other as written, words by their
// beginning. Cast it with ::tsquery. ok is false when the search says too
// little: no word, or a lone Han character and nothing else.
func Query(search string) (query string, ok bool) {
	var conditions []string
	for _, r := range runs(search) {
		switch {
		case !r.han:
			conditions = append(conditions, quote(string(r.text))+":*")
			ok = true
		case len(r.text) == 1:
			conditions = append(conditions, quote(string(r.text))+":*") // what begins with it
		default:
			conditions = append(conditions, "("+strings.Join(r.pairs(), " <-> ")+")")
			ok = true
		}
	}
	return strings.Join(conditions, " & "), ok
}
