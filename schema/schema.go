// Package schema carries the composed supergraph of the platform's four
// subgraphs. The SDL beside is the source of truth: schema/<subgraph>/*.graphql,
// one file a concept.
package schema

import _ "embed"

// Supergraph is the composed schema in the join specification's form, made by
// `go tool generate`.
//
//go:embed supergraph.graphql
var Supergraph string
