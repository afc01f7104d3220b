// Package postgres runs a private PostgreSQL cluster as a child of this process.
//
// It uses the PostgreSQL binaries that are installed on the machine (or that an
// npm package brought); it downloads nothing. The cluster listens on a unix
// socket in a folder that only its owner can enter, so it needs no password, and
// it dies with its parent: a clean stop, a crash and a kill -9 of the parent all
// end in PostgreSQL's own fast shutdown.
//
// Start reading at Start in cluster.go; binaries.go finds the programs,
// identity_linux.go answers how a program that refuses root runs under root,
// postmaster.go deals with a
// cluster that an earlier process left behind.
package postgres
