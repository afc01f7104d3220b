// Package embedded opens the state of an installation: PostgreSQL, Redis,
// JetStream and files. Whatever has no URL runs inside, under one data folder:
//
//	DIR/lock          held by the process that runs the state
//	DIR/serve.lock    held by the process that serves the whole platform
//	DIR/state.json    the live addresses, for further processes (mode 0600)
//	DIR/postgres/     the cluster; DIR/run/ its socket
//	DIR/nats/         streams
//	DIR/redis.json    snapshot of the small Redis
//	DIR/files/        files
//	DIR/keys/         keys of this installation
//
// Start reading at Open in state.go, then OpenOrAttach and OpenAlone in attach.go.
package embedded
