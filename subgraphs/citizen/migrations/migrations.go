// Package migrations holds the goose migrations of the schema citizen, one file
// a concept.
//
// Start reading at 0002_catalogue.sql.
package migrations

import "embed"

// FS holds the SQL files.
//
//go:embed *.sql
var FS embed.FS
