// Package migrations holds the SQL that makes and changes the schema platform,
// in the order of the files' numbers (goose). 0001_start.sql makes the tables,
// 0002_division.sql fills in Chengdu's true divisions.
package migrations

import "embed"

// FS holds the migrations of the platform subgraph.
//
//go:embed *.sql
var FS embed.FS
