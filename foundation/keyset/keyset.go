// Package keyset pages through lists by the key of the last row seen (keyset
// cursors of the Relay connection specification): a page costs the same
// wherever it lies, and rows that come in meanwhile shift nothing.
//
// Start reading at Page, then Of.
package keyset

import (
	"encoding/base64"
	"encoding/json"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// DefaultSize and MaxSize bound every list of the schema.
const (
	DefaultSize = 20
	MaxSize     = 100
)

// PageInfo is Relay's PageInfo; lists are read forward only.
type PageInfo struct {
	HasNextPage     bool    `json:"hasNextPage"`
	HasPreviousPage bool    `json:"hasPreviousPage"`
	StartCursor     *string `json:"startCursor"`
	EndCursor       *string `json:"endCursor"`
}

// Page is what a caller asked for: at most Size rows after the key After.
type Page struct {
	Size  int
	After []string // the key of the last row seen, column by column; nil for the first page
}

// Parse checks the arguments first and after of a list whose order has so many
// key columns. first defaults to DefaultSize; beyond MaxSize it is refused.
func Parse(first *int, after *string, columns int) (Page, error) {
	page := Page{Size: DefaultSize}
	if first != nil {
		if *first < 1 || *first > MaxSize {
			return Page{}, fault.Invalid("first", "每页条数须在 1 到 %d 之间", MaxSize)
		}
		page.Size = *first
	}
	if after == nil || *after == "" {
		return page, nil
	}
	key, err := decode(*after)
	if err != nil || len(key) != columns {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	page.After = key
	return page, nil
}

// Limit is the number of rows to ask the store for: one more than the page, so
// that hasNextPage is known without counting.
func (p Page) Limit() int { return p.Size + 1 }

// Cursor writes a row's key as an opaque cursor.
func Cursor(key ...string) string {
	text, _ := json.Marshal(key) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

func decode(cursor string) ([]string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, err
	}
	var key []string
	return key, json.Unmarshal(text, &key)
}

// Of cuts the rows that Limit fetched to the page, and tells its PageInfo. key
// gives a row's key columns in the list's order.
func Of[Row any](page Page, rows []Row, key func(Row) []string) ([]Row, *PageInfo) {
	info := &PageInfo{HasPreviousPage: page.After != nil}
	if len(rows) > page.Size {
		rows, info.HasNextPage = rows[:page.Size], true
	}
	if len(rows) > 0 {
		start, end := Cursor(key(rows[0])...), Cursor(key(rows[len(rows)-1])...)
		info.StartCursor, info.EndCursor = &start, &end
	}
	return rows, info
}
