// Package pattern holds regular expressions that are compiled when they are
// first used: a process pays for those that it uses, not for all that are
// linked into it.
//
// Start reading at New.
package pattern

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression of package regexp; safe for concurrent use.
type Pattern struct {
	text     string
	once     sync.Once
	compiled *regexp.Regexp
}

// New is the expression of the text. One that cannot be compiled panics where
// it is first used, so each needs a test that uses it.
func New(text string) *Pattern { return &Pattern{text: text} }

func (p *Pattern) regexp() *regexp.Regexp {
	p.once.Do(func() { p.compiled = regexp.MustCompile(p.text) })
	return p.compiled
}

// MatchString says whether the text holds a match.
func (p *Pattern) MatchString(text string) bool { return p.regexp().MatchString(text) }

// FindStringSubmatch is the first match and its groups; nil for none.
func (p *Pattern) FindStringSubmatch(text string) []string {
	return p.regexp().FindStringSubmatch(text)
}

// ReplaceAllString replaces the matches; $1 in by is the first group.
func (p *Pattern) ReplaceAllString(text, by string) string {
	return p.regexp().ReplaceAllString(text, by)
}

// ReplaceAllStringFunc replaces each match by what of gives for it.
func (p *Pattern) ReplaceAllStringFunc(text string, of func(string) string) string {
	return p.regexp().ReplaceAllStringFunc(text, of)
}
