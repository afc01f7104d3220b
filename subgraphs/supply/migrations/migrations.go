// Package migrations holds the goose migrations of the schema supply, one file
// a concept.
//
// Start reading at 0002_participant.sql.
package migrations

import "embed"

// FS holds the SQL files.
//
//go:embed *.sql
var FS embed.FS
