// Package sheet writes tables as CSV for spreadsheets: every export goes
// through it, so that no cell of somebody else's making runs as a formula on
// the machine of whoever opens it.
//
// Start reading at CSV.
package sheet

import (
	"encoding/csv"
	"strings"
)

// mark tells spreadsheets that the file is UTF-8.
const mark = "\ufeff"

// CSV is a table as CSV (RFC 4180), UTF-8 with a byte order mark. lines calls
// line once for each.
func CSV(head []string, lines func(line func(cells ...string))) string {
	var text strings.Builder
	text.WriteString(mark)
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.Write(head) // into memory: nothing fails
	lines(func(cells ...string) {
		safe := make([]string, len(cells))
		for i, cell := range cells {
			safe[i] = Harmless(cell)
		}
		_ = w.Write(safe)
	})
	w.Flush()
	return text.String()
}

// Exchange is lines as CSV for another program, such as the bill of a payment
// channel: cells stay as they are, so no person may open it in a spreadsheet.
func Exchange(lines func(line func(cells ...string))) string {
	var text strings.Builder
	w := csv.NewWriter(&text)
	lines(func(cells ...string) { _ = w.Write(cells) }) // into memory: nothing fails
	w.Flush()
	return text.String()
}

// starts are what spreadsheets take for the beginning of a formula or of
// another program's command, in their full width too.
const starts = "=+-@|%＝＋－＠"

// Harmless keeps a spreadsheet from taking the cell for a formula (CWE-1236):
// one that begins as formulas do, or with a tab or an end of a line, or does so
// behind what is trimmed, gets an apostrophe in front.
func Harmless(cell string) string {
	seen := strings.TrimLeft(cell, " \t\r\n\v\f\u00a0\u3000\ufeff\u200b\x00")
	if cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])) || seen != "" && strings.ContainsRune(starts, []rune(seen)[0]) {
		return "'" + cell
	}
	return cell
}
