// Package condition grows the WHERE of a list whose filters are optional: terms
// with their arguments, numbered as PostgreSQL wants them. The SQL is written
// out by its store; this only counts.
//
// Start reading at Where.
package condition

import (
	"strconv"
	"strings"
)

// Where is a conjunction; the zero value holds always.
type Where struct {
	terms []string
	args  []any
}

// Add appends a term. Each ? in it stands for the next argument; the term is
// ours, never input.
func (w *Where) Add(term string, args ...any) {
	for _, arg := range args {
		term = strings.Replace(term, "?", w.Arg(arg), 1)
	}
	w.terms = append(w.terms, term)
}

// Arg takes an argument that no term of its own is about, and gives its
// placeholder.
func (w *Where) Arg(arg any) string {
	w.args = append(w.args, arg)
	return "$" + strconv.Itoa(len(w.args))
}

// String is the condition without WHERE.
func (w *Where) String() string {
	if len(w.terms) == 0 {
		return "true"
	}
	return strings.Join(w.terms, " AND ")
}

// Args are the arguments in the order of their numbers.
func (w *Where) Args() []any { return w.args }
