// Package migrations holds the tables of the community subgraph, as goose
// migrations in the PostgreSQL schema "community". Start reading at
// 0001_feedback.sql.
package migrations

import "embed"

// FS holds the migrations at its root.
//
//go:embed *.sql
var FS embed.FS
