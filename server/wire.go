package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/citizencloud/citizencloud/foundation/database"
)

// wirePlatform builds the gateway over all subgraphs.
func wirePlatform(ctx context.Context, in installation) (*service, error) {
	return onlyHealth(ctx, in)
}

// wireSubgraph builds one subgraph.
func wireSubgraph(ctx context.Context, _ string, in installation) (*service, error) {
	return onlyHealth(ctx, in)
}

// onlyHealth answers /health over the database until the subgraphs are built in.
func onlyHealth(ctx context.Context, in installation) (*service, error) {
	db, err := database.Open(ctx, in.State.DatabaseAppURL)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		if err := db.Ping(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, `{"status":"ok"}`)
	})
	return &service{Handler: mux, Stop: func(context.Context) error { return db.Close() }}, nil
}
